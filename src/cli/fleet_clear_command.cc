// parallax fleet clear

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_round.h"
#include "cli/fleet_setup.h"
#include "cli/plan_report.h"
#include "cli/progress.h"
#include "cli/prompt.h"
#include "cli/secrets.h"
#include "fleet/drain.h"

namespace parallax::cli {

namespace {

// A destructive command has no default of what to destroy.
Result<> check_selection(const Arguments& arguments) {
  if (arguments.has("--region") || arguments.has("--all")) {
    return {};
  }
  return make_error(ErrorKind::invalid,
                    "nothing was done: say what to clear, with --region REGION (repeatable) or with --all for every "
                    "region of the fleet; with --dry-run it only shows what would go");
}

std::set<std::string> machines_to_go(const fleet::RegionPlan& region) {
  std::set<std::string> ids;
  for (const fleet::Step& step : region.steps) {
    if (step.kind == fleet::StepKind::terminate) {
      ids.insert(step.id);
    }
  }
  return ids;
}

// The machines that the plan terminates, as a round wants them.
std::vector<fleet::RegionVantages> vantages_to_go(const fleet::Observed& observed, const fleet::Plan& plan) {
  std::vector<fleet::RegionVantages> found;
  for (std::size_t i = 0; i < plan.regions.size() && i < observed.regions.size(); ++i) {
    const std::set<std::string> ids = machines_to_go(plan.regions[i]);
    const fleet::RegionSeen& seen = observed.regions[i];
    fleet::RegionVantages region{seen.region, "", {}};
    for (const fleet::MachineSeen& machine : seen.machines) {
      if (ids.contains(machine.instance.id)) {
        const bool alone = seen.machines.size() == 1;
        region.vantages.push_back(
            {alone ? seen.region : fmt::format("{}/{}", seen.region, machine.instance.id), machine.instance});
      }
    }
    if (!region.vantages.empty()) {
      found.push_back(std::move(region));
    }
  }
  return found;
}

Result<std::vector<fleet::DrainOutcome>> drain(const Arguments& arguments, World& world, const FleetSetup& setup,
                                               const std::vector<fleet::RegionVantages>& machines) {
  const Config& config = setup.session.config;
  fleet::RoundSpec round;
  round.fleet = setup.spec.fleet;
  round.stop_rules = TRY(stop_rules_of(world, setup.session));
  round.round_id = make_ulid(world.clock.now(), world.rng);
  if (!config.collector.url.empty() && !config.collector.key.empty()) {
    round.collector = config.collector.url;
    round.signing_key = TRY(read_signing_key(world, config.collector.key));
  }
  log::note(fmt::format("spools of {}: each is started, {} and is stopped",
                        counted(count_vantages(machines), "machine"),
                        round.collector.empty() ? "counts what it holds ([collector] has no url and key to send it to)"
                                                : "sends what it holds"));
  fleet::RunOptions options;
  options.owner = controller_name();
  if (arguments.has("--poll")) {
    options.poll = TRY(change_options(arguments)).state_poll;
  }
  std::vector<fleet::DrainOutcome> outcomes;
  {
    Progress progress(
        world, nullptr,
        "interrupting: nothing is deleted, and every machine that was started for its spool is stopped; a "
        "second signal waits for nothing and tells what may still run");
    outcomes = fleet::drain_spools(
        setup.session.deps(world), round, options, machines, [&](const Run& run) { progress.update(run); }, world.stop,
        world.hard_stop);
  }
  for (const fleet::DrainOutcome& outcome : outcomes) {
    if (outcome.left_running) {
      log::error(fmt::format("{}: {} may still run", outcome.vantage, outcome.instance_id));
    }
  }
  if (world.stop.stop_requested()) {
    return make_error(ErrorKind::cancelled, "interrupted while spools were sent; nothing was deleted");
  }
  return outcomes;
}

// "eu-west-3: i-0123 holds 4 measurements that were not sent, 1 that was refused: ..."
std::string describe(const fleet::DrainOutcome& outcome) {
  const std::string holds = !outcome.left
                                ? std::string("holds what nobody could count")
                                : fmt::format("holds {} not sent and {} refused by the collector",
                                              counted(static_cast<std::size_t>(outcome.left->waiting), "measurement"),
                                              outcome.left->rejected);
  return fmt::format("{}: {} {}: {}", outcome.region, outcome.instance_id, holds, outcome.problem);
}

// A region whose machines still hold measurements is left as it is, and so is what all regions share.
void leave_region(fleet::Plan& plan, const std::string& name) {
  for (fleet::RegionPlan& region : plan.regions) {
    if (region.region == name) {
      region.steps.clear();
      region.problem =
          "left as it is: its machines hold measurements; send them ('parallax fleet run', or see what is wrong with "
          "the "
          "collector), or clear with --discard-spools to lose them";
    }
  }
  plan.steps.clear();
}

// What the machines hold goes to the collector first. Regions where that fails stay, unless somebody agrees to lose it.
Result<> empty_spools(const Arguments& arguments, World& world, const FleetSetup& setup,
                      const fleet::Observed& observed, fleet::Plan& plan) {
  const std::vector<fleet::RegionVantages> machines = vantages_to_go(observed, plan);
  if (machines.empty()) {
    return {};
  }
  if (arguments.has("--no-drain")) {
    log::note(fmt::format("--no-drain: what {} may hold unsent is not looked at and goes with them",
                          counted(count_vantages(machines), "machine")));
    return {};
  }
  std::set<std::string> regions;
  for (const fleet::DrainOutcome& outcome : TRY(drain(arguments, world, setup, machines))) {
    if (!outcome.empty()) {
      log::note(describe(outcome));
      regions.insert(outcome.region);
    }
  }
  if (regions.empty()) {
    log::note("no spool holds anything");
    return {};
  }
  if (arguments.has("--discard-spools") ||
      TRY(ask_yes(world, "Delete these machines with what they hold? 'no' leaves their regions as they are."))) {
    return {};
  }
  for (const std::string& region : regions) {
    leave_region(plan, region);
  }
  return {};
}

Result<int> clear(const Arguments& arguments, World& world) {
  TRY(check_selection(arguments));
  const bool json = TRY(wants_json(arguments));
  TRY(change_options(arguments));
  const FleetSetup setup = TRY(open_setup(arguments, world, RegionChoice::any));
  fleet::ObserveOptions options;
  options.for_clear = true;
  const fleet::Observed observed = TRY(look(world, setup, options));
  fleet::Plan plan = fleet::plan_clear(setup.spec, observed);
  if (arguments.has("--dry-run") || (plan.empty() && !json)) {
    print(json ? to_json(plan).pretty() + "\n" : plan_text(plan, {}));
    tell_plan_problems(plan);
    return plan_exit_code(plan);
  }
  if (plan.empty()) {
    return change(arguments, world, setup, observed, plan);
  }
  show_plan(arguments, world, plan, setup.spec);
  const bool agreed =
      TRY(confirm(arguments, world, fmt::format("Delete all this ({})?", counted(plan.count_steps(), "step")),
                  "agree with --yes, or look first with --dry-run"));
  if (!agreed) {
    log::note("nothing was done");
    return 1;
  }
  TRY(empty_spools(arguments, world, setup, observed, plan));
  return change(arguments, world, setup, observed, plan);
}

}  // namespace

Command fleet_clear_command() {
  std::vector<Option> options = fleet_options();
  for (Option& option : options) {
    if (option.name == "--region") {
      option.help = "this region; repeatable. There is no default";
    }
  }
  return Command{"clear",
                 "delete everything of the fleet in the regions named; home's originals stay",
                 options + std::vector<Option>{yes_option(),
                                               dry_run_option(),
                                               change_poll_option(),
                                               {"--no-drain", OptionKind::flag, "",
                                                "do not look at the machines' spools: what they hold is lost"},
                                               {"--discard-spools", OptionKind::flag, "",
                                                "lose what cannot be sent, without asking"}},
                 clear,
                 {}};
}

}  // namespace parallax::cli
