// parallax fleet hold

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_round.h"
#include "cli/table.h"
#include "fleet/exec.h"

namespace parallax::cli {

namespace {

constexpr Micros kShortest{Seconds(60)};
constexpr Micros kLongest{Seconds(24 * 3600)};
constexpr Micros kTimerTimeout{Seconds(60)};

Result<int> hold(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const Micros time = TRY(parse_duration(arguments.value_or("--for", "1h")).with_context("reading --for"));
  if (time < kShortest || time > kLongest) {
    return make_error(ErrorKind::invalid, "--for: from 1m to 24h; every stay has an end");
  }
  const FleetSession session = TRY(open_fleet(arguments, world));
  const std::vector<fleet::RegionVantages> found = TRY(find_selected(arguments, world, session));
  tell_problems(found);
  fleet::ExecOptions options;
  options.id = make_ulid(world.clock.now(), world.rng);
  options.timeout = kTimerTimeout;
  const std::vector<fleet::HoldOutcome> outcomes = fleet::hold(session.deps(world), found, time, controller_name(),
                                                               TRY(stop_rules_of(world, session)), options, world.stop);
  std::size_t failed = 0;
  JsonArray list;
  Table table({"vantage", "instance", "until (UTC)", "problem"});
  for (const fleet::HoldOutcome& outcome : outcomes) {
    failed += outcome.until ? 0U : 1U;
    const std::string until = outcome.until ? to_iso8601_seconds(*outcome.until) : "";
    list.push_back(Json::object({{"region", outcome.region},
                                 {"vantage", outcome.vantage},
                                 {"instance_id", outcome.instance_id},
                                 {"until", outcome.until ? Json(until) : Json()},
                                 {"problem", outcome.problem}}));
    table.add({outcome.vantage, outcome.instance_id, until, outcome.problem});
  }
  print(json ? Json(std::move(list)).pretty() + "\n" : table.text());
  if (world.stop.stop_requested()) {
    return 130;
  }
  const std::size_t regions = count_problems(found);
  return failed + regions == 0 ? 0 : failed == outcomes.size() ? 1 : 3;
}

}  // namespace

Command fleet_hold_command() {
  return Command{"hold",
                 "give running machines more time: their timer and lease are set anew",
                 fleet_options() + selection_options() +
                     std::vector{Option{"--for", OptionKind::value, "TIME", "from now (default 1h)"}},
                 hold,
                 {}};
}

}  // namespace parallax::cli
