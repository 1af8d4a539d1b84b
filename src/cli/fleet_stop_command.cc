// parallax fleet stop

#include <fmt/format.h>

#include "cli/fleet_commands.h"
#include "cli/table.h"
#include "fleet/stop.h"

namespace parallax::cli {

namespace {

Result<int> stop(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const fleet::RunOptions options = TRY(run_options(arguments));
  const std::vector<fleet::RegionVantages> found = TRY(find_selected(arguments, world, session));
  const std::vector<fleet::StopOutcome> outcomes =
      fleet::stop_vantages(session.deps(world), found, options.poll, options.stop_timeout, world.stop, tell_trouble);
  std::size_t failed = 0;
  JsonArray list;
  Table table({"vantage", "instance", "result"});
  for (const fleet::StopOutcome& outcome : outcomes) {
    failed += outcome.stopped ? 0U : 1U;
    list.push_back(Json::object({{"region", outcome.region},
                                 {"vantage", outcome.vantage},
                                 {"instance_id", outcome.instance_id},
                                 {"stopped", outcome.stopped},
                                 {"note", outcome.note}}));
    table.add({outcome.vantage, outcome.instance_id, outcome.note});
  }
  print(json ? Json(std::move(list)).pretty() + "\n" : table.text());
  if (world.stop.stop_requested()) {
    return 130;
  }
  return failed == 0 ? 0 : failed == outcomes.size() ? 1 : 3;
}

}  // namespace

Command fleet_stop_command() {
  return Command{"stop",
                 "stop machines and wait until they are seen stopped",
                 fleet_options() + selection_options() + std::vector{poll_option()},
                 stop,
                 {}};
}

}  // namespace parallax::cli
