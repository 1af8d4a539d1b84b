// parallax fleet start

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_round.h"
#include "fleet/lease.h"

namespace parallax::cli {

namespace {

constexpr Micros kNamesTimeout{Seconds(30)};

// EC2 gives a name with the address, so only a machine that runs has one. By instance id.
PublicNames public_names(World& world, const FleetSession& session, const fleet::RoundOutcome& outcome) {
  std::vector<std::string> regions;
  for (const fleet::RegionOutcome& region : outcome.regions) {
    const bool started = std::any_of(region.vantages.begin(), region.vantages.end(),
                                     [](const auto& vantage) { return vantage.run.state == RunState::done; });
    if (started) {
      regions.push_back(region.region);
    }
  }
  PublicNames names;
  for (const fleet::RegionVantages& region :
       fleet::find_vantages(session.deps(world), session.config.fleet.name, regions, kNamesTimeout, world.stop)) {
    for (const fleet::Vantage& vantage : region.vantages) {
      if (!vantage.instance.public_dns.empty()) {
        names[vantage.instance.id] = vantage.instance.public_dns;
      }
    }
  }
  return names;
}

Result<int> start(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  fleet::RoundSpec round;
  round.fleet = session.config.fleet.name;
  round.round_id = make_ulid(world.clock.now(), world.rng);
  round.keep_running = true;
  round.job_timeout = TRY(parse_duration(arguments.value_or("--for", "1h")).with_context("reading --for"));
  if (round.job_timeout < Seconds(60) || round.job_timeout > std::chrono::hours(24)) {
    return make_error(ErrorKind::invalid, "--for: from 1m to 24h; every start has an end");
  }
  std::vector<fleet::RegionVantages> found = TRY(find_selected(arguments, world, session));
  tell_problems(found);
  for (fleet::RegionVantages& region : found) {
    std::erase_if(region.vantages, [](const fleet::Vantage& vantage) {
      const bool running = vantage.instance.state == fleet::InstanceState::running;
      if (running) {
        const std::optional<fleet::Lease> lease = fleet::parse_lease(vantage.instance.tag(fleet::kLeaseTag));
        log::note(fmt::format(
            "{}: {} is running already{}; left as it is", vantage.name, vantage.instance.id,
            lease ? fmt::format(", held by {} until {}", lease->owner, to_iso8601_seconds(lease->expiry)) : ""));
      }
      return running;
    });
  }
  const bool problems =
      std::any_of(found.begin(), found.end(), [](const auto& region) { return !region.problem.empty(); });
  if (count_vantages(found) == 0 && !problems) {
    return 0;
  }
  const fleet::RoundOutcome outcome = TRY(carry_out_round(arguments, world, session, round, found));
  print_round(outcome, json, true, public_names(world, session, outcome));
  tell_left_running(outcome);
  const int code = outcome.exit_code;
  if (code == 0 || code == 3) {
    log::note(fmt::format("each machine that was started powers itself off {} minutes from now",
                          fleet::timer_minutes(round)));
  }
  return code;
}

}  // namespace

Command fleet_start_command() {
  return Command{"start",
                 "start machines and leave them running until a timer on each ends them",
                 fleet_options() + selection_options() +
                     std::vector{Option{"--for", OptionKind::value, "TIME", "how long (default 1h)"}, poll_option(),
                                 state_option()},
                 start,
                 {}};
}

}  // namespace parallax::cli
