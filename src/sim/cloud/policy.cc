#include "sim/cloud/policy.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/operations.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kPolicyBytesMax = 131072;
constexpr JsonLimits kPolicyLimits{16, 20'000, kPolicyBytesMax};

Error malformed(std::string message) {
  return client_error("MalformedPolicyDocument", std::move(message));
}

// A string or a list of strings.
Result<std::vector<std::string>> strings_at(const Json& value) {
  std::vector<std::string> strings;
  if (const std::string* text = value.string()) {
    strings.push_back(*text);
    return strings;
  }
  const JsonArray* items = value.items();
  if (items == nullptr) {
    return malformed("Syntax errors in policy.");
  }
  for (const Json& item : *items) {
    if (item.string() == nullptr) {
      return malformed("Syntax errors in policy.");
    }
    strings.push_back(*item.string());
  }
  return strings;
}

// Condition values may also be numbers and booleans.
Result<std::vector<std::string>> condition_values(const Json& value) {
  const auto text_of = [](const Json& scalar) -> std::optional<std::string> {
    if (const std::string* text = scalar.string()) {
      return *text;
    }
    return scalar.is_bool() || scalar.is_number() ? std::optional<std::string>(scalar.dump()) : std::nullopt;
  };
  std::vector<std::string> values;
  const JsonArray single{value};
  for (const Json& item : value.items() == nullptr ? single : *value.items()) {
    const auto text = text_of(item);
    if (!text) {
      return malformed("Syntax errors in policy.");
    }
    values.push_back(*text);
  }
  return values;
}

Result<Condition> read_operator(std::string_view name) {
  Condition condition;
  for (const auto& [prefix, set] :
       {std::pair<std::string_view, Condition::Set>{"ForAllValues:", Condition::Set::for_all},
        {"ForAnyValue:", Condition::Set::for_any}}) {
    if (name.starts_with(prefix)) {
      condition.set = set;
      name.remove_prefix(prefix.size());
    }
  }
  condition.if_exists = name.ends_with("IfExists");
  if (condition.if_exists) {
    name.remove_suffix(std::string_view("IfExists").size());
  }
  if (!known_comparison(name) || (name == "Null" && condition.if_exists)) {
    return malformed(fmt::format("Invalid Condition type : {}.", name));
  }
  condition.comparison = name;
  return condition;
}

Result<std::vector<Condition>> read_conditions(const Json& block) {
  std::vector<Condition> conditions;
  const JsonObject* operators = block.members();
  if (operators == nullptr) {
    return malformed("Syntax errors in policy.");
  }
  for (const auto& [name, keys] : *operators) {
    const Condition shape = TRY(read_operator(name));
    if (!keys.is_object()) {
      return malformed("Syntax errors in policy.");
    }
    for (const auto& [key, values] : *keys.members()) {
      if (key.find(':') == std::string::npos) {
        return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
      }
      Condition condition = shape;
      condition.key = to_lower(key);
      condition.written = key;
      condition.values = TRY(condition_values(values));
      conditions.push_back(std::move(condition));
    }
  }
  return conditions;
}

Result<> read_actions(const Json& json, Statement& statement) {
  const Json* action = json.find("Action");
  const Json* not_action = json.find("NotAction");
  if ((action == nullptr) == (not_action == nullptr)) {
    return malformed(action == nullptr ? "Policy statement must contain actions." : "Syntax errors in policy.");
  }
  statement.not_action = action == nullptr;
  statement.actions = TRY(strings_at(action == nullptr ? *not_action : *action));
  if (statement.actions.empty()) {
    return malformed("Policy statement must contain actions.");
  }
  for (const std::string& name : statement.actions) {
    if (name != "*" && name.find(':') == std::string::npos) {
      return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    }
  }
  return {};
}

Result<> read_resources(const Json& json, Statement& statement) {
  const Json* resource = json.find("Resource");
  const Json* not_resource = json.find("NotResource");
  if ((resource == nullptr) == (not_resource == nullptr)) {
    return malformed(resource == nullptr ? "Policy statement must contain resources." : "Syntax errors in policy.");
  }
  statement.not_resource = resource == nullptr;
  statement.resources = TRY(strings_at(resource == nullptr ? *not_resource : *resource));
  if (statement.resources.empty()) {
    return malformed("Policy statement must contain resources.");
  }
  for (const std::string& name : statement.resources) {
    if (name != "*" && !name.starts_with("arn:") && name.find("${") != 0) {
      return malformed(fmt::format("Resource {} must be in ARN format or \"*\".", name));
    }
  }
  return {};
}

Result<> read_principals(const Json& json, Statement& statement) {
  const Json* principal = json.find("Principal");
  if (json.find("NotPrincipal") != nullptr) {
    return malformed("NotPrincipal is not simulated.");
  }
  if (principal == nullptr) {
    return malformed("Missing required field Principal");
  }
  if (principal->string() != nullptr && *principal->string() == "*") {
    statement.principals["AWS"] = {"*"};
    return {};
  }
  const JsonObject* types = principal->members();
  if (types == nullptr) {
    return malformed("Invalid principal in policy.");
  }
  for (const auto& [type, names] : *types) {
    if (type != "AWS" && type != "Service" && type != "Federated") {
      return malformed(fmt::format("Invalid principal in policy: {}", type));
    }
    statement.principals[type] = TRY(strings_at(names));
  }
  return {};
}

Result<> check_trust_actions(const Statement& statement) {
  static constexpr std::array<std::string_view, 7> kActions = {
      "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
      "sts:tagsession", "sts:setsourceidentity",  "sts:setcontext",
      "sts:*"};
  const bool fit = std::ranges::all_of(statement.actions, [](const std::string& action) {
    return std::ranges::find(kActions, to_lower(action)) != kActions.end();
  });
  return fit && !statement.not_action ? Result<>()
                                      : malformed("AssumeRole policy may only specify STS AssumeRole actions.");
}

Result<Statement> read_statement(const Json& json, PolicyUse use) {
  static constexpr std::array<std::string_view, 9> kFields = {
      "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"};
  const JsonObject* members = json.members();
  if (members == nullptr) {
    return malformed("Syntax errors in policy.");
  }
  for (const auto& [name, value] : *members) {
    if (std::ranges::find(kFields, name) == kFields.end()) {
      return malformed("Syntax errors in policy.");
    }
  }
  Statement statement;
  statement.sid = json.text("Sid");
  const std::string effect = json.text("Effect");
  if (effect != "Allow" && effect != "Deny") {
    return malformed(effect.empty() ? "Syntax errors in policy." : fmt::format("Invalid effect: {}", effect));
  }
  statement.allow = effect == "Allow";
  TRY(read_actions(json, statement));
  if (use == PolicyUse::identity) {
    if (json.find("Principal") != nullptr || json.find("NotPrincipal") != nullptr) {
      return malformed("Policy document should not specify a principal.");
    }
    TRY(read_resources(json, statement));
  } else {
    if (json.find("Resource") != nullptr || json.find("NotResource") != nullptr) {
      return malformed("Has prohibited field Resource");
    }
    TRY(read_principals(json, statement));
    TRY(check_trust_actions(statement));
  }
  if (const Json* condition = json.find("Condition")) {
    statement.conditions = TRY(read_conditions(*condition));
  }
  return statement;
}

bool action_matches(const Statement& statement, const PolicyRequest& request) {
  const bool any = std::ranges::any_of(statement.actions, [&](const std::string& action) {
    return PolicyPattern::make(action, {}, false)->matches(request.action, LetterCase::ignored);
  });
  return any != statement.not_action;
}

bool resource_matches(const Policy& policy, const Statement& statement, const PolicyRequest& request) {
  const bool any = std::ranges::any_of(statement.resources, [&](const std::string& resource) {
    const auto pattern = PolicyPattern::make(resource, request.keys, policy.variables);
    return pattern && (request.resource == "*" ? pattern->literal() == "*" : pattern->matches_arn(request.resource));
  });
  return any != statement.not_resource;
}

bool conditions_hold(const Policy& policy, const Statement& statement, const PolicyRequest& request) {
  return std::ranges::all_of(statement.conditions,
                             [&](const Condition& c) { return condition_holds(c, request.keys, policy.variables); });
}

bool principal_matches(const Statement& statement, const RequestPrincipal& principal) {
  return std::ranges::any_of(statement.principals, [&](const auto& entry) {
    const auto asked = principal.find(entry.first);
    return asked != principal.end() && std::ranges::any_of(entry.second, [&](const std::string& name) {
             return name == "*" || std::ranges::find(asked->second, name) != asked->second.end();
           });
  });
}

template <typename Applies>
void apply(const Policy& policy, const Applies& applies, Verdict& verdict) {
  for (const Statement& statement : policy.statements) {
    if (verdict.decision == Decision::explicit_deny) {
      return;
    }
    if ((!statement.allow || verdict.decision == Decision::implicit_deny) && applies(policy, statement)) {
      verdict = {statement.allow ? Decision::allow : Decision::explicit_deny, &policy, &statement};
    }
  }
}

}  // namespace

