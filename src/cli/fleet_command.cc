// parallax fleet start | run | stop | check

#include <algorithm>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/fleet_session.h"
#include "cli/progress.h"
#include "cli/secrets.h"
#include "cli/table.h"
#include "daemon/run_reporter.h"
#include "fleet/lease.h"
#include "fleet/prices.h"
#include "fleet/stop.h"
#include "probe/service_file.h"

namespace parallax::cli {

namespace {

// Only a region that throttles us is asked for so long; one that cannot be reached is given up after a few attempts.
constexpr Micros kFindTimeout{Seconds(300)};
constexpr Micros kCheckTimeout{Seconds(60)};
constexpr Micros kReportTimeout{Seconds(20)};

Result<bool> wants_json(const Arguments& arguments) {
  const std::string output = arguments.value_or("--output", "table");
  if (output != "table" && output != "json") {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not table or json", output));
  }
  return output == "json";
}

std::string money(const std::optional<double>& usd) {
  return usd ? fmt::format("${:.5f}", *usd) : "unknown";
}

std::size_t count_vantages(const std::vector<fleet::RegionVantages>& found) {
  std::size_t count = 0;
  for (const fleet::RegionVantages& region : found) {
    count += region.vantages.size();
  }
  return count;
}

void tell_problems(const std::vector<fleet::RegionVantages>& found) {
  for (const fleet::RegionVantages& region : found) {
    if (!region.problem.empty()) {
      log::error(fmt::format("{}: {}", region.region, region.problem));
    }
  }
}

void tell_trouble(const std::string& region, const std::string& text) {
  log::note(fmt::format("{}: {}", region, text));
}

// ---- run and start

Result<fleet::RoundSpec> round_of(const Arguments& arguments, World& world, const FleetSession& session) {
  const Config& config = session.config;
  fleet::RoundSpec round;
  round.fleet = config.fleet.name;
  round.round_id = make_ulid(world.clock.now(), world.rng);
  round.collector = config.collector.url;
  round.services = config.services;
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

Result<std::string> controller_token(World& world, const fleet::RoundSpec& round) {
  TokenPayload payload;
  payload.role = Role::controller;
  payload.fleet = round.fleet;
  payload.not_before = world.clock.now();
  payload.expiry = payload.not_before + round.job_timeout + std::chrono::hours(1);
  return sign_token(payload, *round.signing_key);
}

Json round_to_json(const fleet::RoundOutcome& outcome) {
  JsonArray runs;
  for (const fleet::RegionOutcome& region : outcome.regions) {
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      Json run = to_json(vantage.run);
      run.set("left_running", vantage.left_running);
      runs.push_back(std::move(run));
    }
    if (!region.problem.empty()) {
      runs.push_back(Json::object({{"region", region.region}, {"problem", region.problem}}));
    }
  }
  return Json(std::move(runs));
}

void add_run_row(Table& table, const Run& run, bool kept) {
  const bool runs_on = kept && run.state == RunState::done;
  const std::string billed = run.billed_seconds ? fmt::format("{}", *run.billed_seconds) : "";
  table.add({run.vantage, runs_on ? "running" : std::string(to_string(run.state)),
             run.exit_code ? fmt::format("{}", *run.exit_code) : "", billed, billed.empty() ? "" : money(run.cost_usd),
             run.cause});
}

// `kept`: machines whose run went well are left running.
void print_round(const fleet::RoundOutcome& outcome, bool json, bool kept) {
  if (json) {
    print(round_to_json(outcome).pretty() + "\n");
    return;
  }
  Table table({"vantage", "state", "exit>", "billed s>", "cost>", "cause"});
  for (const fleet::RegionOutcome& region : outcome.regions) {
    if (!region.problem.empty()) {
      table.add({region.region, "failed", "", "", "", region.problem});
    }
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      add_run_row(table, vantage.run, kept);
    }
  }
  print(table.text());
}

void tell_left_running(const fleet::RoundOutcome& outcome) {
  for (const fleet::RegionOutcome& region : outcome.regions) {
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      if (vantage.left_running) {
        log::error(fleet::describe_outcome(vantage));
      }
      if (vantage.run.state == RunState::failed && !vantage.run.log_tail.empty()) {
        log::note(fmt::format("{}: last output of its job:\n{}", vantage.run.vantage, vantage.run.log_tail));
      }
    }
  }
}

Result<fleet::RunOptions> run_options(const Arguments& arguments) {
  fleet::RunOptions options;
  options.owner = controller_name();
  options.poll = TRY(parse_duration(arguments.value_or("--poll", "1s")).with_context("reading --poll"));
  if (options.poll < Millis(50)) {
    return make_error(ErrorKind::invalid, "--poll: below 50ms the polls would use up the regions' request buckets");
  }
  return options;
}

