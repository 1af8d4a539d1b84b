// Managed policies and their versions.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/iam_common.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kPolicyNameMax = 128;
constexpr std::size_t kPolicySizeMax = 6144;
constexpr std::size_t kPoliciesMax = 1500;
constexpr std::size_t kVersionsMax = 5;

int attachments(const World& world, const std::string& arn) {
  const auto has = [&](const auto& entry) { return std::ranges::count(entry.second.attached, arn) > 0; };
  return static_cast<int>(std::ranges::count_if(world.iam.roles, has) + std::ranges::count_if(world.iam.users, has));
}

int boundary_uses(const World& world, const std::string& arn) {
  const auto has = [&](const auto& entry) { return entry.second.boundary == arn; };
  return static_cast<int>(std::ranges::count_if(world.iam.roles, has) + std::ranges::count_if(world.iam.users, has));
}

Json policy_json(const World& world, const ManagedPolicy& policy) {
  return Json::object({{"PolicyName", policy.name},
                       {"PolicyId", policy.id},
                       {"Arn", policy.arn},
                       {"Path", policy.path},
                       {"DefaultVersionId", policy.default_version},
                       {"AttachmentCount", attachments(world, policy.arn)},
                       {"PermissionsBoundaryUsageCount", boundary_uses(world, policy.arn)},
                       {"IsAttachable", true},
                       {"CreateDate", epoch_seconds(policy.created)},
                       {"UpdateDate", epoch_seconds(policy.updated)}});
}

Json version_json(const ManagedPolicy& policy, const PolicyVersion& version) {
  return Json::object({{"VersionId", version.id},
                       {"IsDefaultVersion", version.id == policy.default_version},
                       {"CreateDate", epoch_seconds(version.created)}});
}

Result<StoredPolicy> document_of(const Json& input, const std::string& source) {
  StoredPolicy stored{input.text("PolicyDocument"),
                      TRY(parse_policy(input.text("PolicyDocument"), PolicyUse::identity))};
  if (policy_size(stored.text) > kPolicySizeMax) {
    return limit_exceeded("PolicySize", kPolicySizeMax);
  }
  stored.policy.source = source;
  return stored;
}

// AWS's own policies cannot be changed by anybody.
Result<ManagedPolicy*> own_policy(World& world, const Json& input) {
  ManagedPolicy* policy = TRY(find_managed_policy(world, input.text("PolicyArn")));
  if (policy->of_aws) {
    return service_error(403, "AccessDenied", "Policy is outside your own account.");
  }
  return policy;
}

Result<PolicyVersion*> version_of(ManagedPolicy& policy, const Json& input) {
  const auto found = std::ranges::find(policy.versions, input.text("VersionId"), &PolicyVersion::id);
  if (found == policy.versions.end()) {
    return no_such_entity(
        fmt::format("Policy {} version {} does not exist or is not attachable.", policy.arn, input.text("VersionId")));
  }
  return &*found;
}

Result<Json> create_policy(Context& context, const Json& input) {
  World& world = context.world;
  ManagedPolicy policy;
  policy.name = input.text("PolicyName");
  TRY(check_name("policyName", policy.name, kPolicyNameMax));
  policy.path = TRY(path_of(input));
  policy.arn = iam_arn("policy", policy.path + policy.name);
  const StoredPolicy document = TRY(document_of(input, policy.arn));
  TRY(add_iam_tags(policy.tags, input));
  const auto same_name = [&](const auto& entry) {
    return !entry.second.of_aws && equals_ignore_case(entry.second.name, policy.name);
  };
  if (std::ranges::any_of(world.iam.policies, same_name)) {
    return already_exists(
        fmt::format("A policy called {} already exists. Duplicate names are not allowed.", policy.name));
  }
  if (world.iam.policies.size() >= kPoliciesMax) {
    return limit_exceeded("PoliciesPerAccount", kPoliciesMax);
  }
  policy.id = iam_id(world, "ANPA");
  policy.description = input.text("Description");
  policy.created = world.now;
  policy.updated = world.now;
  policy.versions.push_back({"v1", document, world.now});
  Json shown = policy_json(world, policy);
  if (!policy.tags.empty()) {
    shown.set("Tags", tag_list(policy.tags));
  }
  world.iam.policies.emplace(policy.arn, std::move(policy));
  return Json::object({{"Policy", std::move(shown)}});
}

Result<Json> get_policy(Context& context, const Json& input) {
  const ManagedPolicy* policy = TRY(find_managed_policy(context.world, input.text("PolicyArn")));
  Json shown = policy_json(context.world, *policy);
  shown.set("Description", policy->description);
  shown.set("Tags", tag_list(policy->tags));
  return Json::object({{"Policy", std::move(shown)}});
}

Result<Json> get_policy_version(Context& context, const Json& input) {
  ManagedPolicy* policy = TRY(find_managed_policy(context.world, input.text("PolicyArn")));
  const PolicyVersion* version = TRY(version_of(*policy, input));
  Json shown = version_json(*policy, *version);
  shown.set("Document", encode_document(version->document.text));
  return Json::object({{"PolicyVersion", std::move(shown)}});
}

