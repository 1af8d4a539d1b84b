// parallax fleet check

#include <fmt/format.h>

#include "base/log.h"
#include "cli/check_report.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_setup.h"
#include "cli/local_vantages.h"
#include "cli/table.h"

namespace parallax::cli {

namespace {

// One region of the document, two levels deep.
std::string indented(const Json& json) {
  std::string text = "    ";
  for (const char c : json.pretty()) {
    text += c;
    if (c == '\n') {
      text += "    ";
    }
  }
  return text;
}

// Region by region: the whole document never stands in memory.
bool print_json(const CheckData& check, const std::vector<LocalStatus>& locals) {
  std::string head = check_summary_to_json(check).pretty();
  head.resize(head.find_last_of('}'));
  while (head.ends_with('\n') || head.ends_with(' ')) {
    head.pop_back();
  }
  JsonArray local;
  for (const LocalStatus& status : locals) {
    local.push_back(to_json(status));
  }
  bool is_read = print(head + ",\n  \"local\": " + Json(std::move(local)).dump() + ",\n  \"regions\": [\n");
  for (std::size_t i = 0; is_read && i < check.observed.regions.size(); ++i) {
    const bool last = i + 1 == check.observed.regions.size();
    is_read = print(indented(region_to_json(check, i)) + (last ? "\n" : ",\n"));
  }
  return is_read && print("  ]\n}\n");
}

std::string locals_text(const std::vector<LocalStatus>& locals, Instant now) {
  if (locals.empty()) {
    return {};
  }
  Table table({"local vantage", "last reported"});
  for (const LocalStatus& status : locals) {
    table.add({status.name, describe(status, now)});
  }
  return "\n" + table.text();
}

int tell_findings(const CheckData& check, const std::vector<LocalStatus>& locals) {
  for (std::size_t i = 0; i < check.observed.regions.size(); ++i) {
    for (const std::string& problem : region_problems(check, i)) {
      log::error(problem);
    }
    for (const std::string& remark : region_remarks(check, i)) {
      log::note(remark);
    }
  }
  bool is_wrong = false;
  for (const LocalStatus& status : locals) {
    if (!status.problem.empty()) {
      log::error(fmt::format("{}: {}", status.name, status.problem));
      is_wrong = true;
    }
  }
  const int code = check_exit_code(check);
  return code == 0 && is_wrong ? 3 : code;
}

Result<int> check_command(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSetup setup = TRY(open_setup(arguments, world, RegionChoice::any));
  fleet::ObserveOptions options;
  options.for_check = true;
  set_depth(options, arguments);
  const fleet::Observed observed = TRY(look(world, setup, options));
  const fleet::Plan plan = fleet::plan_apply(setup.spec, observed);
  const std::vector<LocalStatus> locals = look_at_local_vantages(world, setup.session.config);
  const CheckData check{setup.spec, observed, plan, world.clock.now()};
  if (!plan.problem.empty()) {
    log::error(plan.problem);
  }
  if (json) {
    print_json(check, locals);
  } else {
    print(check_text(check) + locals_text(locals, check.now));
  }
  tell_left_out(observed);
  const int code = tell_findings(check, locals);
  return world.stop.stop_requested() ? 130 : code;
}

}  // namespace

Command fleet_check_command() {
  return Command{"check",
                 "what exists, its state, what differs, what is left over and what it costs",
                 fleet_options() + std::vector<Option>{deep_option()},
                 check_command,
                 {}};
}

}  // namespace parallax::cli
