// parallax fleet plan

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_setup.h"
#include "cli/plan_report.h"

namespace parallax::cli {

namespace {

Result<int> plan_command(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSetup setup = TRY(open_setup(arguments, world, RegionChoice::of_fleet));
  fleet::ObserveOptions options;
  set_depth(options, arguments);
  const fleet::Observed observed = TRY(look(world, setup, options));
  const fleet::Plan plan = fleet::plan_apply(setup.spec, observed);
  const std::string saved =
      to_json(plan, {arguments.value_or("--config", "parallax.toml"), setup.session.config.sha256}).pretty() + "\n";
  print(json ? saved : plan_text(plan, {setup.spec.budget_usd_per_month}));
  tell_left_out(observed);
  tell_plan_problems(plan);
  const std::optional<std::string> file = arguments.value("--out");
  if (file && plan.problem.empty()) {
    constexpr unsigned kMode = 0600;  // account, names and ids are nobody else's business
    TRY(world.files.write(*file, saved, kMode).with_context("writing --out"));
    log::note(
        fmt::format("saved; 'parallax fleet apply {}' does exactly this, or refuses where something has moved", *file));
  }
  return plan_exit_code(plan);
}

}  // namespace

Command fleet_plan_command() {
  return Command{"plan",
                 "what apply would make and change, why, and what it will cost; changes nothing",
                 fleet_options() + std::vector<Option>{deep_option(),
                                                       {"--out", OptionKind::value, "FILE", "save the plan for apply"}},
                 plan_command,
                 {}};
}

}  // namespace parallax::cli
