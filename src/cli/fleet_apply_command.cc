// parallax fleet apply

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_setup.h"
#include "cli/plan_report.h"
#include "cli/prompt.h"

namespace parallax::cli {

namespace {

// The saved plan's regions are the ones to look at.
Result<std::optional<fleet::SavedPlan>> read_plan(const Arguments& arguments, World& world, FleetSetup& setup) {
  const std::optional<std::string> file = arguments.value("plan");
  if (!file) {
    return std::optional<fleet::SavedPlan>();
  }
  if (arguments.has("--region") || arguments.has("--all")) {
    return make_error(ErrorKind::invalid, "a saved plan has its regions: leave --region and --all out");
  }
  const std::string text = TRY(read_input(world, *file));
  fleet::SavedPlan saved = TRY(fleet::read_saved_plan(text).with_context("reading " + *file));
  if (saved.kind != fleet::PlanKind::apply || saved.fleet != setup.spec.fleet) {
    return make_error(ErrorKind::invalid, fmt::format("{} is a plan of fleet '{}'; the configuration says '{}'", *file,
                                                      saved.fleet, setup.spec.fleet));
  }
  setup.session.regions = saved.regions;
  return std::optional(std::move(saved));
}

Result<int> apply(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  FleetSetup setup = TRY(open_setup(arguments, world, RegionChoice::of_fleet));
  const std::optional<fleet::SavedPlan> saved = TRY(read_plan(arguments, world, setup));
  TRY(change_options(arguments));
  const fleet::Observed observed = TRY(look(world, setup, {}));
  const fleet::Plan plan = fleet::plan_apply(setup.spec, observed);
  if (saved) {
    TRY(fleet::check_saved_plan(*saved, plan));
  }
  if (arguments.has("--dry-run")) {
    print(json ? to_json(plan).pretty() + "\n" : plan_text(plan, {setup.spec.budget_usd_per_month}));
    tell_plan_problems(plan);
    return plan_exit_code(plan);
  }
  if (plan.empty()) {
    if (json) {
      return change(arguments, world, setup, observed, plan);
    }
    print(plan_headline(plan) + "\n");
    tell_plan_problems(plan);
    return plan_exit_code(plan);
  }
  show_plan(arguments, world, plan, setup.spec);
  const bool agreed =
      saved || TRY(confirm(arguments, world, fmt::format("Do these {}?", counted(plan.count_steps(), "step")),
                           "agree with --yes, or save a plan with 'parallax fleet plan --out FILE' "
                           "and give it to apply"));
  if (!agreed) {
    log::note("nothing was done");
    return 1;
  }
  return change(arguments, world, setup, observed, plan);
}

}  // namespace

Command fleet_apply_command() {
  return Command{
      "apply",
      "make the fleet what the configuration says: shows the plan, asks, does it",
      fleet_options() + std::vector<Option>{{"plan", OptionKind::value, "FILE",
                                             "a plan saved by 'fleet plan --out': done without asking", false, true},
                                            yes_option(),
                                            dry_run_option(),
                                            change_poll_option()},
      apply,
      {}};
}

}  // namespace parallax::cli