Result<int> carry_out(const Arguments& arguments, World& world, const FleetSession& session,
                      const fleet::RoundSpec& round, const std::vector<fleet::RegionVantages>& found) {
  const bool json = TRY(wants_json(arguments));
  const fleet::RunOptions options = TRY(run_options(arguments));
  fleet::FleetDeps deps = session.deps(world);
  Result<std::unique_ptr<fleet::Journal>> journal =
      fleet::Journal::open(world.files, state_directory(arguments, world, round.fleet), round.round_id);
  if (journal) {
    deps.journal = journal->get();
  } else {
    log::note(
        fmt::format("no journal ({}): a machine left by a dead controller is stopped when its lease ends, not at once",
                    journal.error().text()));
  }
  std::unique_ptr<daemon::RunReporter> reporter;
  if (round.signing_key) {
    daemon::RunReporterOptions reporting;
    reporting.collector = round.collector;
    reporting.token = TRY(controller_token(world, round));
    reporting.ca_file = world.environment("PARALLAX_CA_FILE").value_or("");
    reporter = std::make_unique<daemon::RunReporter>(world.http, world.clock, world.executor, std::move(reporting));
  }
  fleet::RoundOutcome outcome;
  {
    Progress progress(world, nullptr);
    outcome = fleet::run_round(
        deps, round, options, found,
        [&](const Run& run) {
          progress.update(run);
          if (reporter != nullptr) {
            reporter->report(run);
          }
        },
        world.stop, world.hard_stop);
  }
  if (outcome.exit_code == 130) {
    log::note("interrupted: every machine that was started has been stopped, unless told below");
  }
  if (reporter != nullptr) {
    if (const Result<> flushed = reporter->flush(world.clock.monotonic() + kReportTimeout, world.hard_stop); !flushed) {
      log::error(flushed.error().text());
    }
  }
  if (deps.journal != nullptr) {
    deps.journal->forget_dead();
    deps.journal->close();
  }
  print_round(outcome, json, round.keep_running);
  tell_left_running(outcome);
  return outcome.exit_code;
}

Result<int> run(const Arguments& arguments, World& world) {
  const FleetSession session = TRY(open_fleet(arguments, world));
  const fleet::RoundSpec round = TRY(round_of(arguments, world, session));
  const std::vector<fleet::RegionVantages> found =
      fleet::find_vantages(session.deps(world), round.fleet, session.regions, kFindTimeout, world.stop, tell_trouble);
  tell_problems(found);
  if (arguments.has("--dry-run")) {
    for (const fleet::RegionVantages& region : found) {
      for (const fleet::Vantage& vantage : region.vantages) {
        print(fmt::format("would start {} ({}, {}, now {}), run the job for {} at most and stop it\n", vantage.name,
                          vantage.instance.id, vantage.instance.type, to_string(vantage.instance.state),
                          to_human(round.job_timeout)));
      }
    }
    return count_vantages(found) == 0 ? 1 : 0;
  }
  return carry_out(arguments, world, session, round, found);
}

Result<int> start(const Arguments& arguments, World& world) {
  const FleetSession session = TRY(open_fleet(arguments, world));
  fleet::RoundSpec round;
  round.fleet = session.config.fleet.name;
  round.round_id = make_ulid(world.clock.now(), world.rng);
  round.keep_running = true;
  round.job_timeout = TRY(parse_duration(arguments.value_or("--for", "1h")).with_context("reading --for"));
  if (round.job_timeout < Seconds(60) || round.job_timeout > std::chrono::hours(24)) {
    return make_error(ErrorKind::invalid, "--for: from 1m to 24h; every start has an end");
  }
  std::vector<fleet::RegionVantages> found =
      fleet::find_vantages(session.deps(world), round.fleet, session.regions, kFindTimeout, world.stop, tell_trouble);
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
  const int code = TRY(carry_out(arguments, world, session, round, found));
  if (code == 0 || code == 3) {
    log::note(fmt::format("each machine that was started powers itself off {} minutes from now",
                          fleet::timer_minutes(round)));
  }
  return code;
}

// ---- stop

