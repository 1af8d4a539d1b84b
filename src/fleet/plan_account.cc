// Role, instance profile and the scheduler's role.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/json.h"
#include "fleet/lease.h"
#include "fleet/plan_parts.h"
#include "fleet/policy.h"

namespace parallax::fleet {

namespace {

// As JSON values: blanks and the order of members mean nothing.
bool is_same_document(const std::string& text, const Json& wanted) {
  const Result<Json> document = parse_json(text);
  return document && document->canonical() == wanted.canonical();
}

// What differs from our role; empty where nothing does.
std::vector<std::string> role_drift(const Spec& spec, const Observed& observed, const ProfileSeen& seen,
                                    PolicyFor whom) {
  std::vector<std::string> differs;
  if (!is_same_document(seen.trust, trust_document(whom, observed.account, observed.partition))) {
    differs.emplace_back("who may assume it is not what we wrote");
  }
  const auto ours = seen.inline_policies.find(kRolePolicyName);
  if (ours == seen.inline_policies.end()) {
    differs.emplace_back("it has no policy of ours");
  } else if (!is_same_document(ours->second, policy_document(spec, whom, observed.account, observed.partition))) {
    differs.emplace_back("its policy is not what we wrote");
  }
  for (const auto& [name, document] : seen.inline_policies) {
    if (name != kRolePolicyName) {
      differs.push_back(fmt::format("it has the policy {} too, which is taken away", name));
    }
  }
  for (const std::string& arn : seen.attached_policies) {
    differs.push_back(fmt::format("it has {} attached, which is taken away", arn));
  }
  return differs;
}

Step& add(Plan& plan, StepKind kind, ResourceKind resource, const std::string& name, std::string why) {
  Step step;
  step.kind = kind;
  step.resource = resource;
  step.name = name;
  step.why = std::move(why);
  step.usd_per_month = 0;
  plan.steps.push_back(std::move(step));
  return plan.steps.back();
}

struct RoleSteps {
  StepKind make, repair;
  PolicyFor whom;
};

std::string not_ours(const Tags& tags) {
  const auto fleet = tags.find(kFleetTag);
  return fmt::format("{}: name an instance profile of your own by [fleet] instance_profile",
                     fleet == tags.end() ? "exists without our tag" : "belongs to the fleet " + fleet->second);
}

// Returns why it cannot be used.
std::string plan_role(const Spec& spec, const Observed& observed, const ProfileSeen& seen, const std::string& name,
                      const RoleSteps& kinds, Plan& plan) {
  if (!seen.role_exists) {
    add(plan, kinds.make, ResourceKind::role, name, "there is none");
    return "";
  }
  if (!is_ours(seen.role_tags, spec.fleet)) {
    std::string problem = fmt::format("the role {} {}", name, not_ours(seen.role_tags));
    plan.drift.push_back({"", name, problem, false});
    return problem;
  }
  const std::vector<std::string> differs = role_drift(spec, observed, seen, kinds.whom);
  if (!differs.empty()) {
    const std::string text = fmt::format("{}", fmt::join(differs, "; "));
    plan.drift.push_back({"", name, fmt::format("role {}: {}", name, text), true});
    add(plan, kinds.repair, ResourceKind::role, name, text).id = name;
  }
  return "";
}

std::string plan_our_profile(const Spec& spec, const Observed& observed, const ProfileSeen& seen, Plan& plan) {
  const std::string& name = spec.profile.name;
  std::string problem =
      plan_role(spec, observed, seen, name, {StepKind::make_role, StepKind::repair_role, PolicyFor::machine}, plan);
  if (!problem.empty()) {
    return problem;
  }
  if (!seen.profile_exists) {
    add(plan, StepKind::make_profile, ResourceKind::profile, name, "there is none");
    add(plan, StepKind::fill_profile, ResourceKind::profile, name, "it is new");
    return "";
  }
  if (!is_ours(seen.profile_tags, spec.fleet)) {
    problem = fmt::format("the instance profile {} {}", name, not_ours(seen.profile_tags));
    plan.drift.push_back({"", name, problem, false});
    // A role for a profile that is not ours helps nobody.
    plan.steps.clear();
    return problem;
  }
  if (!seen.role_in_profile) {
    const bool other = !seen.role_name.empty() && seen.role_name != name;
    if (other) {
      problem = fmt::format("the instance profile {} holds the role {}, not ours: take it out", name, seen.role_name);
      plan.drift.push_back({"", name, problem, false});
      return problem;
    }
    if (seen.role_exists) {
      plan.drift.push_back({"", name, fmt::format("the instance profile {} holds no role", name), true});
    }
    add(plan, StepKind::fill_profile, ResourceKind::profile, name, "it holds no role").id = name;
  }
  return "";
}

// Somebody else's is looked at and never changed.
std::string look_at_named_profile(const Spec& spec, const ProfileSeen& seen, Plan& plan) {
  std::string problem;
  if (!seen.profile_exists) {
    problem = fmt::format("there is no instance profile {}, which [fleet] instance_profile names", spec.profile.name);
  } else if (!seen.role_in_profile) {
    problem = fmt::format("the instance profile {} holds no role, so the agents on the machines could not register",
                          spec.profile.name);
  }
  if (!problem.empty()) {
    plan.drift.push_back({"", spec.profile.name, problem, false});
  }
  return problem;
}

}  // namespace

std::string plan_account(const Spec& spec, const Observed& observed, Plan& plan) {
  if (observed.profile_problem) {
    std::string problem =
        fmt::format("role and instance profile could not be looked at: {}", observed.profile_problem->text());
    plan.drift.push_back({"", spec.profile.name, problem, false});
    return problem;
  }
  if (!observed.profile) {
    return "";
  }
  std::string problem = spec.profile.ours ? plan_our_profile(spec, observed, *observed.profile, plan)
                                          : look_at_named_profile(spec, *observed.profile, plan);
  if (spec.deadman == Deadman::guest_and_scheduler && observed.scheduler_role) {
    const std::string other =
        plan_role(spec, observed, *observed.scheduler_role, scheduler_role(spec.fleet),
                  {StepKind::make_scheduler_role, StepKind::repair_scheduler_role, PolicyFor::scheduler}, plan);
    problem = problem.empty() ? other : problem;
  }
  return problem;
}

}  // namespace parallax::fleet
