#include "cli/fleet_setup.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/change_progress.h"
#include "cli/change_report.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_spec.h"
#include "cli/plan_report.h"

namespace parallax::cli {

namespace {

constexpr Micros kDeepTimeout{Seconds(1800)};  // a thousand machines a region, one after another at 0.5 s a call, twice
constexpr std::size_t kRegionsNamedMax = 5;

}  // namespace

Result<FleetSetup> open_setup(const Arguments& arguments, World& world, RegionChoice choice) {
  FleetSetup setup;
  setup.session = TRY(open_fleet(arguments, world, choice));
  setup.spec = TRY(make_spec(world.files, setup.session.config, arguments.value_or("--config", "parallax.toml")));
  return setup;
}

Result<fleet::Observed> look(World& world, const FleetSetup& setup, fleet::ObserveOptions options) {
  options.regions = setup.session.regions;
  fleet::Observed observed = fleet::observe(setup.session.deps(world), setup.spec, options, world.stop, tell_trouble);
  if (world.stop.stop_requested()) {
    return make_error(ErrorKind::cancelled, "interrupted while looking; nothing was done");
  }
  return observed;
}

Option deep_option() {
  return {"--deep", OptionKind::flag, "",
          "also look at every machine's user data and shutdown behaviour: two calls for each"};
}

void set_depth(fleet::ObserveOptions& options, const Arguments& arguments, bool deep_anyway) {
  const bool deep = deep_anyway || arguments.has("--deep");
  options.attributes = deep ? fleet::Attributes::all : fleet::Attributes::few;
  options.timeout = deep ? kDeepTimeout : options.timeout;
}

void tell_left_out(const fleet::Observed& observed) {
  std::string regions;
  std::size_t count = 0;
  for (const fleet::RegionSeen& region : observed.regions) {
    if (!region.attributes_left_out.empty() && ++count <= kRegionsNamedMax) {
      regions += fmt::format("{}{} ({})", regions.empty() ? "" : ", ", region.region, region.attributes_left_out);
    }
  }
  if (count > 0) {
    log::note(
        fmt::format("not looked at: {}{}: --deep does, with a call for each", regions,
                    count > kRegionsNamedMax ? fmt::format(" and {} regions more", count - kRegionsNamedMax) : ""));
  }
}

void show_plan(const Arguments& arguments, const World& world, const fleet::Plan& plan, const fleet::Spec& spec) {
  std::string text = plan_text(plan, {spec.budget_usd_per_month});
  text.pop_back();  // the log ends the line
  if (world.ask && !arguments.has("--yes")) {
    log::error(text);
  } else {
    log::note(text);
  }
}

void tell_plan_problems(const fleet::Plan& plan) {
  for (const std::string& problem : plan_problems(plan)) {
    log::error(problem);
  }
}

Option change_poll_option() {
  return {"--poll", OptionKind::value, "TIME",
          "between two looks while something is waited for (default 3s, images 15s)"};
}

Option dry_run_option() {
  return {"--dry-run", OptionKind::flag, "", "show what would be done, change nothing"};
}

Result<fleet::ChangeOptions> change_options(const Arguments& arguments) {
  fleet::ChangeOptions options;
  if (const std::optional<std::string> poll = arguments.value("--poll")) {
    options.state_poll = TRY(parse_duration(*poll).with_context("reading --poll"));
    options.image_poll = options.state_poll;
    if (options.state_poll < Millis(50)) {
      return make_error(ErrorKind::invalid, "--poll: below 50ms the polls would use up the regions' request buckets");
    }
  }
  return options;
}

int change_exit_code(const fleet::ChangeOutcome& outcome, const fleet::Plan& plan) {
  if (outcome.exit_code == 130) {
    return 130;
  }
  const auto idle = std::count_if(plan.regions.begin(), plan.regions.end(), [](const fleet::RegionPlan& region) {
    return region.problem.empty() && region.steps.empty();
  });
  if (outcome.exit_code == 0) {
    return plan_exit_code(plan) == 0 ? 0 : 3;
  }
  // Regions that needed nothing are as they should be.
  return idle > 0 ? 3 : outcome.exit_code;
}

Result<int> change(const Arguments& arguments, World& world, const FleetSetup& setup, const fleet::Observed& observed,
                   const fleet::Plan& plan) {
  const bool json = TRY(wants_json(arguments));
  const fleet::ChangeOptions options = TRY(change_options(arguments));
  fleet::ChangeOutcome outcome;
  {
    ChangeProgress progress(world, plan);
    const std::stop_callback interrupted(world.stop, [&progress] {
      progress.tell(
          "interrupting: no new step is begun, and machines that were launched are stopped; a second signal waits for "
          "nothing and may leave them running until their boot timer");
    });
    outcome = fleet::carry_out(
        setup.session.deps(world), setup.spec, observed, plan, options,
        [&](const std::string& region, const fleet::StepOutcome& step) { progress.update(region, step); }, world.stop,
        world.hard_stop);
  }
  const int code = change_exit_code(outcome, plan);
  if (json) {
    Json report = change_to_json(outcome);
    report.set("exit_code", code);
    report.set("plan", to_json(plan));
    print(report.pretty() + "\n");
  } else {
    print(change_text(outcome));
  }
  tell_plan_problems(plan);
  const std::vector<std::string> told = plan_problems(plan);
  for (const std::string& problem : change_problems(outcome)) {
    if (std::find(told.begin(), told.end(), problem) == told.end()) {
      log::error(problem);
    }
  }
  if (code == 130) {
    log::note("interrupted: what the table calls done is done, the rest is not; the same command goes on from there");
  }
  return code;
}

}  // namespace parallax::cli
