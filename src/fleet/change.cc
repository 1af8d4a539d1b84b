#include "fleet/change.h"

#include <algorithm>

#include <fmt/format.h>

#include "fleet/change_work.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

RegionChange begin_of(const std::string& region, const std::vector<Step>& steps) {
  RegionChange change;
  change.region = region;
  for (const Step& step : steps) {
    StepOutcome outcome;
    outcome.step = step;
    change.steps.push_back(std::move(outcome));
  }
  return change;
}

void leave(RegionChange& change, const std::string& problem, const ChangeObserver& observe) {
  change.problem = problem;
  for (StepOutcome& outcome : change.steps) {
    outcome.state = StepState::left;
    if (observe) {
      observe(change.region, outcome);
    }
  }
}

bool all_went_well(const std::vector<RegionChange>& changes) {
  return std::all_of(changes.begin(), changes.end(), [](const RegionChange& change) { return change.problem.empty(); });
}

// A clear of the whole fleet that could not look at the account's part has not cleared it, though nothing of it is
// planned.
std::string unseen_account(const ChangeContext& context) {
  const std::optional<Error>& problem = context.observed.profile_problem;
  const std::vector<RegionPlan>& planned = context.plan.regions;
  const bool whole =
      std::all_of(context.spec.regions.begin(), context.spec.regions.end(), [&](const std::string& region) {
        return std::any_of(planned.begin(), planned.end(),
                           [&](const RegionPlan& plan) { return plan.region == region; });
      });
  if (context.plan.kind != PlanKind::clear || !problem || !context.spec.profile.ours || !whole) {
    return "";
  }
  return fmt::format("role and instance profile could not be looked at: {}", problem->text());
}

void carry_out_regions(const ChangeContext& context, std::vector<RegionChange>& changes,
                       std::vector<std::string>& left_running) {
  std::vector<std::vector<std::string>> left(changes.size());
  for_each_task(context.deps.executor, "change", changes.size(), [&](std::size_t i) {
    if (changes[i].problem.empty()) {
      const Monotonic begin = context.deps.clock.monotonic();
      ChangeWork work(context, changes[i]);
      work.run();
      changes[i].took = context.deps.clock.monotonic() - begin;
      left[i] = work.left_running();
    }
  });
  for (const std::vector<std::string>& lines : left) {
    left_running.insert(left_running.end(), lines.begin(), lines.end());
  }
}

int exit_code_of(const ChangeOutcome& outcome, bool was_interrupted) {
  if (was_interrupted) {
    return 130;
  }
  if (!outcome.left_running.empty()) {
    return 1;
  }
  const auto failed = std::count_if(outcome.regions.begin(), outcome.regions.end(),
                                    [](const RegionChange& change) { return !change.problem.empty(); });
  if (failed == 0) {
    return 0;
  }
  return failed == static_cast<std::ptrdiff_t>(outcome.regions.size()) ? 1 : 3;
}

std::vector<RegionChange> begin_of_regions(const ChangeContext& context) {
  std::vector<RegionChange> regions;
  for (const RegionPlan& plan : context.plan.regions) {
    regions.push_back(begin_of(plan.region, plan.steps));
    const std::string& problem = context.plan.problem.empty() ? plan.problem : context.plan.problem;
    if (!problem.empty()) {
      leave(regions.back(), problem, context.observe);
    }
  }
  return regions;
}

std::vector<RegionChange> begin_of_account(const ChangeContext& context) {
  std::vector<RegionChange> account;
  if (!context.plan.steps.empty()) {
    account.push_back(begin_of("", context.plan.steps));
    if (!context.plan.problem.empty()) {
      leave(account.front(), context.plan.problem, context.observe);
    }
  } else if (std::string unseen = unseen_account(context); !unseen.empty()) {
    account.push_back(begin_of("", {}));
    account.front().problem = std::move(unseen);
  }
  return account;
}

// A role is made before machines that bear it, and deleted after them.
void carry_out_all(const ChangeContext& context, std::vector<RegionChange>& account, std::vector<RegionChange>& regions,
                   std::vector<std::string>& left_running) {
  if (context.plan.kind == PlanKind::clear) {
    carry_out_regions(context, regions, left_running);
    if (!all_went_well(regions) && !account.empty() && account.front().problem.empty()) {
      leave(account.front(), "not everything of the regions was deleted", context.observe);
    }
    carry_out_regions(context, account, left_running);
    return;
  }
  carry_out_regions(context, account, left_running);
  if (!all_went_well(account)) {
    for (RegionChange& region : regions) {
      if (region.problem.empty() && !region.steps.empty()) {
        leave(region, "what the account needs first failed", context.observe);
      }
    }
  }
  carry_out_regions(context, regions, left_running);
}

}  // namespace

ChangeOutcome carry_out(const FleetDeps& deps, const Spec& spec, const Observed& observed, const Plan& plan,
                        const ChangeOptions& options, const ChangeObserver& observe, std::stop_token stop,
                        std::stop_token hard_stop) {
  const ChangeContext context{deps, spec, observed, plan, options, observe, stop, std::move(hard_stop)};
  std::vector<RegionChange> account = begin_of_account(context);
  std::vector<RegionChange> regions = begin_of_regions(context);
  ChangeOutcome outcome;
  carry_out_all(context, account, regions, outcome.left_running);
  outcome.regions = std::move(account);
  outcome.regions.insert(outcome.regions.end(), std::make_move_iterator(regions.begin()),
                         std::make_move_iterator(regions.end()));
  outcome.exit_code = exit_code_of(outcome, stop.stop_requested());
  if (!plan.problem.empty() && outcome.exit_code != 130) {
    outcome.exit_code = 1;
  }
  return outcome;
}

}  // namespace parallax::fleet
