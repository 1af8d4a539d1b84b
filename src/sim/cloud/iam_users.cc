// Users, their access keys, and the account's summary.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/iam_common.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kUsersMax = 5000;
constexpr std::size_t kUserNameMax = 64;
constexpr std::size_t kKeysPerUser = 2;
constexpr std::size_t kSecretLength = 40;

Json user_json(const IamUser& user) {
  Json json = Json::object({{"Path", user.path},
                            {"UserName", user.name},
                            {"UserId", user.id},
                            {"Arn", user.arn},
                            {"CreateDate", epoch_seconds(user.created)}});
  if (!user.tags.empty()) {
    json.set("Tags", tag_list(user.tags));
  }
  json.set_if("PermissionsBoundary", boundary_json(user));
  return json;
}

bool key_of(const AccessKey& key, const IamUser& user) {
  return key.who.kind == PrincipalKind::user && key.who.entity_id == user.id;
}

std::size_t count_keys(const World& world, const IamUser& user) {
  return static_cast<std::size_t>(
      std::ranges::count_if(world.iam.access_keys, [&](const auto& entry) { return key_of(entry.second, user); }));
}

Json key_json(const AccessKey& key) {
  return Json::object({{"UserName", key.who.name},
                       {"AccessKeyId", key.id},
                       {"Status", key.active ? "Active" : "Inactive"},
                       {"CreateDate", epoch_seconds(key.created)}});
}

Result<Json> create_user(Context& context, const Json& input) {
  World& world = context.world;
  IamUser user;
  user.name = input.text("UserName");
  TRY(check_name("userName", user.name, kUserNameMax));
  user.path = TRY(path_of(input));
  user.boundary = TRY(boundary_of(world, input));
  TRY(add_iam_tags(user.tags, input));
  if (name_taken(world.iam.users, user.name)) {
    return already_exists(fmt::format("User with name {} already exists.", user.name));
  }
  if (world.iam.users.size() >= kUsersMax) {
    return limit_exceeded("UsersPerAccount", kUsersMax);
  }
  user.id = iam_id(world, "AIDA");
  user.arn = iam_arn("user", user.path + user.name);
  user.created = world.now;
  const Json shown = user_json(user);
  world.iam.users.emplace(user.name, std::move(user));
  return Json::object({{"User", shown}});
}

Result<Json> get_user(Context& context, const Json& input) {
  return Json::object({{"User", user_json(*TRY(named_or_own_user(context, input)))}});
}

Result<Json> list_users(Context& context, const Json& input) {
  std::vector<Json> users;
  for (const auto& [name, user] : context.world.iam.users) {
    if (user.path.starts_with(input.text("PathPrefix", "/"))) {
      Json shown = user_json(user);
      shown.members()->erase("Tags");
      users.push_back(std::move(shown));
    }
  }
  return iam_page("ListUsers", "Users", std::move(users), input);
}

Result<Json> delete_user(Context& context, const Json& input) {
  World& world = context.world;
  const IamUser* user = TRY(find_user(world, input.text("UserName")));
  if (count_keys(world, *user) > 0) {
    return delete_conflict("Cannot delete entity, must delete access keys first.");
  }
  if (!user->attached.empty()) {
    return delete_conflict("Cannot delete entity, must detach all policies first.");
  }
  if (!user->inline_policies.empty()) {
    return delete_conflict("Cannot delete entity, must delete policies first.");
  }
  world.iam.users.erase(input.text("UserName"));
  return Json::object();
}

Result<Json> tag_user(Context& context, const Json& input) {
  IamUser* user = TRY(find_user(context.world, input.text("UserName")));
  TRY(add_iam_tags(user->tags, input));
  return Json::object();
}

Result<Json> untag_user(Context& context, const Json& input) {
  remove_iam_tags(TRY(find_user(context.world, input.text("UserName")))->tags, input);
  return Json::object();
}

Result<Json> list_user_tags(Context& context, const Json& input) {
  const IamUser* user = TRY(find_user(context.world, input.text("UserName")));
  return iam_page("ListUserTags", "Tags", *tag_list(user->tags).items(), input);
}

