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
      ChangeWork work(context, changes[i]);
      work.run();
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

}  // namespace

ChangeOutcome carry_out(const FleetDeps& deps, const Spec& spec, const Observed& observed, const Plan& plan,
                        const ChangeOptions& options, const ChangeObserver& observe, std::stop_token stop,
                        std::stop_token hard_stop) {
  const ChangeContext context{deps, spec, observed, plan, options, observe, stop, hard_stop};
  std::vector<RegionChange> account;
  if (!plan.steps.empty()) {
    account.push_back(begin_of("", plan.steps));
  }
  std::vector<RegionChange> regions;
  for (const RegionPlan& region : plan.regions) {
    regions.push_back(begin_of(region.region, region.steps));
    const std::string& problem = plan.problem.empty() ? region.problem : plan.problem;
    if (!problem.empty()) {
      leave(regions.back(), problem, observe);
    }
  }
  ChangeOutcome outcome;
  if (!plan.problem.empty() && !account.empty()) {
    leave(account.front(), plan.problem, observe);
  }
  // A role is made before machines that bear it, and deleted after them.
  const bool account_last = plan.kind == PlanKind::clear;
  if (!account_last) {
    carry_out_regions(context, account, outcome.left_running);
    if (!all_went_well(account)) {
      for (RegionChange& region : regions) {
        if (region.problem.empty() && !region.steps.empty()) {
          leave(region, "what the account needs first failed", observe);
        }
      }
    }
  }
  carry_out_regions(context, regions, outcome.left_running);
  if (account_last && !account.empty()) {
    if (!all_went_well(regions)) {
      leave(account.front(), "not everything of the regions was deleted", observe);
    }
    carry_out_regions(context, account, outcome.left_running);
  }
  if (const std::string unseen = unseen_account(context); account.empty() && !unseen.empty()) {
    account.push_back(begin_of("", {}));
    account.front().problem = unseen;
  }
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
