// Policies of roles and users: inline, attached, and the permissions boundary. Both kinds of entity behave alike.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/iam_common.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kPolicyNameMax = 128;
constexpr std::size_t kAttachedMax = 10;
constexpr std::size_t kRoleInlineMax = 10240;
constexpr std::size_t kUserInlineMax = 2048;

enum class Kind { role, user };

template <Kind kKind>
Result<IamEntity*> entity_of(Context& context, const Json& input) {
  if constexpr (kKind == Kind::role) {
    return TRY(find_role(context.world, input.text("RoleName")));
  } else {
    return TRY(find_user(context.world, input.text("UserName")));
  }
}

template <Kind kKind>
constexpr std::string_view kWord = kKind == Kind::role ? "role" : "user";

template <Kind kKind>
constexpr std::string_view kMember = kKind == Kind::role ? "RoleName" : "UserName";

template <Kind kKind>
Result<StoredPolicy*> inline_policy(IamEntity& entity, const Json& input) {
  const auto found = entity.inline_policies.find(input.text("PolicyName"));
  if (found == entity.inline_policies.end()) {
    return no_such_entity(
        fmt::format("The {} policy with name {} cannot be found.", kWord<kKind>, input.text("PolicyName")));
  }
  return &found->second;
}

template <Kind kKind>
Result<Json> put_policy(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  const std::string name = input.text("PolicyName");
  TRY(check_name("policyName", name, kPolicyNameMax));
  StoredPolicy stored{input.text("PolicyDocument"),
                      TRY(parse_policy(input.text("PolicyDocument"), PolicyUse::identity))};
  stored.policy.source = fmt::format("{}_{}_{}", kWord<kKind>, entity->name, name);
  std::size_t size = policy_size(stored.text);
  for (const auto& [other, policy] : entity->inline_policies) {
    size += other == name ? 0 : policy_size(policy.text);
  }
  const std::size_t size_max = kKind == Kind::role ? kRoleInlineMax : kUserInlineMax;
  if (size > size_max) {
    return service_error(
        409, "LimitExceeded",
        fmt::format("Maximum policy size of {} bytes exceeded for {} {}", size_max, kWord<kKind>, entity->name));
  }
  entity->inline_policies.insert_or_assign(name, std::move(stored));
  return Json::object();
}

template <Kind kKind>
Result<Json> get_policy(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  const StoredPolicy* stored = TRY(inline_policy<kKind>(*entity, input));
  Json answer = Json::object({{std::string(kMember<kKind>), entity->name},
                              {"PolicyName", input.text("PolicyName")},
                              {"PolicyDocument", encode_document(stored->text)}});
  return answer;
}

template <Kind kKind>
Result<Json> list_policies(Context& context, const Json& input) {
  const IamEntity* entity = TRY(entity_of<kKind>(context, input));
  std::vector<Json> names;
  for (const auto& [name, stored] : entity->inline_policies) {
    names.emplace_back(name);
  }
  return iam_page("ListEntityPolicies", "PolicyNames", std::move(names), input);
}

template <Kind kKind>
Result<Json> delete_policy(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  TRY(inline_policy<kKind>(*entity, input));
  entity->inline_policies.erase(input.text("PolicyName"));
  return Json::object();
}

template <Kind kKind>
Result<Json> attach_policy(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  const ManagedPolicy* policy = TRY(find_managed_policy(context.world, input.text("PolicyArn")));
  // Attaching what is attached changes nothing and is no error.
  if (std::ranges::find(entity->attached, policy->arn) == entity->attached.end()) {
    if (entity->attached.size() >= kAttachedMax) {
      return limit_exceeded(kKind == Kind::role ? "PoliciesPerRole" : "PoliciesPerUser", kAttachedMax);
    }
    entity->attached.push_back(policy->arn);
  }
  return Json::object();
}

template <Kind kKind>
Result<Json> detach_policy(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  if (std::erase(entity->attached, input.text("PolicyArn")) == 0) {
    return no_such_entity(fmt::format("Policy {} was not found.", input.text("PolicyArn")));
  }
  return Json::object();
}

template <Kind kKind>
Result<Json> list_attached(Context& context, const Json& input) {
  const IamEntity* entity = TRY(entity_of<kKind>(context, input));
  std::vector<Json> attached;
  for (const std::string& arn : entity->attached) {
    const ManagedPolicy* policy = TRY(find_managed_policy(context.world, arn));
    if (policy->path.starts_with(input.text("PathPrefix", "/"))) {
      attached.push_back(Json::object({{"PolicyName", policy->name}, {"PolicyArn", arn}}));
    }
  }
  return iam_page("ListAttachedEntityPolicies", "AttachedPolicies", std::move(attached), input);
}

template <Kind kKind>
Result<Json> put_boundary(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  entity->boundary = TRY(boundary_of(context.world, input));
  return Json::object();
}

template <Kind kKind>
Result<Json> delete_boundary(Context& context, const Json& input) {
  IamEntity* entity = TRY(entity_of<kKind>(context, input));
  entity->boundary.clear();
  return Json::object();
}

}  // namespace

std::vector<OperationEntry> iam_entity_policy_operations() {
  using enum Kind;
  return {{"PutRolePolicy", put_policy<role>},
          {"GetRolePolicy", get_policy<role>},
          {"ListRolePolicies", list_policies<role>},
          {"DeleteRolePolicy", delete_policy<role>},
          {"AttachRolePolicy", attach_policy<role>},
          {"DetachRolePolicy", detach_policy<role>},
          {"ListAttachedRolePolicies", list_attached<role>},
          {"PutRolePermissionsBoundary", put_boundary<role>},
          {"DeleteRolePermissionsBoundary", delete_boundary<role>},
          {"PutUserPolicy", put_policy<user>},
          {"GetUserPolicy", get_policy<user>},
          {"ListUserPolicies", list_policies<user>},
          {"DeleteUserPolicy", delete_policy<user>},
          {"AttachUserPolicy", attach_policy<user>},
          {"DetachUserPolicy", detach_policy<user>},
          {"ListAttachedUserPolicies", list_attached<user>},
          {"PutUserPermissionsBoundary", put_boundary<user>},
          {"DeleteUserPermissionsBoundary", delete_boundary<user>}};
}

}  // namespace parallax::sim
