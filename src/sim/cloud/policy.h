// IAM policy documents: read, checked as IAM checks them, and evaluated. Pure functions; who asks for what on which
// resource comes from identity.cc and authorization.cc.
//
// What is known: Allow and Deny, Action, NotAction, Resource, NotResource, Principal (in trust policies), Condition
// with the operators listed in policy_condition.cc, the wildcards * and ?, policy variables (${aws:username}, with a
// default:
// ${aws:username, 'nobody'}).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace parallax::sim {

// The condition context of a request: lower-cased key -> values. Keys are not case-sensitive in IAM, values are.
using ConditionKeys = std::map<std::string, std::vector<std::string>>;

struct Condition {
  enum class Set { single, for_all, for_any };
  std::string comparison;  // "StringEquals", without qualifier and IfExists
  Set set = Set::single;
  bool if_exists = false;
  std::string key;      // lower case
  std::string written;  // as the policy writes it
  std::vector<std::string> values;
};

// Who a trust policy's statement speaks of: type ("AWS", "Service", "Federated") -> names; "*" for everybody.
using PrincipalNames = std::map<std::string, std::vector<std::string>>;

struct Statement {
  std::string sid;
  bool allow = false;
  bool not_action = false;
  std::vector<std::string> actions;
  bool not_resource = false;
  std::vector<std::string> resources;
  PrincipalNames principals;
  std::vector<Condition> conditions;
};

struct Policy {
  std::string source;      // the policy's name, for SimulatePrincipalPolicy
  bool variables = false;  // Version 2012-10-17: ${...} is substituted
  std::vector<Statement> statements;
};

enum class PolicyUse { identity, trust };

// Error: MalformedPolicyDocument, worded as IAM does.
Result<Policy> parse_policy(std::string_view text, PolicyUse use);

// The document as it is stored and given back, beside what it means.
struct StoredPolicy {
  std::string text;
  Policy policy;
};

struct PolicyRequest {
  std::string action;    // "ec2:StartInstances"
  std::string resource;  // an ARN or "*"
  ConditionKeys keys;
};

// Who asks, for a trust policy: {"AWS": [arn, account, account's root arn]} or {"Service": ["ec2.amazonaws.com"]}.
using RequestPrincipal = PrincipalNames;

enum class Decision { implicit_deny, explicit_deny, allow };

struct Verdict {
  Decision decision = Decision::implicit_deny;
  const Policy* policy = nullptr;  // whose statement decided; nullptr for an implicit deny
  const Statement* statement = nullptr;
};

// An explicit deny in any policy wins, then any allow. Identity policies.
Verdict evaluate(const std::vector<const Policy*>& policies, const PolicyRequest& request);

// A trust policy: the statement must also name the principal. The verdict's statement tells how it was named.
Verdict evaluate_trust(const Policy& policy, const PolicyRequest& request, const RequestPrincipal& principal);

// One condition against the keys of a request; `variables` as in Policy.
bool condition_holds(const Condition& condition, const ConditionKeys& keys, bool variables);

// True where the comparison is one that condition_holds() knows.
bool known_comparison(std::string_view comparison);

// The keys that the policies look at and the request does not have; sorted. For SimulatePrincipalPolicy.
std::vector<std::string> missing_keys(const std::vector<const Policy*>& policies, const PolicyRequest& request);

enum class LetterCase { significant, ignored };

// A pattern of a policy, its variables substituted: characters, and wildcards kept apart from characters that come out
// of a variable, which are literal.
class PolicyPattern {
 public:
  // Empty where a variable has no value and no default: then nothing matches.
  static std::optional<PolicyPattern> make(std::string_view text, const ConditionKeys& keys, bool variables);

  bool matches(std::string_view text, LetterCase letter_case = LetterCase::significant) const;
  // Each of the six parts of an ARN for itself; missing parts of the pattern are "*".
  bool matches_arn(std::string_view arn) const;
  // Without wildcards: the text itself.
  std::string literal() const;

 private:
  static constexpr int kAny = -1;
  static constexpr int kOne = -2;

  static bool matches_from(const int* begin, const int* end, std::string_view text, LetterCase letter_case);

  std::vector<int> units_;
};

}  // namespace parallax::sim
