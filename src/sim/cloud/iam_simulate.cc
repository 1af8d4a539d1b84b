// SimulatePrincipalPolicy and SimulateCustomPolicy: the evaluation itself, for contexts that the caller describes.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/iam_common.h"

namespace parallax::sim {

namespace {

// Policies of the request live as long as it.
struct Simulation {
  std::vector<StoredPolicy> given;
  std::vector<StoredPolicy> boundaries;
  std::vector<const Policy*> policies;
  std::vector<const Policy*> narrowing;
  ConditionKeys keys;
};

std::string_view decision_text(Decision decision) {
  switch (decision) {
    case Decision::allow:
      return "allowed";
    case Decision::explicit_deny:
      return "explicitDeny";
    case Decision::implicit_deny:
      break;
  }
  return "implicitDeny";
}

Result<std::vector<StoredPolicy>> read_policies(const Json& input, std::string_view member) {
  std::vector<StoredPolicy> policies;
  for (const std::string& text : strings_of(input, member)) {
    Result<Policy> policy = parse_policy(text, PolicyUse::identity);
    if (!policy) {
      return client_error("InvalidInput", fmt::format("Invalid Input {}", policy.error().message));
    }
    policy->source = fmt::format("{}.{}", member, policies.size() + 1);
    policies.push_back({text, *std::move(policy)});
  }
  return policies;
}

Result<> prepare(Simulation& simulation, const Json& input) {
  for (const std::string_view member : {"ResourcePolicy", "ResourceOwner", "ResourceHandlingOption"}) {
    if (input.find(member) != nullptr) {
      // Nothing here has a resource policy; an answer without it would be wrong.
      return client_error("InvalidInput", fmt::format("Invalid Input {} is not simulated", member));
    }
  }
  simulation.given = TRY(read_policies(input, "PolicyInputList"));
  simulation.boundaries = TRY(read_policies(input, "PermissionsBoundaryPolicyInputList"));
  for (const StoredPolicy& stored : simulation.given) {
    simulation.policies.push_back(&stored.policy);
  }
  for (const StoredPolicy& stored : simulation.boundaries) {
    simulation.narrowing.push_back(&stored.policy);
  }
  for (const Json& entry : input.list("ContextEntries")) {
    simulation.keys[to_lower(entry.text("ContextKeyName"))] = strings_of(entry, "ContextKeyValues");
  }
  return {};
}

Json result_json(const Simulation& simulation, const std::string& action, const std::string& resource) {
  PolicyRequest request{action, resource, simulation.keys};
  Verdict verdict = evaluate(simulation.policies, request);
  for (const Policy* policy : simulation.narrowing) {
    const Verdict narrowed = evaluate({policy}, request);
    if (verdict.decision == Decision::allow && narrowed.decision != Decision::allow) {
      verdict = narrowed;
    }
  }
  JsonArray matched;
  if (verdict.policy != nullptr) {
    matched.push_back(Json::object({{"SourcePolicyId", verdict.policy->source}, {"SourcePolicyType", "IAM Policy"}}));
  }
  JsonArray missing;
  for (const std::string& key : missing_keys(simulation.policies, request)) {
    missing.emplace_back(key);
  }
  return Json::object({{"EvalActionName", action},
                       {"EvalResourceName", resource},
                       {"EvalDecision", decision_text(verdict.decision)},
                       {"MatchedStatements", std::move(matched)},
                       {"MissingContextValues", std::move(missing)}});
}

Result<Json> simulate(const Simulation& simulation, const Json& input) {
  std::vector<std::string> resources = strings_of(input, "ResourceArns");
  if (resources.empty()) {
    resources.emplace_back("*");
  }
  std::vector<Json> results;
  for (const std::string& action : strings_of(input, "ActionNames")) {
    if (action.find(':') == std::string::npos || action.find('*') != std::string::npos) {
      return client_error("InvalidInput", fmt::format("Invalid Input {} is not an action", action));
    }
    for (const std::string& resource : resources) {
      results.push_back(result_json(simulation, action, resource));
    }
  }
  return iam_page("Simulate", "EvaluationResults", std::move(results), input);
}

Result<Json> simulate_custom(Context& /*context*/, const Json& input) {
  Simulation simulation;
  TRY(prepare(simulation, input));
  return simulate(simulation, input);
}

Result<Json> simulate_principal(Context& context, const Json& input) {
  const World& world = context.world;
  const std::string arn = input.text("PolicySourceArn");
  std::optional<Principal> source;
  for (const auto& [name, role] : world.iam.roles) {
    if (role.arn == arn) {
      source = role_principal(role, "simulated");
    }
  }
  for (const auto& [name, user] : world.iam.users) {
    if (user.arn == arn) {
      source = user_principal(user);
    }
  }
  if (!source) {
    return no_such_entity(fmt::format("{} does not exist", arn));
  }
  Simulation simulation;
  TRY(prepare(simulation, input));
  for (const Policy* policy : policies_of(world, *source)) {
    simulation.policies.push_back(policy);
  }
  for (const Policy* policy : narrowing_policies(world, *source)) {
    simulation.narrowing.push_back(policy);
  }
  for (const auto& [key, values] : principal_keys(world, *source, context.region.name)) {
    // What depends on the request is the caller's to give.
    if (key.starts_with("aws:principal") || key == "aws:username" || key == "aws:userid" || key == "aws:currenttime" ||
        key == "aws:epochtime") {
      simulation.keys.try_emplace(key, values);
    }
  }
  return simulate(simulation, input);
}

}  // namespace

std::vector<OperationEntry> iam_simulate_operations() {
  return {{"SimulateCustomPolicy", simulate_custom}, {"SimulatePrincipalPolicy", simulate_principal}};
}

}  // namespace parallax::sim
