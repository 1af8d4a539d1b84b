// parallax fleet adopt

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_setup.h"
#include "cli/plan_report.h"
#include "cli/prompt.h"

namespace parallax::cli {

namespace {

Result<int> adopt(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSetup setup = TRY(open_setup(arguments, world, RegionChoice::of_fleet));
  TRY(change_options(arguments));
  fleet::ObserveOptions options;
  options.by_name = true;
  const fleet::Observed observed = TRY(look(world, setup, options));
  const fleet::Plan plan = fleet::plan_adopt(setup.spec, observed);
  if (arguments.has("--dry-run") || (plan.empty() && !json)) {
    print(json ? to_json(plan).pretty() + "\n" : plan_text(plan, {}));
    tell_plan_problems(plan);
    return plan_exit_code(plan);
  }
  if (!plan.empty()) {
    show_plan(arguments, world, plan, setup.spec);
    const bool agreed = TRY(confirm(arguments, world,
                                    fmt::format("Tag these as fleet {}'s? Nothing else is changed.", setup.spec.fleet),
                                    "agree with --yes, or look first with --dry-run"));
    if (!agreed) {
      log::note("nothing was done");
      return 1;
    }
  }
  return change(arguments, world, setup, observed, plan);
}

}  // namespace

Command fleet_adopt_command() {
  return Command{"adopt",
                 "take over what bears the fleet's name without its tag: tags only, nothing is moved",
                 fleet_options() + std::vector<Option>{yes_option(), dry_run_option(), change_poll_option()},
                 adopt,
                 {}};
}

}  // namespace parallax::cli
