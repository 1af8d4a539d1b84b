// parallax demo: the main job on this machine alone, without any account.

#include <filesystem>

#include <fmt/format.h>

#include "aws/client.h"
#include "base/ids.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/demo_world.h"
#include "cli/fleet_session.h"
#include "cli/progress.h"
#include "cli/round_report.h"
#include "cli/serving.h"
#include "daemon/run_reporter.h"
#include "probe/cones.h"
#include "probe/service_file.h"
#include "sim/vo/catalogue.h"

namespace parallax::cli {

namespace {

constexpr const char* kFleet = "NAVO";

std::string demo_directory(const Arguments& arguments, World& world) {
  if (const std::optional<std::string> given = arguments.value("--dir")) {
    return std::filesystem::absolute(*given).string();
  }
  const std::string state =
      world.environment("XDG_STATE_HOME").value_or(world.environment("HOME").value_or("/tmp") + "/.local/state");
  return state + "/parallax/demo";
}

// The sample services allow everybody at once; a service of the user's is asked by one vantage at a time.
fleet::RoundSpec round_of(const DemoWorld& demo, World& world, const std::vector<Provider>& user_providers) {
  fleet::RoundSpec round;
  round.fleet = kFleet;
  round.round_id = make_ulid(world.clock.now(), world.rng);
  round.collector = demo.collector_url();
  round.signing_key = demo.key();
  round.services = demo.services();
  round.providers = user_providers;
  for (Provider& provider : round.providers) {
    provider.simultaneous = false;
  }
  if (user_providers.empty()) {
    round.providers = {Provider{"Plain", 120, 6, true}, Provider{"Secure", 120, 6, true}};
  }
  round.job_timeout = std::chrono::minutes(10);
  round.begin_after = Seconds(10);
  return round;
}

Result<fleet::RoundOutcome> run_demo_round(DemoWorld& demo, World& world, const fleet::RoundSpec& round) {
  aws::StaticCredentials credentials(
      aws::Credentials{std::string(sim::kSimulatedAccessKey), std::string(sim::kSimulatedSecret), "", std::nullopt});
  aws::ClientOptions client_options;
  client_options.endpoint.url = demo.cloud_url();
  aws::Client client({world.http, world.clock, world.rng, credentials}, client_options);
  const fleet::FleetDeps deps{client, world.clock, world.rng, world.executor, nullptr};

  TokenPayload payload;
  payload.role = Role::controller;
  payload.fleet = round.fleet;
  payload.not_before = world.clock.now();
  payload.expiry = payload.not_before + std::chrono::hours(1);
  daemon::RunReporterOptions reporting;
  reporting.collector = demo.collector_url();
  reporting.token = TRY(sign_token(payload, demo.key()));
  daemon::RunReporter reporter(world.http, world.clock, world.executor, std::move(reporting));

  std::vector<std::string> regions;
  for (const DemoRegion& region : demo.regions()) {
    regions.push_back(region.id);
  }
  fleet::RunOptions options;
  options.owner = controller_name();
  options.poll = Millis(250);
  fleet::RoundOutcome outcome;
  {
    Progress progress(
        world, [&](const std::string& run_id) { return std::optional(demo.count(run_id)); },
        "interrupting: every simulated machine that was started is stopped; a second signal waits for nothing");
    const std::vector<fleet::RegionVantages> found = find_vantages(deps, kFleet, regions, Seconds(30), world.stop);
    outcome = fleet::run_round(
        deps, round, options, found,
        [&](const Run& run) {
          progress.update(run);
          reporter.report(run);
        },
        world.stop, world.hard_stop);
  }
  if (const Result<> flushed = reporter.flush(world.clock.monotonic() + Seconds(10), world.hard_stop); !flushed) {
    log::error(flushed.error().text());
  }
  return outcome;
}

void show_result(DemoWorld& demo, World& world, const fleet::RoundSpec& round, const fleet::RoundOutcome& outcome) {
  std::vector<std::string> vantages;
  for (const DemoRegion& region : demo.regions()) {
    vantages.push_back(region.id);
  }
  store::SummaryFilter filter;
  filter.fleet = round.fleet;
  filter.round_id = round.round_id;
  const Result<store::Summary> summary = demo.store().summary(filter);
  if (!summary) {
    log::error("the database: " + summary.error().text());
    return;
  }
  print(fmt::format("\nMedian total / median first byte, and verdicts, of {} measurements:\n\n{}\n",
                    summary->measurements, summary_table(*summary, vantages)));
  print(
      "Distances are a relay's (path = relay): round trips are delayed, the TCP handshake is not, so connect_us is "
      "not\n"
      "comparable with a real distance.\n\n");
  print(cost_table(outcome));
  print(fmt::format("\nDatabase:  {}\nPage:      {} serve --database sqlite:{}\n", demo.database_path(), world.program,
                    demo.database_path()));
}

Result<int> demo(const Arguments& arguments, World& world) {
  DemoOptions options;
  options.directory = demo_directory(arguments, world);
  options.seed = TRY(arguments.seed("--seed", world.rng.next()));
  std::vector<Provider> providers;
  if (const std::optional<std::string> path = arguments.value("--services")) {
    const std::string text = TRY(read_input(world, *path));
    ServiceList list = TRY(parse_services(*path, text));
    options.services = std::move(list.services);
    providers = std::move(list.providers);
  }
  const bool sample = options.services.empty();
  const auto cones = static_cast<int>(TRY(arguments.integer("--cones", sample ? 4 : 3, 1, 1000)));
  log::note("starting a simulated cloud, services and a collector on this machine");
  const std::unique_ptr<DemoWorld> demo = TRY(DemoWorld::start(world, options));
  fleet::RoundSpec round = round_of(*demo, world, providers);
  round.cones.seed = options.seed;
  round.cones.count = cones;
  if (sample) {
    round.cone_list = sim::cones_on_stars(options.seed, cones, 2, 10);
  }
  log::note(fmt::format("one paired round: {} services x {} cones from {} regions; collector {}", round.services.size(),
                        cones, demo->regions().size(), demo->collector_url()));
  const fleet::RoundOutcome outcome = TRY(run_demo_round(*demo, world, round));
  for (const fleet::RegionOutcome& region : outcome.regions) {
    if (!region.problem.empty()) {
      log::error(fmt::format("{}: {}", region.region, region.problem));
    }
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      if (!vantage.run.cause.empty() || vantage.left_running) {
        log::error(fleet::describe_outcome(vantage) +
                   (vantage.run.log_tail.empty() ? "" : "\n" + vantage.run.log_tail));
      }
    }
  }
  if (outcome.exit_code == 130) {
    log::note("interrupted: all instances have been stopped");
    return 130;
  }
  show_result(*demo, world, round, outcome);
  if (arguments.has("--serve")) {
    print(fmt::format("The page is up at {} until Ctrl-C.\n", demo->collector_url()));
    wait_for_stop(world);
    log::note("interrupted: no instance was running");
    return 130;
  }
  return outcome.exit_code;
}

}  // namespace

Command demo_command() {
  return Command{"demo",
                 "the whole system on this machine: simulated cloud, sample services, one round over six vantages",
                 {Option{"--services", OptionKind::value, "FILE",
                         "measure these services instead, one vantage at a time per provider"},
                  Option{"--cones", OptionKind::value, "N", "cones per service (default 4; 3 with --services)"},
                  Option{"--seed", OptionKind::value, "S", "of cones and cloud (default: drawn)"},
                  Option{"--serve", OptionKind::flag, "", "keep the page up afterwards"},
                  Option{"--dir", OptionKind::value, "DIR",
                         "where database and spools lie (default ~/.local/state/parallax/demo)"}},
                 demo,
                 {}};
}

}  // namespace parallax::cli
