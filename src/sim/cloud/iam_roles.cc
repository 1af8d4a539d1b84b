// Roles: made, shown, changed, tagged, deleted.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/iam_common.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kRolesMax = 1000;
constexpr std::size_t kRoleNameMax = 64;
constexpr std::size_t kTrustSizeMax = 2048;

bool is_account(std::string_view name) {
  return name.size() == 12 && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

// Users and roles of this account that a trust policy names must exist.
bool known_principal(const World& world, const std::string& name) {
  const std::string own = fmt::format("arn:aws:iam::{}:", kSimulatedAccount);
  if (name == "*" || is_account(name) || name == own + "root") {
    return true;
  }
  if (!name.starts_with("arn:aws:iam::") && !name.starts_with("arn:aws:sts::")) {
    return false;
  }
  const auto has_arn = [&](const auto& entry) { return entry.second.arn == name; };
  return !name.starts_with(own) || std::ranges::any_of(world.iam.roles, has_arn) ||
         std::ranges::any_of(world.iam.users, has_arn);
}

Result<StoredPolicy> trust_of(const World& world, const std::string& text) {
  if (policy_size(text) > kTrustSizeMax) {
    return limit_exceeded("ACLSizePerRole", kTrustSizeMax);
  }
  StoredPolicy stored{text, TRY(parse_policy(text, PolicyUse::trust))};
  for (const Statement& statement : stored.policy.statements) {
    for (const auto& [type, names] : statement.principals) {
      for (const std::string& name : names) {
        const bool service = type == "Service" && name.find(".amazonaws.com") != std::string::npos;
        if (!(type == "AWS" ? known_principal(world, name) : service || type == "Federated")) {
          return client_error("MalformedPolicyDocument",
                              fmt::format("Invalid principal in policy: \"{}\":\"{}\"", type, name));
        }
      }
    }
  }
  return stored;
}

Result<Json> create_role(Context& context, const Json& input) {
  World& world = context.world;
  IamRole role;
  role.name = input.text("RoleName");
  TRY(check_name("roleName", role.name, kRoleNameMax));
  role.path = TRY(path_of(input));
  role.trust = TRY(trust_of(world, input.text("AssumeRolePolicyDocument")));
  role.boundary = TRY(boundary_of(world, input));
  TRY(add_iam_tags(role.tags, input));
  if (name_taken(world.iam.roles, role.name)) {
    return already_exists(fmt::format("Role with name {} already exists.", role.name));
  }
  if (world.iam.roles.size() >= kRolesMax) {
    return limit_exceeded("RolesPerAccount", kRolesMax);
  }
  role.id = iam_id(world, "AROA");
  role.arn = iam_arn("role", role.path + role.name);
  role.created = world.now;
  role.description = input.text("Description");
  role.session_seconds_max = input.integer("MaxSessionDuration", role.session_seconds_max);
  const Json shown = role_json(role);
  world.iam.roles.emplace(role.name, std::move(role));
  return Json::object({{"Role", shown}});
}

Result<Json> get_role(Context& context, const Json& input) {
  const IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  Json shown = role_json(*role);
  shown.set("RoleLastUsed", Json::object());
  return Json::object({{"Role", std::move(shown)}});
}

Result<Json> list_roles(Context& context, const Json& input) {
  std::vector<Json> roles;
  for (const auto& [name, role] : context.world.iam.roles) {
    if (role.path.starts_with(input.text("PathPrefix", "/"))) {
      Json shown = role_json(role);
      // The list leaves these out.
      shown.members()->erase("Tags");
      shown.members()->erase("PermissionsBoundary");
      roles.push_back(std::move(shown));
    }
  }
  return iam_page("ListRoles", "Roles", std::move(roles), input);
}

Result<Json> delete_role(Context& context, const Json& input) {
  World& world = context.world;
  const IamRole* role = TRY(find_role(world, input.text("RoleName")));
  if (std::ranges::any_of(world.iam.profiles, [&](const auto& p) { return p.second.role_id == role->id; })) {
    return delete_conflict("Cannot delete entity, must remove roles from instance profile first.");
  }
  if (!role->attached.empty()) {
    return delete_conflict("Cannot delete entity, must detach all policies first.");
  }
  if (!role->inline_policies.empty()) {
    return delete_conflict("Cannot delete entity, must delete policies first.");
  }
  world.iam.roles.erase(input.text("RoleName"));
  return Json::object();
}

Result<Json> update_role(Context& context, const Json& input) {
  IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  if (input.find("Description") != nullptr) {
    role->description = input.text("Description");
  }
  role->session_seconds_max = input.integer("MaxSessionDuration", role->session_seconds_max);
  return Json::object();
}

Result<Json> update_role_description(Context& context, const Json& input) {
  IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  role->description = input.text("Description");
  return Json::object({{"Role", role_json(*role)}});
}

Result<Json> update_trust(Context& context, const Json& input) {
  IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  role->trust = TRY(trust_of(context.world, input.text("PolicyDocument")));
  return Json::object();
}

Result<Json> tag_role(Context& context, const Json& input) {
  IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  TRY(add_iam_tags(role->tags, input));
  return Json::object();
}

Result<Json> untag_role(Context& context, const Json& input) {
  IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  remove_iam_tags(role->tags, input);
  return Json::object();
}

Result<Json> list_role_tags(Context& context, const Json& input) {
  const IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  return iam_page("ListRoleTags", "Tags", *tag_list(role->tags).items(), input);
}

}  // namespace

Json role_json(const IamRole& role) {
  Json json = Json::object({{"Path", role.path},
                            {"RoleName", role.name},
                            {"RoleId", role.id},
                            {"Arn", role.arn},
                            {"CreateDate", epoch_seconds(role.created)},
                            {"AssumeRolePolicyDocument", encode_document(role.trust.text)},
                            {"MaxSessionDuration", role.session_seconds_max}});
  if (!role.description.empty()) {
    json.set("Description", role.description);
  }
  if (!role.tags.empty()) {
    json.set("Tags", tag_list(role.tags));
  }
  json.set_if("PermissionsBoundary", boundary_json(role));
  return json;
}

std::vector<OperationEntry> iam_role_operations() {
  return {{"CreateRole", create_role},
          {"GetRole", get_role},
          {"ListRoles", list_roles},
          {"DeleteRole", delete_role},
          {"UpdateRole", update_role},
          {"UpdateRoleDescription", update_role_description},
          {"UpdateAssumeRolePolicy", update_trust},
          {"TagRole", tag_role},
          {"UntagRole", untag_role},
          {"ListRoleTags", list_role_tags}};
}

}  // namespace parallax::sim