Result<Policy> parse_policy(std::string_view text, PolicyUse use) {
  const Result<Json> json = parse_json(text, kPolicyLimits);
  if (!json || !json->is_object()) {
    return malformed("This policy contains invalid Json");
  }
  for (const auto& [name, value] : *json->members()) {
    if (name != "Version" && name != "Id" && name != "Statement") {
      return malformed("Syntax errors in policy.");
    }
  }
  const std::string version = json->text("Version", "2008-10-17");
  if (version != "2012-10-17" && version != "2008-10-17") {
    return malformed("Policy document must be version 2012-10-17 or greater.");
  }
  const Json* statements = json->find("Statement");
  if (statements == nullptr || (!statements->is_object() && !statements->is_array())) {
    return malformed("Syntax errors in policy.");
  }
  Policy policy;
  policy.variables = version == "2012-10-17";
  std::set<std::string> sids;
  const JsonArray single{*statements};
  for (const Json& statement : statements->is_object() ? single : *statements->items()) {
    policy.statements.push_back(TRY(read_statement(statement, use)));
    const std::string& sid = policy.statements.back().sid;
    if (!sid.empty() && !sids.insert(sid).second) {
      return malformed("Statement IDs (SID) in a single policy must be unique.");
    }
  }
  if (policy.statements.empty()) {
    return malformed("Syntax errors in policy.");
  }
  return policy;
}

Verdict evaluate(const std::vector<const Policy*>& policies, const PolicyRequest& request) {
  Verdict verdict;
  for (const Policy* policy : policies) {
    apply(
        *policy,
        [&](const Policy& p, const Statement& s) {
          return action_matches(s, request) && resource_matches(p, s, request) && conditions_hold(p, s, request);
        },
        verdict);
  }
  return verdict;
}

Verdict evaluate_trust(const Policy& policy, const PolicyRequest& request, const RequestPrincipal& principal) {
  Verdict verdict;
  apply(
      policy,
      [&](const Policy& p, const Statement& s) {
        return action_matches(s, request) && principal_matches(s, principal) && conditions_hold(p, s, request);
      },
      verdict);
  return verdict;
}

std::vector<std::string> missing_keys(const std::vector<const Policy*>& policies, const PolicyRequest& request) {
  std::set<std::string> missing;
  for (const Policy* policy : policies) {
    for (const Statement& statement : policy->statements) {
      for (const Condition& condition : statement.conditions) {
        if (action_matches(statement, request) && !request.keys.contains(condition.key)) {
          missing.insert(condition.written);
        }
      }
    }
  }
  return {missing.begin(), missing.end()};
}

}  // namespace parallax::sim
