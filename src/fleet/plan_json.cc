#include "codec/json.h"
#include "fleet/plan_parts.h"

namespace parallax::fleet {

namespace {

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json texts(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& text : list) {
    json.push(text);
  }
  return json;
}

Json rules(const std::vector<Rule>& list) {
  Json json = Json::array();
  for (const Rule& rule : list) {
    json.push(to_text(rule));
  }
  return json;
}

Json step_json(const Step& step) {
  Json json = Json::object({{"kind", to_string(step.kind)},
                            {"resource", to_string(step.resource)},
                            {"region", text_or_null(step.region)},
                            {"id", text_or_null(step.id)},
                            {"name", text_or_null(step.name)},
                            {"slot", step.slot},
                            {"text", step.text()},
                            {"why", step.why},
                            {"usd_per_month", step.usd_per_month},
                            {"details", texts(step.details)}});
  if (!step.add.empty() || !step.remove.empty()) {
    json.set("add", rules(step.add));
    json.set("remove", rules(step.remove));
  }
  if (!step.tags.empty()) {
    Json tags = Json::object();
    for (const auto& [key, value] : step.tags) {
      tags.set(key, value);
    }
    json.set("tags", std::move(tags));
  }
  return json;
}

Json leftover_json(const Leftover& leftover) {
  return Json::object({{"resource", to_string(leftover.resource)},
                       {"id", text_or_null(leftover.id)},
                       {"name", text_or_null(leftover.name)},
                       {"what", leftover.what},
                       {"usd_per_month", leftover.usd_per_month}});
}

Json drift_json(const Drift& drift) {
  return Json::object(
      {{"id", text_or_null(drift.id)}, {"text", drift.text}, {"mended", drift.mended}, {"minor", drift.minor}});
}

template <typename T>
Json list_of(const std::vector<T>& all, Json (*one)(const T&)) {
  Json json = Json::array();
  for (const T& item : all) {
    json.push(one(item));
  }
  return json;
}

Json region_json(const RegionPlan& region) {
  return Json::object({{"region", region.region},
                       {"problem", text_or_null(region.problem)},
                       {"steps", list_of(region.steps, step_json)},
                       {"drift", list_of(region.drift, drift_json)},
                       {"leftovers", list_of(region.leftovers, leftover_json)},
                       {"kept", texts(region.kept)},
                       {"usd_per_month_at_rest", region.usd_per_month_at_rest},
                       {"usd_per_month_running", region.usd_per_month_running},
                       {"hash", region.hash}});
}

}  // namespace

Json to_json(const Plan& plan) {
  return Json::object({{"schema", "parallax.plan.v1"},
                       {"kind", to_string(plan.kind)},
                       {"account", plan.account},
                       {"fleet", plan.fleet},
                       {"home", plan.home},
                       {"hash", plan.hash},
                       {"deep", plan.deep},
                       {"problem", text_or_null(plan.problem)},
                       {"steps", list_of(plan.steps, step_json)},
                       {"drift", list_of(plan.drift, drift_json)},
                       {"kept", texts(plan.kept)},
                       {"regions", list_of(plan.regions, region_json)}});
}

Json to_json(const Plan& plan, const PlanSource& source) {
  Json json = to_json(plan);
  json.set("config", Json::object({{"path", source.path}, {"sha256", source.sha256}}));
  return json;
}

}  // namespace parallax::fleet
