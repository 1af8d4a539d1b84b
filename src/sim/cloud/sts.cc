// STS: who calls, sessions of roles and users, messages decoded. AssumeRoleWithWebIdentity and ...WithSAML are lacking:
// they need an identity provider, which the simulator does not have.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/base64.h"
#include "sim/cloud/identity.h"

namespace parallax::sim {

namespace {

constexpr std::int64_t kChainedSecondsMax = 3600;
constexpr std::int64_t kUserSessionSeconds = 43200;
constexpr std::size_t kSessionsMax = 10'000;
constexpr std::size_t kSecretLength = 40;
constexpr std::size_t kTokenBytes = 180;

Error denied(std::string message) {
  Error error = service_error(403, "AccessDenied", std::move(message));
  error.kind = ErrorKind::denied;
  return error;
}

// A call without a caller comes from inside this process: in the name of the well-known user.
Principal caller_of(const Context& context) {
  if (context.caller != nullptr) {
    return *context.caller;
  }
  const AccessKey* key = find_access_key(context.world, kSimulatedAccessKey);
  return key == nullptr ? Principal{} : key->who;
}

Result<Json> get_caller_identity(Context& context, const Json& /*input*/) {
  const Principal caller = caller_of(context);
  return Json::object({{"UserId", caller.user_id}, {"Account", kSimulatedAccount}, {"Arn", caller.arn}});
}

Result<Json> new_session(World& world, const Principal& who, std::int64_t seconds) {
  auto& keys = world.iam.access_keys;
  if (keys.size() >= kSessionsMax) {
    std::erase_if(keys, [&](const auto& entry) { return entry.second.expires && *entry.second.expires <= world.now; });
  }
  if (keys.size() >= kSessionsMax) {
    return service_error(400, "LimitExceeded", "This simulated account keeps no more sessions.");
  }
  AccessKey key;
  key.id = iam_id(world, "ASIA", 20);
  key.secret = random_text(world, kSecretLength);
  key.session_token = base64_encode(random_text(world, kTokenBytes));
  key.created = world.now;
  key.expires = world.now + Seconds(seconds);
  key.who = who;
  Json json = Json::object({{"AccessKeyId", key.id},
                            {"SecretAccessKey", key.secret},
                            {"SessionToken", key.session_token},
                            {"Expiration", epoch_seconds(*key.expires)}});
  keys.insert_or_assign(key.id, std::move(key));
  return json;
}

Error assume_refused(const Principal& caller, const std::string& role_arn) {
  return denied(
      fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", caller.arn, role_arn));
}

// The names under which a trust policy may mean the caller itself.
std::vector<std::string> own_names(const Principal& caller) {
  return {caller.arn, caller.entity_arn, caller.user_id, caller.entity_id};
}

// Whether the role lets the caller in. A trust policy that names the caller is enough; one that names the account
// leaves the decision to the caller's identity policies. An explicit deny on either side refuses.
Result<> check_trust(const Context& context, const IamRole& role, const Principal& caller, const Json& input) {
  PolicyRequest request{"sts:AssumeRole", role.arn, principal_keys(context.world, caller, context.region.name)};
  request.keys["sts:rolesessionname"] = {input.text("RoleSessionName")};
  if (input.find("ExternalId") != nullptr) {
    request.keys["sts:externalid"] = {input.text("ExternalId")};
  }
  for (const Json& tag : input.list("Tags")) {
    request.keys["aws:requesttag/" + to_lower(tag.text("Key"))] = {tag.text("Value")};
    request.keys["aws:tagkeys"].push_back(tag.text("Key"));
  }
  for (const auto& [key, value] : role.tags) {
    request.keys["aws:resourcetag/" + to_lower(key)] = {value};
    request.keys["iam:resourcetag/" + to_lower(key)] = {value};
  }
  const Verdict by_name = evaluate_trust(role.trust.policy, request, {{"AWS", own_names(caller)}});
  const std::vector<std::string> account = {std::string(kSimulatedAccount), iam_arn("root", "")};
  const Verdict by_account = evaluate_trust(role.trust.policy, request, {{"AWS", account}});
  if (by_name.decision == Decision::explicit_deny || by_account.decision == Decision::explicit_deny) {
    return assume_refused(caller, role.arn);
  }
  const Decision identity =
      caller.all_rights ? Decision::allow : evaluate(policies_of(context.world, caller), request).decision;
  const bool narrowed = std::ranges::any_of(narrowing_policies(context.world, caller), [&](const Policy* policy) {
    return evaluate({policy}, request).decision != Decision::allow;
  });
  const bool named =
      by_name.decision == Decision::allow && std::ranges::none_of(by_name.statement->principals, [](const auto& entry) {
        return std::ranges::find(entry.second, "*") != entry.second.end();
      });
  const bool trusted = by_name.decision == Decision::allow || by_account.decision == Decision::allow;
  const bool refused = identity == Decision::explicit_deny || narrowed;
  if (!trusted || refused || (identity != Decision::allow && !named)) {
    return assume_refused(caller, role.arn);
  }
  return {};
}

Result<std::int64_t> session_seconds(const IamRole& role, const Principal& caller, const Json& input) {
  const bool chained = caller.kind == PrincipalKind::role_session;
  const std::int64_t seconds = input.integer("DurationSeconds", 3600);
  if (seconds > role.session_seconds_max) {
    return client_error("ValidationError",
                        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  if (chained && seconds > kChainedSecondsMax) {
    return client_error("ValidationError",
                        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                        "chaining");
  }
  return seconds;
}

// The session policy: one inline document, and managed ones by ARN, of which any may allow.
Result<std::optional<StoredPolicy>> session_policy_of(const World& world, const Json& input) {
  StoredPolicy joined;
  const std::string text = input.text("Policy");
  if (!text.empty()) {
    joined = {text, TRY(parse_policy(text, PolicyUse::identity))};
  }
  for (const Json& item : input.list("PolicyArns")) {
    const auto found = world.iam.policies.find(item.text("arn"));
    if (found == world.iam.policies.end()) {
      return client_error("MalformedPolicyDocument",
                          fmt::format("The policy {} does not exist or is not attachable.", item.text("arn")));
    }
    const StoredPolicy& managed = found->second.current().document;
    joined.text += managed.text;
    joined.policy.variables = joined.policy.variables || managed.policy.variables;
    for (const Statement& statement : managed.policy.statements) {
      joined.policy.statements.push_back(statement);
    }
  }
  const bool given = !joined.policy.statements.empty();
  return given ? std::optional<StoredPolicy>(std::move(joined)) : std::nullopt;
}

Result<Json> assume_role(Context& context, const Json& input) {
  World& world = context.world;
  const Principal caller = caller_of(context);
  const std::string arn = input.text("RoleArn");
  if (!arn.starts_with("arn:")) {
    return client_error("ValidationError", fmt::format("{} is invalid", arn));
  }
  const auto found = std::ranges::find_if(world.iam.roles, [&](const auto& entry) { return entry.second.arn == arn; });
  if (found == world.iam.roles.end()) {
    // AWS does not tell whether a role exists.
    return assume_refused(caller, arn);
  }
  const IamRole& role = found->second;
  TRY(check_trust(context, role, caller, input));
  const std::int64_t seconds = TRY(session_seconds(role, caller, input));
  Principal session = role_principal(role, input.text("RoleSessionName"));
  session.session_policy = TRY(session_policy_of(world, input));
  for (const Json& tag : input.list("Tags")) {
    session.tags[tag.text("Key")] = tag.text("Value");
  }
  const Json credentials = TRY(new_session(world, session, seconds));
  Json answer =
      Json::object({{"Credentials", credentials},
                    {"AssumedRoleUser", Json::object({{"AssumedRoleId", session.user_id}, {"Arn", session.arn}})}});
  if (session.session_policy) {
    answer.set("PackedPolicySize", 1 + static_cast<int>(session.session_policy->text.size() * 100 / 4096));
  }
  return answer;
}

Result<Json> get_session_token(Context& context, const Json& input) {
  Principal who = caller_of(context);
  if (who.kind != PrincipalKind::user) {
    return denied("Cannot call GetSessionToken with session credentials");
  }
  if (input.find("SerialNumber") != nullptr || input.find("TokenCode") != nullptr) {
    return denied("MultiFactorAuthentication failed with invalid MFA one time pass code.");
  }
  // The well-known user's sessions keep its rights, IAM and STS included: it stands for an administrator.
  who.kind = PrincipalKind::user_session;
  const Json credentials = TRY(new_session(context.world, who, input.integer("DurationSeconds", kUserSessionSeconds)));
  return Json::object({{"Credentials", credentials}});
}

Result<Json> decode_message(Context& /*context*/, const Json& input) {
  return Json::object({{"DecodedMessage", TRY(decode_authorization_message(input.text("EncodedMessage")))}});
}

Result<Json> get_access_key_info(Context& context, const Json& input) {
  if (find_access_key(context.world, input.text("AccessKeyId")) == nullptr) {
    return denied("The access key is of no account that the simulator knows.");
  }
  return Json::object({{"Account", kSimulatedAccount}});
}

}  // namespace

std::vector<OperationEntry> sts_operations() {
  return {{"GetCallerIdentity", get_caller_identity},
          {"AssumeRole", assume_role},
          {"GetSessionToken", get_session_token},
          {"DecodeAuthorizationMessage", decode_message},
          {"GetAccessKeyInfo", get_access_key_info}};
}

}  // namespace parallax::sim
