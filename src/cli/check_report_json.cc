// The JSON of `fleet check`.
#include "cli/check_report_parts.h"
#include "fleet/lease.h"
#include "fleet/prices.h"

namespace parallax::cli {

namespace {

using fleet::MachineSeen;
using fleet::RegionPlan;
using fleet::RegionSeen;

Json tags_to_json(const fleet::Tags& tags) {
  Json json = Json::object();
  for (const auto& [key, value] : tags) {
    json.set(key, value);
  }
  return json;
}

Json texts(const std::vector<std::string>& list) {
  return JsonArray(list.begin(), list.end());
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json machine_to_json(const CheckData& check, const RegionSeen& region, const MachineSeen& machine) {
  const fleet::Instance& instance = machine.instance;
  const std::optional<Instant> ping = ping_of(region, instance.id);
  const std::string lease = instance.tag(fleet::kLeaseTag);
  Json item = Json::object({{"vantage", vantage_name(region, machine)},
                            {"instance_id", instance.id},
                            {"name", instance.name},
                            {"type", instance.type},
                            {"zone", instance.zone},
                            {"state", fleet::to_string(instance.state)},
                            {"usd_per_hour", fleet::hourly_price(instance.region, instance.type)},
                            {"launch_time", instance.launch_time ? Json(to_iso8601(*instance.launch_time)) : Json()},
                            {"last_ping", ping ? Json(to_iso8601(*ping)) : Json()},
                            {"lease", text_or_null(lease)},
                            {"public_dns", text_or_null(instance.public_dns)},
                            {"image", machine.image},
                            {"key_name", text_or_null(machine.key_name)},
                            {"profile", text_or_null(machine.profile)},
                            {"subnet", machine.subnet},
                            {"groups", texts(machine.groups)},
                            {"volumes", texts(machine.volumes)},
                            {"imds_v2_required", machine.imds_v2_required},
                            {"tags", tags_to_json(instance.tags)}});
  item.set("shutdown_behaviour", machine.shutdown_behaviour ? Json(*machine.shutdown_behaviour) : Json());
  item.set("user_data_sha256", machine.user_data_digest ? Json(*machine.user_data_digest) : Json());
  item.set("problems", texts(machine_problems(check, machine)));
  return item;
}

Json image_to_json(const fleet::ImageSeen& image) {
  return Json::object({{"id", image.id},
                       {"name", image.name},
                       {"state", image.state},
                       {"state_reason", text_or_null(image.state_reason)},
                       {"source_image", text_or_null(image.source_image)},
                       {"source_region", text_or_null(image.source_region)},
                       {"snapshots", texts(image.snapshots)},
                       {"gib", image.gib},
                       {"tags", tags_to_json(image.tags)}});
}

Json group_to_json(const fleet::GroupSeen& group) {
  JsonArray rules;
  for (const fleet::Rule& rule : group.rules) {
    rules.emplace_back(fleet::to_text(rule));
  }
  return Json::object({{"id", group.id},
                       {"name", group.name},
                       {"vpc", group.vpc},
                       {"rules", std::move(rules)},
                       {"tags", tags_to_json(group.tags)}});
}

template <typename Seen, typename Convert>
Json list_of(const std::vector<Seen>& list, Convert convert) {
  JsonArray items;
  for (const Seen& item : list) {
    items.push_back(convert(item));
  }
  return items;
}

void add_resources(Json& json, const RegionSeen& seen) {
  json.set("images", list_of(seen.images, image_to_json));
  json.set("security_groups", list_of(seen.groups, group_to_json));
  json.set("key_pairs", list_of(seen.keys, [](const fleet::KeySeen& key) {
             return Json::object({{"id", key.id},
                                  {"name", key.name},
                                  {"type", text_or_null(key.type)},
                                  {"fingerprint", text_or_null(key.fingerprint)},
                                  {"tags", tags_to_json(key.tags)}});
           }));
  json.set("snapshots", list_of(seen.snapshots, [](const fleet::SnapshotSeen& snapshot) {
             return Json::object({{"id", snapshot.id},
                                  {"state", snapshot.state},
                                  {"gib", snapshot.gib},
                                  {"tags", tags_to_json(snapshot.tags)}});
           }));
  json.set("volumes", list_of(seen.volumes, [](const fleet::VolumeSeen& volume) {
             return Json::object({{"id", volume.id},
                                  {"state", volume.state},
                                  {"type", volume.type},
                                  {"gib", volume.gib},
                                  {"attached_to", text_or_null(volume.attached_to)},
                                  {"encrypted", volume.encrypted},
                                  {"tags", tags_to_json(volume.tags)}});
           }));
  json.set("addresses", list_of(seen.addresses, [](const fleet::AddressSeen& address) {
             return Json::object({{"allocation_id", address.allocation_id},
                                  {"public_ip", address.public_ip},
                                  {"attached_to", text_or_null(address.attached_to)},
                                  {"tags", tags_to_json(address.tags)}});
           }));
  json.set("schedules", list_of(seen.schedules, [](const fleet::ScheduleSeen& schedule) {
             return Json::object({{"name", schedule.name},
                                  {"instance_id", schedule.instance_id},
                                  {"expression", schedule.expression},
                                  {"state", schedule.state}});
           }));
}

Json drift_to_json(const fleet::Drift& drift) {
  return Json::object(
      {{"id", text_or_null(drift.id)}, {"text", drift.text}, {"mended", drift.mended}, {"minor", drift.minor}});
}

void add_plan(Json& json, const RegionPlan& plan) {
  json.set("to_do", list_of(plan.steps, [](const fleet::Step& step) {
             return Json::object({{"step", to_string(step.kind)},
                                  {"resource", to_string(step.resource)},
                                  {"id", text_or_null(step.id)},
                                  {"name", text_or_null(step.name)},
                                  {"why", text_or_null(step.why)}});
           }));
  json.set("drift", list_of(plan.drift, drift_to_json));
  json.set("leftovers", list_of(plan.leftovers, [](const fleet::Leftover& left) {
             return Json::object({{"resource", to_string(left.resource)},
                                  {"id", left.id},
                                  {"name", text_or_null(left.name)},
                                  {"what", left.what},
                                  {"usd_per_month", left.usd_per_month}});
           }));
  json.set("usd_per_month_at_rest", plan.usd_per_month_at_rest);
  json.set("usd_per_month_rounds", plan.usd_per_month_running);
}

Json sum_to_json(const PartlyKnown& sum) {
  return Json::object({{"usd", sum.usd}, {"whole", sum.is_whole}});
}

}  // namespace

Json region_to_json(const CheckData& check, std::size_t region) {
  const RegionSeen& seen = check.observed.regions[region];
  Json json = Json::object({{"region", seen.region},
                            {"home", check.spec.is_home(seen.region)},
                            {"problem", text_or_null(region_trouble(check, region))},
                            {"calls", seen.calls}});
  json.set("instances",
           list_of(seen.machines, [&](const MachineSeen& machine) { return machine_to_json(check, seen, machine); }));
  add_resources(json, seen);
  add_plan(json, plan_of(check, region));
  return json;
}

Json check_summary_to_json(const CheckData& check) {
  const fleet::Observed& observed = check.observed;
  Json json = Json::object({{"schema", "parallax.check.v1"}, {"fleet", check.spec.fleet}, {"home", check.spec.home}});
  json.set("account", text_or_null(observed.account));
  json.set("problem", text_or_null(check.plan.problem));
  json.set("home_image", observed.home_image ? image_to_json(*observed.home_image) : Json());
  json.set("home_group", observed.home_group ? group_to_json(*observed.home_group) : Json());
  json.set("profile", check.spec.profile.name);
  json.set("profile_problem", observed.profile_problem ? Json(observed.profile_problem->text()) : Json());
  json.set("to_do_in_account", list_of(check.plan.steps, [](const fleet::Step& step) { return Json(step.text()); }));
  json.set("drift_in_account", list_of(check.plan.drift, drift_to_json));
  json.set("month_at_rest", sum_to_json(sum_of(check, &RegionPlan::usd_per_month_at_rest)));
  json.set("month_rounds", sum_to_json(sum_of(check, &RegionPlan::usd_per_month_running)));
  PartlyKnown leftovers;
  for (const RegionPlan& region : check.plan.regions) {
    for (const fleet::Leftover& left : region.leftovers) {
      leftovers.add(left.usd_per_month);
    }
  }
  json.set("month_left_over", sum_to_json(leftovers));
  json.set("exit_code", check_exit_code(check));
  return json;
}

}  // namespace parallax::cli
