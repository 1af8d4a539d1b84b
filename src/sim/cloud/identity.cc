#include "sim/cloud/identity.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "sim/cloud/authorization.h"

namespace parallax::sim {

namespace {

// Tells a message of ours from any other text. It keeps nothing secret: the simulator has no secrets.
constexpr std::string_view kMessageKey = "parallax simulated authorization message";
constexpr std::size_t kMessageTag = 32;

template <typename Map>
const typename Map::mapped_type* find_in(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

const IamEntity* entity_of(const World& world, const Principal& principal) {
  const IamEntity* entity = principal.kind == PrincipalKind::role_session
                                ? static_cast<const IamEntity*>(find_in(world.iam.roles, principal.name))
                                : static_cast<const IamEntity*>(find_in(world.iam.users, principal.name));
  // A role that was deleted and made anew is another role.
  return entity == nullptr || entity->id != principal.entity_id ? nullptr : entity;
}

Json keys_json(const ConditionKeys& keys) {
  JsonArray items;
  for (const auto& [key, values] : keys) {
    JsonArray list;
    for (const std::string& value : values) {
      list.push_back(Json::object({{"value", value}}));
    }
    items.push_back(Json::object({{"key", key}, {"values", Json::object({{"items", std::move(list)}})}}));
  }
  return Json::object({{"items", std::move(items)}});
}

std::string authorization_message(const Principal& principal, const PolicyRequest& request, const Verdict& verdict) {
  const Json who = Json::object({{"id", principal.user_id}, {"name", principal.name}, {"arn", principal.arn}});
  JsonArray matched;
  if (verdict.statement != nullptr) {
    matched.push_back(Json::object({{"statementId", verdict.statement->sid}, {"effect", "DENY"}}));
  }
  const Json message = Json::object({{"allowed", false},
                                     {"explicitDeny", verdict.decision == Decision::explicit_deny},
                                     {"matchedStatements", Json::object({{"items", std::move(matched)}})},
                                     {"failures", Json::object({{"items", JsonArray{}}})},
                                     {"context", Json::object({{"principal", who},
                                                               {"action", request.action},
                                                               {"resource", request.resource},
                                                               {"conditions", keys_json(request.keys)}})}});
  const std::string text = message.dump();
  return base64_encode(std::string(bytes_of(hmac_sha256(kMessageKey, text))) + text);
}

// A session with the user's own keys' rights: IAM refuses it, and so does STS but for two calls.
Result<> check_user_session(const Principal& principal, const Call& call) {
  if (principal.kind != PrincipalKind::user_session) {
    return {};
  }
  const bool sts_allowed = call.operation == "AssumeRole" || call.operation == "GetCallerIdentity";
  if (call.service == "iam" || (call.service == "sts" && !sts_allowed)) {
    return service_error(403, call.service == "iam" ? "InvalidClientTokenId" : "AccessDenied",
                         call.service == "iam"
                             ? "The security token included in the request is invalid"
                             : fmt::format("Cannot call {} with session credentials", call.operation));
  }
  return {};
}

std::string_view protocol_code(const std::string& service) {
  if (service == "ec2") {
    return "UnauthorizedOperation";
  }
  return service == "iam" || service == "sts" || service == "cloudwatch" || service == "monitoring"
             ? "AccessDenied"
             : "AccessDeniedException";
}

const IamProfile* find_profile(const World& world, std::string_view name_or_arn) {
  const bool arn = name_or_arn.starts_with("arn:");
  for (const auto& [name, profile] : world.iam.profiles) {
    if (arn ? profile.arn == name_or_arn : name == name_or_arn) {
      return &profile;
    }
  }
  return nullptr;
}

}  // namespace

const PolicyVersion* ManagedPolicy::find_version(std::string_view version) const {
  const auto found = std::ranges::find(versions, version, &PolicyVersion::id);
  return found == versions.end() ? nullptr : &*found;
}

const PolicyVersion& ManagedPolicy::current() const {
  const PolicyVersion* version = find_version(default_version);
  CHECK(version != nullptr, arn);
  return *version;
}

const AccessKey* find_access_key(const World& world, std::string_view id) {
  return find_in(world.iam.access_keys, std::string(id));
}

std::vector<const Policy*> policies_of(const World& world, const Principal& principal) {
  std::vector<const Policy*> policies;
  const IamEntity* entity = entity_of(world, principal);
  if (entity == nullptr) {
    return policies;
  }
  for (const auto& [name, stored] : entity->inline_policies) {
    policies.push_back(&stored.policy);
  }
  for (const std::string& arn : entity->attached) {
    if (const ManagedPolicy* managed = find_in(world.iam.policies, arn)) {
      policies.push_back(&managed->current().document.policy);
    }
  }
  return policies;
}

ConditionKeys principal_keys(const World& world, const Principal& principal, const std::string& region) {
  const bool session = principal.kind == PrincipalKind::role_session;
  const std::int64_t epoch_s = count_seconds(world.now.time_since_epoch());
  ConditionKeys keys = {{"aws:principalarn", {principal.entity_arn}},
                        {"aws:principalaccount", {std::string(kSimulatedAccount)}},
                        {"aws:principaltype", {session ? "AssumedRole" : "User"}},
                        {"aws:userid", {principal.user_id}},
                        {"aws:requestedregion", {region}},
                        {"aws:currenttime", {to_iso8601_seconds(world.now)}},
                        {"aws:epochtime", {std::to_string(epoch_s)}},
                        // A policy is tried here that is meant for AWS, where connections are encrypted.
                        {"aws:securetransport", {"true"}},
                        {"aws:sourceip", {"127.0.0.1"}},
                        {"aws:viaawsservice", {"false"}}};
  if (!session) {
    keys["aws:username"] = {principal.name};
  }
  if (principal.kind != PrincipalKind::user) {
    keys["aws:multifactorauthpresent"] = {"false"};
  }
  for (const auto& [key, value] : principal.tags) {
    keys["aws:principaltag/" + to_lower(key)] = {value};
  }
  if (const IamEntity* entity = entity_of(world, principal)) {
    for (const auto& [key, value] : entity->tags) {
      keys.try_emplace("aws:principaltag/" + to_lower(key), std::vector<std::string>{value});
    }
  }
  return keys;
}

Error access_denied(const std::string& service, const Principal& principal, const PolicyRequest& request,
                    const Verdict& verdict) {
  const std::string why = verdict.decision == Decision::explicit_deny
                              ? "with an explicit deny in an identity-based policy"
                              : fmt::format("because no identity-based policy allows the {} action", request.action);
  std::string text = fmt::format("User: {} is not authorized to perform: {} on resource: {} {}", principal.arn,
                                 request.action, request.resource, why);
  if (service == "ec2") {
    text =
        fmt::format("You are not authorized to perform this operation. {}. Encoded authorization failure message: {}",
                    text, authorization_message(principal, request, verdict));
  }
  Error error = service_error(service == "ssm" || service == "pricing" ? 400 : 403, std::string(protocol_code(service)),
                              std::move(text));
  error.kind = ErrorKind::denied;
  return error;
}

Result<std::string> decode_authorization_message(std::string_view encoded) {
  const Result<std::string> bytes = base64_decode(encoded);
  if (bytes && bytes->size() > kMessageTag) {
    std::string text = bytes->substr(kMessageTag);
    if (equal_constant_time(bytes_of(hmac_sha256(kMessageKey, text)),
                            std::string_view(*bytes).substr(0, kMessageTag))) {
      return text;
    }
  }
  return client_error("InvalidAuthorizationMessageException",
                      "Message is not valid: the simulator did not make it or it was changed.");
}

// Permissions boundary and session policy narrow what the identity policies allow.
std::vector<const Policy*> narrowing_policies(const World& world, const Principal& principal) {
  std::vector<const Policy*> narrowing;
  const IamEntity* entity = entity_of(world, principal);
  if (entity != nullptr && !entity->boundary.empty()) {
    if (const ManagedPolicy* boundary = find_in(world.iam.policies, entity->boundary)) {
      narrowing.push_back(&boundary->current().document.policy);
    }
  }
  if (principal.session_policy) {
    narrowing.push_back(&principal.session_policy->policy);
  }
  return narrowing;
}

Verdict decide(const World& world, const Principal& principal, const PolicyRequest& request) {
  Verdict verdict = evaluate(policies_of(world, principal), request);
  for (const Policy* policy : narrowing_policies(world, principal)) {
    if (verdict.decision == Decision::allow) {
      const Verdict narrowed = evaluate({policy}, request);
      verdict = narrowed.decision == Decision::allow ? verdict : narrowed;
    }
  }
  return verdict;
}

Result<> authorize(Context& context, const Principal& principal, const Call& call, const Json& input) {
  if (principal.all_rights) {
    return {};
  }
  TRY(check_user_session(principal, call));
  const ConditionKeys common = principal_keys(context.world, principal, call.region);
  for (PolicyRequest& request : required_permissions(context, call, input)) {
    request.keys.insert(common.begin(), common.end());
    const Verdict verdict = decide(context.world, principal, request);
    if (verdict.decision != Decision::allow) {
      return access_denied(call.service, principal, request, verdict);
    }
  }
  return {};
}

Result<> check_service_region(const Call& call) {
  if (call.service == "pricing" && call.region != "us-east-1" && call.region != "eu-central-1" &&
      call.region != "ap-south-1") {
    return client_error("InvalidSignatureException", "Credential should be scoped to a valid region.");
  }
  return {};
}

Principal user_principal(const IamUser& user) {
  Principal principal;
  principal.kind = PrincipalKind::user;
  principal.arn = user.arn;
  principal.user_id = user.id;
  principal.name = user.name;
  principal.entity_id = user.id;
  principal.entity_arn = user.arn;
  principal.all_rights = user.all_rights;
  return principal;
}

Principal role_principal(const IamRole& role, const std::string& session_name) {
  Principal principal;
  principal.kind = PrincipalKind::role_session;
  principal.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", kSimulatedAccount, role.name, session_name);
  principal.user_id = fmt::format("{}:{}", role.id, session_name);
  principal.name = role.name;
  principal.entity_id = role.id;
  principal.entity_arn = role.arn;
  return principal;
}

Result<Principal> assume_as_service(World& world, const std::string& role_arn, std::string_view service) {
  for (const auto& [name, role] : world.iam.roles) {
    if (role.arn != role_arn) {
      continue;
    }
    const PolicyRequest request{"sts:AssumeRole", role.arn, {{"aws:sourceaccount", {std::string(kSimulatedAccount)}}}};
    const Verdict verdict = evaluate_trust(role.trust.policy, request, {{"Service", {std::string(service)}}});
    if (verdict.decision == Decision::allow) {
      return role_principal(role, std::string(service.substr(0, service.find('.'))));
    }
  }
  Error error =
      service_error(403, "AccessDenied", fmt::format("The role {} cannot be assumed by {}.", role_arn, service));
  error.kind = ErrorKind::denied;
  return error;
}

Result<> profile_usable(World& world, const RegionState& region, std::string_view name_or_arn) {
  const IamProfile* profile = find_profile(world, name_or_arn);
  const auto known = profile == nullptr ? decltype(profile->usable_at.begin()){} : profile->usable_at.find(region.name);
  // A profile without a role is as good as none.
  if (profile != nullptr && !profile->role_name.empty() &&
      (known == profile->usable_at.end() || known->second <= world.mono)) {
    return {};
  }
  const bool arn = name_or_arn.starts_with("arn:");
  return client_error(
      "InvalidParameterValue",
      fmt::format("Value ({}) for parameter {} is invalid. Invalid IAM Instance Profile {}", name_or_arn,
                  arn ? "iamInstanceProfile.arn" : "iamInstanceProfile.name", arn ? "ARN" : "name"));
}

std::string profile_arn(const World& world, std::string_view name_or_arn) {
  const IamProfile* profile = find_profile(world, name_or_arn);
  return profile == nullptr ? "" : profile->arn;
}

std::string profile_id(const World& world, std::string_view name_or_arn) {
  const IamProfile* profile = find_profile(world, name_or_arn);
  return profile == nullptr ? "" : profile->id;
}

std::string iam_arn(std::string_view kind, std::string_view path_and_name) {
  return fmt::format("arn:aws:iam::{}:{}{}", kSimulatedAccount, kind, path_and_name);
}

std::string random_text(World& world, std::size_t length) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  while (text.size() < length) {
    text += kLetters[world.rng->below(kLetters.size())];
  }
  return text;
}

std::string iam_id(World& world, std::string_view prefix, std::size_t length) {
  return std::string(prefix) + random_text(world, length - prefix.size());
}

}  // namespace parallax::sim
