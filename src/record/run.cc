#include "record/run.h"

#include <array>

#include "base/ids.h"
#include "record/fields.h"

namespace parallax {

namespace {

using record::FieldReader;
using record::instant_or_null;
using record::text_or_null;

constexpr std::array<std::string_view, 7> kStates = {"issued", "starting", "waiting-for-agent", "running", "stopping",
                                                     "done",   "failed"};
constexpr std::size_t kEventsMax = 1000;

struct NamedText {
  std::string_view name;
  std::string Run::*value;
};

constexpr std::array<NamedText, 9> kTexts = {{{"run_id", &Run::run_id},
                                              {"round_id", &Run::round_id},
                                              {"fleet", &Run::fleet},
                                              {"vantage", &Run::vantage},
                                              {"region", &Run::region},
                                              {"instance_id", &Run::instance_id},
                                              {"instance_type", &Run::instance_type},
                                              {"cause", &Run::cause},
                                              {"log_tail", &Run::log_tail}}};

bool is_known(std::string_view name) {
  static const Json kSample = to_json(Run());
  return kSample.find(name) != nullptr;
}

}  // namespace

std::string_view to_string(RunState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::optional<RunState> parse_run_state(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) {
      return static_cast<RunState>(i);
    }
  }
  return std::nullopt;
}

Json to_json(const Run& run) {
  Json json = Json::object({{"schema", kRunSchema}});
  for (const NamedText& text : kTexts) {
    json.set(std::string(text.name), text_or_null(run.*text.value));
  }
  json.set("state", to_string(run.state));
  JsonArray timeline;
  for (const RunEvent& event : run.timeline) {
    timeline.push_back(Json::object(
        {{"at", to_iso8601(event.at)}, {"state", to_string(event.state)}, {"note", text_or_null(event.note)}}));
  }
  json.set("timeline", std::move(timeline));
  json.set("started_at", instant_or_null(run.started_at));
  json.set("stopped_at", instant_or_null(run.stopped_at));
  json.set("billed_seconds", run.billed_seconds);
  json.set("cost_usd", run.cost_usd);
  json.set("exit_code", run.exit_code);
  for (const auto& [name, value] : run.extra) {
    json.set(name, value);
  }
  return json;
}

Result<Run> run_from_json(const Json& json) {
  Run run;
  FieldReader reader(json, "run");
  for (const char* name : {"schema", "run_id", "fleet", "vantage", "state"}) {
    reader.require(name);
  }
  for (const NamedText& text : kTexts) {
    reader.text(text.name, run.*text.value);
  }
  reader.word("state", run.state, parse_run_state);
  reader.instant("started_at", run.started_at);
  reader.instant("stopped_at", run.stopped_at);
  reader.integer("billed_seconds", run.billed_seconds, 0, 1'000'000'000);
  reader.number("cost_usd", run.cost_usd, 0, 1e9);
  reader.integer("exit_code", run.exit_code, -1, 255);
  const JsonArray& events = json.list("timeline");
  if (events.size() > kEventsMax) {
    reader.complain("timeline", fmt::format("a list of at most {} events", kEventsMax));
  }
  for (const Json& item : events) {
    FieldReader inner(item, "run event");
    std::optional<Instant> at;
    RunEvent event;
    inner.require("at");
    inner.instant("at", at);
    inner.word("state", event.state, parse_run_state);
    inner.text("note", event.note);
    if (inner.error()) {
      reader.fail(*inner.error());
      break;
    }
    event.at = at.value_or(Instant());
    run.timeline.push_back(std::move(event));
  }
  if (reader.error()) {
    return *reader.error();
  }
  TRY(ulid_time(run.run_id));
  for (const auto& [name, value] : *json.members()) {
    if (!is_known(name)) {
      run.extra.append(name, value);
    }
  }
  return run;
}

}  // namespace parallax