Result<Json> create_policy_version(Context& context, const Json& input) {
  World& world = context.world;
  ManagedPolicy* policy = TRY(own_policy(world, input));
  const StoredPolicy document = TRY(document_of(input, policy->arn));
  if (policy->versions.size() >= kVersionsMax) {
    return service_error(409, "LimitExceeded",
                         "A managed policy can have up to 5 versions. Before you create a new version, you must delete "
                         "an existing version.");
  }
  policy->versions.push_back({fmt::format("v{}", policy->next_version++), document, world.now});
  if (input.boolean("SetAsDefault", false)) {
    policy->default_version = policy->versions.back().id;
  }
  policy->updated = world.now;
  return Json::object({{"PolicyVersion", version_json(*policy, policy->versions.back())}});
}

Result<Json> set_default_version(Context& context, const Json& input) {
  ManagedPolicy* policy = TRY(own_policy(context.world, input));
  policy->default_version = TRY(version_of(*policy, input))->id;
  policy->updated = context.world.now;
  return Json::object();
}

Result<Json> list_policies(Context& context, const Json& input) {
  const World& world = context.world;
  const std::string scope = input.text("Scope", "All");
  const std::string usage = input.text("PolicyUsageFilter");
  std::vector<Json> policies;
  for (const auto& [arn, policy] : world.iam.policies) {
    const bool attached = attachments(world, arn) > 0;
    const bool bound = boundary_uses(world, arn) > 0;
    const bool in_scope = scope == "All" || (scope == "AWS") == policy.of_aws;
    const bool used = usage.empty() || (usage == "PermissionsPolicy" ? attached : bound);
    if (in_scope && used && (attached || !input.boolean("OnlyAttached", false)) &&
        policy.path.starts_with(input.text("PathPrefix", "/"))) {
      policies.push_back(policy_json(world, policy));
    }
  }
  return iam_page("ListPolicies", "Policies", std::move(policies), input);
}

Result<Json> list_policy_versions(Context& context, const Json& input) {
  const ManagedPolicy* policy = TRY(find_managed_policy(context.world, input.text("PolicyArn")));
  std::vector<Json> versions;
  for (auto version = policy->versions.rbegin(); version != policy->versions.rend(); ++version) {
    versions.push_back(version_json(*policy, *version));
  }
  return iam_page("ListPolicyVersions", "Versions", std::move(versions), input);
}

Result<Json> delete_policy(Context& context, const Json& input) {
  World& world = context.world;
  const ManagedPolicy* policy = TRY(own_policy(world, input));
  if (attachments(world, policy->arn) > 0 || boundary_uses(world, policy->arn) > 0) {
    return delete_conflict("Cannot delete a policy attached to entities.");
  }
  if (policy->versions.size() > 1) {
    return delete_conflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The "
        "default version is deleted with the policy.");
  }
  world.iam.policies.erase(input.text("PolicyArn"));
  return Json::object();
}

Result<Json> delete_policy_version(Context& context, const Json& input) {
  ManagedPolicy* policy = TRY(own_policy(context.world, input));
  const std::string id = TRY(version_of(*policy, input))->id;
  if (id == policy->default_version) {
    return delete_conflict("Cannot delete the default version of a policy.");
  }
  std::erase_if(policy->versions, [&](const PolicyVersion& version) { return version.id == id; });
  return Json::object();
}

// Roles and users in one list, so that a page may hold both.
Result<Json> list_entities(Context& context, const Json& input) {
  const World& world = context.world;
  const std::string arn = TRY(find_managed_policy(context.world, input.text("PolicyArn")))->arn;
  const std::string kind = input.text("EntityFilter");
  const bool boundary = input.text("PolicyUsageFilter") == "PermissionsBoundary";
  std::vector<Json> entities;
  const auto take = [&](const auto& map, std::string_view word, std::string_view prefix) {
    for (const auto& [name, entity] : map) {
      const bool uses = boundary ? entity.boundary == arn : std::ranges::count(entity.attached, arn) > 0;
      if (uses && (kind.empty() || kind == word) && entity.path.starts_with(input.text("PathPrefix", "/"))) {
        Json item = Json::object({{std::string(prefix) + "Name", name}, {std::string(prefix) + "Id", entity.id}});
        entities.push_back(std::move(item));
      }
    }
  };
  take(world.iam.roles, "Role", "Role");
  take(world.iam.users, "User", "User");
  Json page = TRY(iam_page("ListEntitiesForPolicy", "Entities", std::move(entities), input));
  JsonArray roles;
  JsonArray users;
  for (const Json& item : page.list("Entities")) {
    (item.find("RoleName") != nullptr ? roles : users).push_back(item);
  }
  page.members()->erase("Entities");
  page.set("PolicyGroups", JsonArray{});
  page.set("PolicyRoles", std::move(roles));
  page.set("PolicyUsers", std::move(users));
  return page;
}

}  // namespace

std::vector<OperationEntry> iam_policy_operations() {
  return {{"CreatePolicy", create_policy},
          {"GetPolicy", get_policy},
          {"GetPolicyVersion", get_policy_version},
          {"CreatePolicyVersion", create_policy_version},
          {"SetDefaultPolicyVersion", set_default_version},
          {"ListPolicies", list_policies},
          {"ListPolicyVersions", list_policy_versions},
          {"ListEntitiesForPolicy", list_entities},
          {"DeletePolicy", delete_policy},
          {"DeletePolicyVersion", delete_policy_version}};
}

}  // namespace parallax::sim