Result<int> stop(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const fleet::RunOptions options = TRY(run_options(arguments));
  const std::vector<fleet::RegionVantages> found = fleet::find_vantages(
      session.deps(world), session.config.fleet.name, session.regions, kFindTimeout, world.stop, tell_trouble);
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

// ---- check

Json check_to_json(const fleet::RegionCheck& check) {
  Json region = Json::object({{"region", check.region}});
  region.set("problem", check.problem.empty() ? Json() : Json(check.problem));
  JsonArray rows;
  for (const fleet::CheckRow& row : check.rows) {
    const fleet::Instance& instance = row.vantage.instance;
    Json item = Json::object({{"vantage", row.vantage.name},
                              {"instance_id", instance.id},
                              {"name", instance.name},
                              {"type", instance.type},
                              {"zone", instance.zone},
                              {"state", fleet::to_string(instance.state)},
                              {"shutdown_behaviour", row.shutdown_behaviour},
                              {"usd_per_hour", fleet::hourly_price(instance.region, instance.type)}});
    item.set("launch_time", instance.launch_time ? Json(to_iso8601(*instance.launch_time)) : Json());
    item.set("last_ping", row.last_ping ? Json(to_iso8601(*row.last_ping)) : Json());
    item.set("lease", instance.tag(fleet::kLeaseTag).empty() ? Json() : Json(instance.tag(fleet::kLeaseTag)));
    JsonArray problems;
    for (const std::string& problem : row.problems) {
      problems.emplace_back(problem);
    }
    item.set("problems", std::move(problems));
    rows.push_back(std::move(item));
  }
  region.set("instances", std::move(rows));
  return region;
}

void add_check_row(Table& table, const fleet::CheckRow& row) {
  const fleet::Instance& instance = row.vantage.instance;
  const std::optional<double> price = fleet::hourly_price(instance.region, instance.type);
  const bool running = instance.state == fleet::InstanceState::running;
  const std::string agent = row.last_ping ? "online" : "no answer";
  table.add({row.vantage.name, instance.id, instance.type, std::string(fleet::to_string(instance.state)),
             running ? agent : "-", price ? fmt::format("{:.4f}", *price) : "unknown",
             instance.state == fleet::InstanceState::stopped ? "" : instance.tag(fleet::kLeaseTag)});
}

// What is wrong, a sentence each: the region's problem, then its machines'.
std::vector<std::string> problems_of(const fleet::RegionCheck& region) {
  std::vector<std::string> problems;
  if (!region.problem.empty()) {
    problems.push_back(fmt::format("{}: {}", region.region, region.problem));
  }
  for (const fleet::CheckRow& row : region.rows) {
    for (const std::string& problem : row.problems) {
      problems.push_back(fmt::format("{} {}: {}", row.vantage.name, row.vantage.instance.id, problem));
    }
  }
  return problems;
}

Result<int> check(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const std::vector<fleet::RegionVantages> found = fleet::find_vantages(
      session.deps(world), session.config.fleet.name, session.regions, kFindTimeout, world.stop, tell_trouble);
  const std::vector<fleet::RegionCheck> checks =
      fleet::check_vantages(session.deps(world), found, kCheckTimeout, world.stop);
  JsonArray list;
  Table table({"vantage", "instance", "type", "state", "agent", "$/hour>", "lease"});
  for (const fleet::RegionCheck& region : checks) {
    list.push_back(check_to_json(region));
    for (const fleet::CheckRow& row : region.rows) {
      add_check_row(table, row);
    }
  }
  print(json ? Json(std::move(list)).pretty() + "\n" : table.text());
  std::size_t failed = 0;
  for (const fleet::RegionCheck& region : checks) {
    failed += region.problem.empty() ? 0U : 1U;
    for (const std::string& problem : problems_of(region)) {
      log::error(problem);
    }
  }
  if (world.stop.stop_requested()) {
    return 130;
  }
  return failed == 0 ? 0 : failed == checks.size() ? 1 : 3;
}

std::vector<Option> with(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace

Command fleet_command() {
  const Option poll{"--poll", OptionKind::value, "TIME", "between two looks at a region (default 1s)"};
  const Option state{"--state", OptionKind::value, "DIR", "where the controller keeps its journal"};
  return Command{
      "fleet",
      "the machines: run a round, start, stop, check",
      {},
      nullptr,
      {
          Command{"check", "what exists, its state and what is wrong with it", fleet_options(), check, {}},
          Command{"run",
                  "one round: start every machine, run the job, stop it again",
                  with(fleet_options(),
                       {Option{"--services", OptionKind::value, "FILE", "measure these instead of the configuration's"},
                        Option{"--cones", OptionKind::value, "N", "cones per service (default: [job] cones)"},
                        Option{"--seed", OptionKind::value, "S", "of the round's cones (default: drawn)"},
                        Option{"--timeout", OptionKind::value, "TIME", "of the job (default: [job] timeout)"}, poll,
                        state, Option{"--dry-run", OptionKind::flag, "", "tell what would be done, change nothing"}}),
                  run,
                  {}},
          Command{
              "start",
              "start machines and leave them running until a timer on each ends them",
              with(fleet_options(), {Option{"--for", OptionKind::value, "TIME", "how long (default 1h)"}, poll, state}),
              start,
              {}},
          Command{
              "stop", "stop machines and wait until they are seen stopped", with(fleet_options(), {poll}), stop, {}},
      }};
}

}  // namespace parallax::cli
