#include "cli/fleet_round.h"

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "daemon/run_reporter.h"
#include "fleet/observe_account.h"

namespace parallax::cli {

namespace {

constexpr Micros kReportTimeout{Seconds(20)};
constexpr Micros kAccountTimeout{Seconds(30)};

std::string money(const std::optional<double>& usd) {
  return usd ? fmt::format("${:.5f}", *usd) : "unknown";
}

Result<std::string> controller_token(World& world, const fleet::RoundSpec& round) {
  TokenPayload payload;
  payload.role = Role::controller;
  payload.fleet = round.fleet;
  payload.not_before = world.clock.now();
  payload.expiry = payload.not_before + round.job_timeout + std::chrono::hours(1);
  return sign_token(payload, *round.signing_key);
}

Json round_to_json(const fleet::RoundOutcome& outcome, const PublicNames& names) {
  JsonArray runs;
  for (const fleet::RegionOutcome& region : outcome.regions) {
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      Json run = to_json(vantage.run);
      run.set("left_running", vantage.left_running);
      if (const auto name = names.find(vantage.run.instance_id); name != names.end()) {
        run.set("public_dns", name->second);
      }
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

}  // namespace

void print_round(const fleet::RoundOutcome& outcome, bool json, bool kept, const PublicNames& names) {
  if (json) {
    print(round_to_json(outcome, names).pretty() + "\n");
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
  if (names.empty()) {
    return;
  }
  Table reach({"vantage", "instance", "public name"});
  for (const fleet::RegionOutcome& region : outcome.regions) {
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      if (const auto name = names.find(vantage.run.instance_id); name != names.end()) {
        reach.add({vantage.run.vantage, vantage.run.instance_id, name->second});
      }
    }
  }
  print(reach.text());
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

Result<std::optional<fleet::StopRules>> stop_rules_of(World& world, const FleetSession& session) {
  if (session.config.fleet.deadman != "guest+scheduler") {
    return std::optional<fleet::StopRules>();
  }
  fleet::ResourceApi api(session.deps(world), session.config.fleet.home, world.clock.monotonic() + kAccountTimeout,
                         world.stop);
  const fleet::Account account = TRY(fleet::look_at_account(api));
  return std::optional(fleet::StopRules{session.config.fleet.name, account.id, account.partition});
}

Result<fleet::RoundOutcome> carry_out_round(const Arguments& arguments, World& world, const FleetSession& session,
                                            fleet::RoundSpec round, const std::vector<fleet::RegionVantages>& found,
                                            const fleet::RunObserver& observe) {
  round.stop_rules = TRY(stop_rules_of(world, session));
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
    Progress progress(world, nullptr,
                      "interrupting: nothing more is started, and every machine that was started is stopped; a second "
                      "signal waits for nothing and tells what may still run");
    outcome = fleet::run_round(
        deps, round, options, found,
        [&](const Run& run) {
          progress.update(run);
          if (observe) {
            observe(run);
          }
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
  return outcome;
}

}  // namespace parallax::cli
