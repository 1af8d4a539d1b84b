// parallax fleet run

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/fleet_bundle.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_round.h"
#include "cli/secrets.h"
#include "probe/service_file.h"

namespace parallax::cli {

namespace {

Result<fleet::RoundSpec> round_of(const Arguments& arguments, World& world, const FleetSession& session) {
  const Config& config = session.config;
  fleet::RoundSpec round;
  round.fleet = config.fleet.name;
  round.round_id = make_ulid(world.clock.now(), world.rng);
  round.collector = config.collector.url;
  round.services = config.services;
  std::vector<Service> opted_out = config.opted_out;
  round.providers = config.providers;
  round.command = config.job.command;
  round.job_timeout = config.job.timeout;
  if (const std::optional<std::string> timeout = arguments.value("--timeout")) {
    round.job_timeout = TRY(parse_duration(*timeout).with_context("reading --timeout"));
    if (round.job_timeout < Seconds(10) || round.job_timeout > std::chrono::hours(24)) {
      return make_error(ErrorKind::invalid, "--timeout: from 10s to 24h");
    }
  }
  round.cones.seed = TRY(arguments.seed("--seed", world.rng.next()));
  round.cones.count = static_cast<int>(TRY(arguments.integer("--cones", config.job.cones, 1, 1'000'000)));
  round.cones.radius_min = config.job.radius_min;
  round.cones.radius_max = config.job.radius_max;
  if (const std::optional<std::string> path = arguments.value("--services")) {
    const std::string text = TRY(read_input(world, *path));
    ServiceList list = TRY(parse_services(*path, text));
    round.services = std::move(list.services);
    round.providers = std::move(list.providers);
    opted_out = std::move(list.opted_out);
  }
  if (!opted_out.empty()) {
    log::note(describe_opted_out(opted_out));
  }
  if (round.command.empty() && round.services.empty()) {
    return make_error(
        ErrorKind::invalid,
        "there is nothing to measure: add [[service]] tables, or [job] services or command, or --services FILE");
  }
  if (!round.collector.empty()) {
    if (config.collector.key.empty()) {
      return make_error(
          ErrorKind::invalid,
          "[collector] has a 'url' but no 'key': make one with 'parallax keys create controller.key', let the "
          "collector accept it with 'parallax keys add', and name it as key = \"controller.key\"");
    }
    round.signing_key = TRY(read_signing_key(world, config.collector.key));
  } else if (round.command.empty()) {
    log::note("no [collector] url: results stay in the spools of the machines");
  }
  return round;
}

void print_intent(const std::vector<fleet::RegionVantages>& found, Micros timeout, bool json) {
  JsonArray machines;
  for (const fleet::RegionVantages& region : found) {
    for (const fleet::Vantage& vantage : region.vantages) {
      if (json) {
        machines.push_back(Json::object({{"region", region.region},
                                         {"vantage", vantage.name},
                                         {"instance_id", vantage.instance.id},
                                         {"instance_type", vantage.instance.type},
                                         {"state", to_string(vantage.instance.state)}}));
      } else {
        print(fmt::format("would start {} ({}, {}, now {}), run the job for {} at most and stop it\n", vantage.name,
                          vantage.instance.id, vantage.instance.type, to_string(vantage.instance.state),
                          to_human(timeout)));
      }
    }
  }
  if (json) {
    print(Json::object(
              {{"dry_run", true}, {"job_timeout_us", timeout.count()}, {"would_start", Json(std::move(machines))}})
              .pretty() +
          "\n");
  }
}

Result<int> run(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  fleet::RoundSpec round = TRY(round_of(arguments, world, session));
  const std::vector<fleet::RegionVantages> found = TRY(find_selected(arguments, world, session));
  tell_problems(found);
  if (arguments.has("--dry-run")) {
    print_intent(found, round.job_timeout, json);
    return count_vantages(found) == 0 ? 1 : 0;
  }
  TRY(choose_bundle(arguments, world, round));
  const fleet::RoundOutcome outcome = TRY(carry_out_round(arguments, world, session, round, found));
  print_round(outcome, json, false);
  tell_left_running(outcome);
  return outcome.exit_code;
}

}  // namespace

Command fleet_run_command() {
  return Command{
      "run",
      "one round: start every machine, run the job, stop it again",
      fleet_options() + selection_options() +
          std::vector{Option{"--services", OptionKind::value, "FILE", "measure these instead of the configuration's"},
                      Option{"--cones", OptionKind::value, "N", "cones per service (default: [job] cones)"},
                      Option{"--seed", OptionKind::value, "S", "of the round's cones (default: drawn)"},
                      Option{"--timeout", OptionKind::value, "TIME", "of the job (default: [job] timeout)"},
                      bundle_option(), poll_option(), state_option(),
                      Option{"--dry-run", OptionKind::flag, "", "tell what would be done, change nothing"}},
      run,
      {}};
}

}  // namespace parallax::cli