Result<Json> create_access_key(Context& context, const Json& input) {
  World& world = context.world;
  const IamUser* user = TRY(named_or_own_user(context, input));
  if (count_keys(world, *user) >= kKeysPerUser) {
    return limit_exceeded("AccessKeysPerUser", kKeysPerUser);
  }
  AccessKey key;
  key.id = iam_id(world, "AKIA", 20);
  key.secret = random_text(world, kSecretLength);
  key.created = world.now;
  key.who = user_principal(*user);
  Json shown = key_json(key);
  shown.set("SecretAccessKey", key.secret);
  world.iam.access_keys.emplace(key.id, std::move(key));
  return Json::object({{"AccessKey", std::move(shown)}});
}

Result<AccessKey*> own_key(Context& context, const Json& input) {
  const IamUser* user = TRY(named_or_own_user(context, input));
  const auto found = context.world.iam.access_keys.find(input.text("AccessKeyId"));
  if (found == context.world.iam.access_keys.end() || !key_of(found->second, *user)) {
    return no_such_entity(fmt::format("The Access Key with id {} cannot be found.", input.text("AccessKeyId")));
  }
  return &found->second;
}

Result<Json> update_access_key(Context& context, const Json& input) {
  TRY(own_key(context, input))->active = input.text("Status") == "Active";
  return Json::object();
}

Result<Json> delete_access_key(Context& context, const Json& input) {
  TRY(own_key(context, input));
  context.world.iam.access_keys.erase(input.text("AccessKeyId"));
  return Json::object();
}

Result<Json> list_access_keys(Context& context, const Json& input) {
  const IamUser* user = TRY(named_or_own_user(context, input));
  std::vector<Json> keys;
  for (const auto& [id, key] : context.world.iam.access_keys) {
    if (key_of(key, *user)) {
      keys.push_back(key_json(key));
    }
  }
  return iam_page("ListAccessKeys", "AccessKeyMetadata", std::move(keys), input);
}

Result<Json> get_account_summary(Context& context, const Json& /*input*/) {
  const IamState& iam = context.world.iam;
  const auto own = [](const auto& entry) { return !entry.second.of_aws; };
  return Json::object({{"SummaryMap", Json::object({{"Users", iam.users.size()},
                                                    {"UsersQuota", kUsersMax},
                                                    {"Roles", iam.roles.size()},
                                                    {"RolesQuota", 1000},
                                                    {"InstanceProfiles", iam.profiles.size()},
                                                    {"InstanceProfilesQuota", 1000},
                                                    {"Policies", std::ranges::count_if(iam.policies, own)},
                                                    {"PoliciesQuota", 1500},
                                                    {"PolicySizeQuota", 6144},
                                                    {"AttachedPoliciesPerRoleQuota", 10},
                                                    {"AttachedPoliciesPerUserQuota", 10},
                                                    {"VersionsPerPolicyQuota", 5},
                                                    {"AccessKeysPerUserQuota", 2},
                                                    {"AccountMFAEnabled", 0},
                                                    {"AccountAccessKeysPresent", 0}})}});
}

// The simulated account has no alias; none can be given.
Result<Json> list_account_aliases(Context& /*context*/, const Json& input) {
  return iam_page("ListAccountAliases", "AccountAliases", {}, input);
}

}  // namespace

std::vector<OperationEntry> iam_user_operations() {
  return {{"CreateUser", create_user},
          {"GetUser", get_user},
          {"ListUsers", list_users},
          {"DeleteUser", delete_user},
          {"TagUser", tag_user},
          {"UntagUser", untag_user},
          {"ListUserTags", list_user_tags},
          {"CreateAccessKey", create_access_key},
          {"UpdateAccessKey", update_access_key},
          {"DeleteAccessKey", delete_access_key},
          {"ListAccessKeys", list_access_keys},
          {"GetAccountSummary", get_account_summary},
          {"ListAccountAliases", list_account_aliases}};
}

}  // namespace parallax::sim
