#include "fleet/observe_account.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "fleet/policy.h"
#include "fleet/seen_reading.h"
#include "http/url.h"

namespace parallax::fleet {

namespace {

// A role takes 10 KB of inline policies together: more than this many names are an answer gone wrong.
constexpr std::size_t kInlinePoliciesMax = 200;

// What IAM says is not there is a nullopt; every other refusal is an error.
Result<std::optional<Json>> get(ResourceApi& api, std::string_view operation, const Json& params) {
  Result<Json> answer = api.call("iam", operation, params);
  if (!answer && answer.error().kind == ErrorKind::not_found) {
    return std::optional<Json>();
  }
  return std::optional(TRY(std::move(answer)));
}

// IAM gives documents URL-encoded.
Result<std::string> document(const std::string& text, std::string_view of) {
  return http::percent_decode(text).with_context(fmt::format("reading the policy document {}", of));
}

Result<std::vector<std::string>> policy_names(ResourceApi& api, const Json& role) {
  std::vector<std::string> names;
  TRY(api.pages("iam", "ListRolePolicies", role, [&](const Json& page) {
    for (const Json& name : page.list("PolicyNames")) {
      if (name.string() != nullptr) {
        names.push_back(*name.string());
      }
    }
  }));
  if (names.size() > kInlinePoliciesMax) {
    return make_error(ErrorKind::refused, fmt::format("the role {} has more than {} inline policies",
                                                      role.text("RoleName"), kInlinePoliciesMax));
  }
  return names;
}

Result<> look_at_role(ResourceApi& api, const std::string& name, ProfileSeen& seen) {
  const Json role = Json::object({{"RoleName", name}});
  const std::optional<Json> answer = TRY(get(api, "GetRole", role));
  const Json* found = answer ? answer->find("Role") : nullptr;
  if (found == nullptr) {
    return {};
  }
  seen.role_exists = true;
  seen.role_name = found->text("RoleName");
  seen.role_path = found->text("Path");
  seen.arn = found->text("Arn");
  seen.trust = TRY(document(found->text("AssumeRolePolicyDocument"), "of who may assume the role " + name));
  seen.role_tags = read_tags(found->list("Tags"));
  for (const std::string& policy : TRY(policy_names(api, role))) {
    const std::optional<Json> shown =
        TRY(get(api, "GetRolePolicy", Json::object({{"RoleName", name}, {"PolicyName", policy}})));
    if (shown) {  // else it went in between
      seen.inline_policies[policy] = TRY(document(shown->text("PolicyDocument"), policy));
    }
  }
  TRY(api.pages("iam", "ListAttachedRolePolicies", role, [&](const Json& page) {
    for (const Json& policy : page.list("AttachedPolicies")) {
      seen.attached_policies.push_back(policy.text("PolicyArn"));
    }
  }));
  return {};
}

}  // namespace

Result<Account> look_at_account(ResourceApi& api) {
  const Json identity = TRY(api.call("sts", "GetCallerIdentity", Json::object()));
  Account account;
  account.id = identity.text("Account");
  const std::string arn = identity.text("Arn");  // "arn:aws:iam::111122223333:user/x"
  const std::vector<std::string_view> parts = split(arn, ':');
  account.partition = parts.size() > 1 ? std::string(parts[1]) : std::string();
  if (account.id.empty() || account.partition.empty()) {
    return make_error(ErrorKind::corrupt, "GetCallerIdentity answered without an account");
  }
  return account;
}

Result<ProfileSeen> look_at_profile(const Spec& spec, ResourceApi& api) {
  ProfileSeen seen;
  const std::optional<Json> answer =
      TRY(get(api, "GetInstanceProfile", Json::object({{"InstanceProfileName", spec.profile.name}})));
  if (const Json* profile = answer ? answer->find("InstanceProfile") : nullptr) {
    seen.profile_exists = true;
    seen.profile_arn = profile->text("Arn");
    seen.profile_tags = read_tags(profile->list("Tags"));
    for (const Json& role : profile->list("Roles")) {
      seen.role_name = role.text("RoleName");
      seen.role_in_profile = !spec.profile.ours || seen.role_name == spec.profile.name;
      seen.role_exists = !spec.profile.ours;
      seen.arn = spec.profile.ours ? "" : role.text("Arn");
    }
  }
  if (spec.profile.ours) {
    TRY(look_at_role(api, spec.profile.name, seen));
  }
  return seen;
}

Result<ProfileSeen> look_at_scheduler_role(const Spec& spec, ResourceApi& api) {
  ProfileSeen seen;
  TRY(look_at_role(api, scheduler_role(spec.fleet), seen));
  return seen;
}

}  // namespace parallax::fleet
