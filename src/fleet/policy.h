// Least-privilege IAM policies: what each command may do and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "fleet/spec.h"

namespace parallax::fleet {

// Names that policies, plan and change agree on. The machine's role bears the name of its profile (ProfileSpec).
inline constexpr const char* kRolePolicyName = "parallax";  // of the inline policy of our roles
inline constexpr const char* kScheduleGroup = "default";

// Characters of a customer-managed policy, white space not counted. (IAM quotas)
inline constexpr std::size_t kManagedPolicyMax = 6144;

// Who needs the policy. `machine`: the role of the fleet's instances. `scheduler`: the role that EventBridge Scheduler
// stops instances with.
enum class PolicyFor { setup, run, check, clear, adopt, machine, scheduler };

inline constexpr PolicyFor kPolicies[] = {PolicyFor::setup, PolicyFor::run,     PolicyFor::check,    PolicyFor::clear,
                                          PolicyFor::adopt, PolicyFor::machine, PolicyFor::scheduler};

// Error: invalid, listing the words.
Result<PolicyFor> parse_policy_for(std::string_view word);
std::string_view to_string(PolicyFor whom);

// A policy document, "Version": "2012-10-17", each statement with a Sid that says what it is for. `partition` as in
// "arn:aws:". What the specification does not ask for (an image's copy, a key pair, a schedule, a role of ours) is not
// allowed in `setup`; `clear` may delete all that an earlier specification may have made.
Json policy_document(const Spec& spec, PolicyFor whom, const std::string& account, const std::string& partition);

// The same statements in as few documents as managed policies hold, each at most kManagedPolicyMax long: one but for
// names that are long. To be attached together.
std::vector<Json> policy_parts(const Spec& spec, PolicyFor whom, const std::string& account,
                               const std::string& partition);

// Who may assume the role: the trust policy of `machine` and `scheduler`.
Json trust_document(PolicyFor whom, const std::string& account, const std::string& partition);

}  // namespace parallax::fleet
