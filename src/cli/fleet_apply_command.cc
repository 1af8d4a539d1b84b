// parallax fleet apply

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_setup.h"
#include "cli/plan_report.h"
#include "cli/prompt.h"

namespace parallax::cli {

namespace {

Result<std::optional<fleet::SavedPlan>> read_plan(const Arguments& arguments, World& world) {
  const std::optional<std::string> file = arguments.value("plan");
  if (!file) {
    return std::optional<fleet::SavedPlan>();
  }
  if (arguments.has("--region") || arguments.has("--all")) {
    return make_error(ErrorKind::invalid, "a saved plan has its regions: leave --region and --all out");
  }
  const std::string text = TRY(read_input(world, *file));
  fleet::SavedPlan saved = TRY(fleet::read_saved_plan(text).with_context("reading " + *file));
  return std::optional(std::move(saved));
}

// Without --config the saved plan names the configuration, which must be the file that it was, byte for byte. One that
// --config names may be another file that says the same: the plan's own hash tells.
Result<FleetSetup> open_planned(Arguments arguments, World& world, const fleet::SavedPlan& saved) {
  const std::string file = arguments.value_or("plan", "");
  const bool remembered = saved.source && !arguments.has("--config");
  if (remembered) {
    arguments.values["--config"] = {saved.source->path};
  }
  Result<FleetSetup> opened = open_setup(arguments, world, RegionChoice::of_fleet);
  FleetSetup setup =
      TRY(remembered ? std::move(opened).with_context("opening the configuration of " + file) : std::move(opened));
  if (remembered && setup.session.config.sha256 != saved.source->sha256) {
    return make_error(ErrorKind::conflict,
                      fmt::format("{} has changed since {} was made from it, nothing is done: its SHA-256 is {}, the "
                                  "plan's {}\nMake a new plan; or name the file with --config, and the plan is carried "
                                  "out if it would be the same.",
                                  saved.source->path, file, setup.session.config.sha256, saved.source->sha256));
  }
  if (saved.kind != fleet::PlanKind::apply || saved.fleet != setup.spec.fleet) {
    return make_error(ErrorKind::invalid, fmt::format("{} is a plan of fleet '{}'; the configuration says '{}'", file,
                                                      saved.fleet, setup.spec.fleet));
  }
  setup.session.regions = saved.regions;  // the ones to look at
  return setup;
}

Result<int> apply(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const std::optional<fleet::SavedPlan> saved = TRY(read_plan(arguments, world));
  const FleetSetup setup =
      saved ? TRY(open_planned(arguments, world, *saved)) : TRY(open_setup(arguments, world, RegionChoice::of_fleet));
  TRY(change_options(arguments));
  fleet::ObserveOptions options;
  set_depth(options, arguments, saved && saved->deep);
  const fleet::Observed observed = TRY(look(world, setup, options));
  tell_left_out(observed);
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
                                            deep_option(),
                                            yes_option(),
                                            dry_run_option(),
                                            change_poll_option()},
      apply,
      {}};
}

}  // namespace parallax::cli
