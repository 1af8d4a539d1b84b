// Who may do what: access keys, principals, and the decision whether a call is carried out. What is evaluated and what
// not: docs/internals/simulated-iam.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/iam_state.h"
#include "sim/cloud/operations.h"

namespace parallax::sim {

// The second well-known key, whose user has the policy of CloudOptions::policy and no other right.
constexpr std::string_view kLimitedAccessKey = "AKIAPARALLAXSIM00002";
constexpr std::string_view kLimitedSecret = "parallax-simulated-secret-2";

// What the account holds when it begins: the well-known users, AWS's managed policies and, where the world has a fleet,
// its role and instance profile. Draws no random number.
void build_iam(World& world);

// The instance profile, and its role, of the machines that are there from the start: in the reference's world the one
// that its scripts name.
std::string fleet_profile(const CloudOptions& options);

// Active or not, expired or not: the caller compares. nullptr for an id that nobody has.
const AccessKey* find_access_key(const World& world, std::string_view id);

// The price list has three homes. (IAM has one, but an SDK that was told an endpoint signs for the region of its own
// settings, so IAM takes them all here.) Error: as the service refuses another region in the credential scope.
Result<> check_service_region(const Call& call);

// Whether identity policies let the principal make this call: an explicit deny wins, then any allow, on every resource
// that the call touches (authorization.cc has the table). The error is worded as the service does (aws-facts 1.4):
// UnauthorizedOperation with an encoded message for EC2, else AccessDenied or AccessDeniedException.
Result<> authorize(Context& context, const Principal& principal, const Call& call, const Json& input);

// The documents that speak for a principal, session policies apart. Empty when the user or role is gone.
std::vector<const Policy*> policies_of(const World& world, const Principal& principal);

// What narrows them: the permissions boundary and the session policy. Each must allow as well.
std::vector<const Policy*> narrowing_policies(const World& world, const Principal& principal);

// All of these together.
Verdict decide(const World& world, const Principal& principal, const PolicyRequest& request);

// Keys that every request has: aws:PrincipalArn, aws:username, aws:RequestedRegion, aws:CurrentTime...
ConditionKeys principal_keys(const World& world, const Principal& principal, const std::string& region);

// The refusal of `service` for this action and resource.
Error access_denied(const std::string& service, const Principal& principal, const PolicyRequest& request,
                    const Verdict& verdict);

// What DecodeAuthorizationMessage decodes. Error: InvalidAuthorizationMessageException.
Result<std::string> decode_authorization_message(std::string_view encoded);

// A principal for this user or role, as an access key of it would give.
Principal user_principal(const IamUser& user);
Principal role_principal(const IamRole& role, const std::string& session_name);

// The service's own doing in the name of a role, such as a schedule's: like the role's session.
// Error: AccessDenied where the role's trust policy does not name the service ("scheduler.amazonaws.com").
Result<Principal> assume_as_service(World& world, const std::string& role_arn, std::string_view service);

// Instance profiles as EC2 sees them, by name or ARN.
// Error: InvalidParameterValue while this region has not learnt of a new profile, and for an unknown one.
Result<> profile_usable(World& world, const RegionState& region, std::string_view name_or_arn);
// "" for an unknown one.
std::string profile_arn(const World& world, std::string_view name_or_arn);
std::string profile_id(const World& world, std::string_view name_or_arn);

std::string iam_arn(std::string_view kind, std::string_view path_and_name);  // "arn:aws:iam::ACCOUNT:role/x"
// "AROA" and 17 random characters.
std::string iam_id(World& world, std::string_view prefix, std::size_t length = 21);
std::string random_text(World& world, std::size_t length);

}  // namespace parallax::sim
