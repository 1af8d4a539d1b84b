#include <fmt/format.h>

#include "fleet/costs.h"
#include "fleet/plan_region.h"

namespace parallax::fleet {

namespace {

// Known parts that are over the budget alone are enough to say so.
void check_budget(const Spec& spec, Plan& plan) {
  if (!spec.budget_usd_per_month) {
    return;
  }
  MonthlySum rest;
  MonthlySum running;
  for (const RegionPlan& region : plan.regions) {
    rest.add(region.usd_per_month_at_rest);
    running.add(region.usd_per_month_running);
  }
  const double sum = rest.known_part() + running.known_part();
  if (sum > *spec.budget_usd_per_month) {
    const bool all = rest.all_known() && running.all_known();
    plan.drift.push_back(
        {"", "",
         fmt::format("the budget is {} a month, and this costs {}up to {}: {} at rest, and {} for {:g} rounds a day as "
                     "long as the job's time-out of {}",
                     money(spec.budget_usd_per_month), all ? "" : "more than what is known of it, ", money(sum),
                     money(rest.known_part()), money(running.known_part()), spec.rounds_per_day,
                     to_human(spec.job_timeout)),
         false});
  }
}

// Nobody asked IAM: a check of a fleet to which nothing lacks.
bool needs_profile(const Observed& observed) {
  return observed.profile.has_value() || observed.profile_problem.has_value();
}

}  // namespace

Plan plan_apply(const Spec& spec, const Observed& observed) {
  Plan plan = begin_plan(PlanKind::apply, spec, observed);
  if (!plan.problem.empty()) {
    return plan;
  }
  const std::string account_problem = needs_profile(observed) ? plan_account(spec, observed, plan) : "";
  plan.regions.reserve(observed.regions.size());
  for (const RegionSeen& seen : observed.regions) {
    plan.regions.push_back(RegionPlanner(spec, observed, seen, account_problem).plan());
  }
  check_budget(spec, plan);
  seal(spec, observed, plan);
  return plan;
}

}  // namespace parallax::fleet
