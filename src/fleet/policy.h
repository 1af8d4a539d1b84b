// Least-privilege IAM policies: what each command may do and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "fleet/spec.h"

namespace parallax::fleet {

// Who needs the policy. `machine`: the role of the fleet's instances. `scheduler`: the role that EventBridge Scheduler
// stops instances with.
enum class PolicyFor { setup, run, check, clear, adopt, machine, scheduler };

Result<PolicyFor> parse_policy_for(std::string_view word);
std::string_view to_string(PolicyFor whom);

// A policy document, "Version": "2012-10-17", each statement with a Sid that says what it is for. `partition` as in
// "arn:aws:".
Json policy_document(const Spec& spec, PolicyFor whom, const std::string& account, const std::string& partition);

// Who may assume the role: the trust policy of `machine` and `scheduler`.
Json trust_document(PolicyFor whom, const std::string& account, const std::string& partition);

}  // namespace parallax::fleet
