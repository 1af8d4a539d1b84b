// Security groups: made, described, deleted; rules authorized and revoked.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/ec2_rules.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kTextMax = 255;
constexpr std::size_t kGroupsMax = 2500;

const DescribeSpec& groups_spec() {
  static const DescribeSpec kSpec = {
      "DescribeSecurityGroups",
      "SecurityGroups",
      {{"group-id", "GroupId"},
       {"group-name", "GroupName"},
       {"vpc-id", "VpcId"},
       {"owner-id", "OwnerId"},
       {"description", "Description"},
       {"ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"},
       {"ip-permission.from-port", "IpPermissions.FromPort"},
       {"ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId"},
       {"ip-permission.group-name", "IpPermissions.UserIdGroupPairs.GroupName"},
       {"ip-permission.ipv6-cidr", "IpPermissions.Ipv6Ranges.CidrIpv6"},
       {"ip-permission.prefix-list-id", "IpPermissions.PrefixListIds.PrefixListId"},
       {"ip-permission.protocol", "IpPermissions.IpProtocol"},
       {"ip-permission.to-port", "IpPermissions.ToPort"},
       {"ip-permission.user-id", "IpPermissions.UserIdGroupPairs.UserId"},
       {"egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp"},
       {"egress.ip-permission.from-port", "IpPermissionsEgress.FromPort"},
       {"egress.ip-permission.group-id", "IpPermissionsEgress.UserIdGroupPairs.GroupId"},
       {"egress.ip-permission.group-name", "IpPermissionsEgress.UserIdGroupPairs.GroupName"},
       {"egress.ip-permission.ipv6-cidr", "IpPermissionsEgress.Ipv6Ranges.CidrIpv6"},
       {"egress.ip-permission.prefix-list-id", "IpPermissionsEgress.PrefixListIds.PrefixListId"},
       {"egress.ip-permission.protocol", "IpPermissionsEgress.IpProtocol"},
       {"egress.ip-permission.to-port", "IpPermissionsEgress.ToPort"},
       {"egress.ip-permission.user-id", "IpPermissionsEgress.UserIdGroupPairs.UserId"}}};
  return kSpec;
}

std::vector<Json> descriptions_of(const std::vector<const Resource*>& rules) {
  std::vector<Json> all;
  all.reserve(rules.size());
  for (const Resource* rule : rules) {
    all.push_back(rule->description);
  }
  return all;
}

bool name_characters(const std::string& text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-:/()#,@[]+=&;{}!$* ").find(c) != std::string_view::npos;
  });
}

Result<> check_new_group(const std::string& name, const std::string& description) {
  if (name.empty() || name.size() > kTextMax || name.starts_with("sg-") || !name_characters(name)) {
    return client_error(
        "InvalidParameterValue",
        fmt::format("Value ({}) for parameter GroupName is invalid. Names have 1 to 255 characters, "
                    "do not begin with sg-, and are of a-z, A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{{}}!$*",
                    name));
  }
  if (equals_ignore_case(name, "default")) {
    return client_error("InvalidGroup.Reserved", fmt::format("The security group '{}' is reserved", name));
  }
  if (description.empty() || description.size() > kTextMax || !name_characters(description)) {
    return client_error("InvalidParameterValue",
                        fmt::format("Value ({}) for parameter GroupDescription is invalid. Character sets beyond ASCII "
                                    "are not supported.",
                                    description));
  }
  return {};
}

Result<Json> create_security_group(Context& context, const Json& input) {
  const std::string name = input.text("GroupName");
  TRY(check_new_group(name, input.text("Description")));
  std::string vpc_id = input.text("VpcId");
  if (vpc_id.empty()) {
    const Resource* vpc = find_default_vpc(context.region);
    if (vpc == nullptr) {
      return client_error("VPCIdNotSpecified", "No default VPC for this user");
    }
    vpc_id = vpc->id;
  } else {
    TRY(find_resource(context, ResourceKind::vpc, vpc_id));
  }
  if (group_named(context.region, vpc_id, name) != nullptr) {
    return client_error("InvalidGroup.Duplicate",
                        fmt::format("The security group '{}' already exists for VPC '{}'", name, vpc_id));
  }
  auto tags = TRY(tag_specifications(input, {"security-group"}));
  if (context.region.of(ResourceKind::security_group).size() >= kGroupsMax) {
    return client_error("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached.");
  }
  TRY(end_of_dry_run(context));
  const Resource& group = add_security_group(context.world, context.region, vpc_id, name, input.text("Description"),
                                             tags["security-group"]);
  return Json::object({{"GroupId", group.id},
                       {"Tags", tag_list(group.tags)},
                       {"SecurityGroupArn", arn_of(context.region, "security-group", group.id)}});
}

bool referenced_elsewhere(const RegionState& region, const std::string& group_id) {
  return std::ranges::any_of(region.of(ResourceKind::security_group_rule), [&](const auto& entry) {
    const Json* peer = entry.second.description.at("ReferencedGroupInfo", "GroupId");
    return peer != nullptr && *peer->string() == group_id && entry.second.description.text("GroupId") != group_id;
  });
}

Result<Json> delete_security_group(Context& context, const Json& input) {
  const Resource& group = *TRY(group_of_request(context, input));
  const std::string id = group.id;
  if (group.description.text("GroupName") == "default") {
    return client_error("CannotDelete",
                        fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", id));
  }
  if (group_in_use(context.region, id) || referenced_elsewhere(context.region, id)) {
    return client_error("DependencyViolation", fmt::format("resource {} has a dependent object", id));
  }
  TRY(end_of_dry_run(context));
  std::erase_if(context.region.of(ResourceKind::security_group_rule),
                [&](const auto& entry) { return entry.second.description.text("GroupId") == id; });
  context.region.of(ResourceKind::security_group).erase(id);
  return Json::object({{"Return", true}, {"GroupId", id}});
}

Result<Json> describe_security_groups(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "GroupIds", "groupIds"));
  std::vector<Json> rendered =
      TRY(choose_resources(context, ResourceKind::security_group, strings_of(input, "GroupIds")));
  const std::vector<std::string> names = strings_of(input, "GroupNames");
  if (!names.empty()) {
    const Resource* vpc = find_default_vpc(context.region);
    const std::string vpc_id = vpc == nullptr ? "" : vpc->id;
    std::vector<Json> named;
    for (const std::string& name : names) {
      const auto found = std::ranges::find_if(
          rendered, [&](const Json& json) { return json.text("GroupName") == name && json.text("VpcId") == vpc_id; });
      if (found == rendered.end()) {
        return client_error("InvalidGroup.NotFound",
                            fmt::format("The security group '{}' does not exist in default VPC '{}'", name, vpc_id));
      }
      named.push_back(*found);
    }
    rendered = std::move(named);
  }
  const RegionState& region = context.region;
  for (Json& json : rendered) {
    const std::string id = json.text("GroupId");
    json.set("IpPermissions", permissions_of(descriptions_of(rules_of(region, id, false))));
    json.set("IpPermissionsEgress", permissions_of(descriptions_of(rules_of(region, id, true))));
    json.set("SecurityGroupArn", arn_of(region, "security-group", id));
  }
  return finish_describe(groups_spec(), std::move(rendered), input);
}

template <bool egress>
Result<Json> authorize(Context& context, const Json& input) {
  const Resource& group = *TRY(group_of_request(context, input));
  const std::string group_id = group.id;
  const std::vector<Json> rules = TRY(rules_of_request(context, group, egress, input));
  auto tags = TRY(tag_specifications(input, {"security-group-rule"}));
  const std::vector<Resource*> present = rules_of(context.region, group_id, egress);
  for (const Json& rule : rules) {
    const std::string identity = rule_identity(rule);
    if (std::ranges::any_of(present,
                            [&](const Resource* old) { return rule_identity(old->description) == identity; })) {
      return client_error("InvalidPermission.Duplicate",
                          fmt::format("the specified rule \"{}\" already exists", rule_text(rule)));
    }
  }
  if (present.size() + rules.size() > kRulesPerGroupMax) {
    return client_error("RulesPerSecurityGroupLimitExceeded",
                        "The maximum number of rules per security group has been reached.");
  }
  TRY(end_of_dry_run(context));
  JsonArray added;
  for (const Json& rule : rules) {
    added.push_back(with_tags(
        context.world, add_rule(context.world, context.region, group_id, egress, rule, tags["security-group-rule"])));
  }
  return Json::object({{"Return", true}, {"SecurityGroupRules", std::move(added)}});
}

// The rules that ids or permissions name; those that are not there in `unknown`.
Result<std::vector<std::string>> rules_to_revoke(Context& context, const Resource& group, bool egress,
                                                 const Json& input, std::vector<Json>& unknown) {
  std::vector<std::string> chosen;
  const std::vector<std::string> ids = strings_of(input, "SecurityGroupRuleIds");
  const std::vector<Resource*> present = rules_of(context.region, group.id, egress);
  for (const std::string& id : ids) {
    TRY(find_resource(context, ResourceKind::security_group_rule, id));
    if (std::ranges::none_of(present, [&](const Resource* rule) { return rule->id == id; })) {
      return client_error("InvalidSecurityGroupRuleId.NotFound",
                          fmt::format("The security group rule ID '{}' does not exist", id));
    }
    chosen.push_back(id);
  }
  if (!ids.empty()) {
    return chosen;
  }
  for (const Json& rule : TRY(rules_of_request(context, group, egress, input))) {
    const std::string identity = rule_identity(rule);
    const auto found =
        std::ranges::find_if(present, [&](const Resource* old) { return rule_identity(old->description) == identity; });
    if (found == present.end()) {
      unknown.push_back(rule);
    } else {
      chosen.push_back((*found)->id);
    }
  }
  return chosen;
}

template <bool egress>
Result<Json> revoke(Context& context, const Json& input) {
  const Resource& group = *TRY(group_of_request(context, input));
  std::vector<Json> unknown;
  const std::vector<std::string> chosen = TRY(rules_to_revoke(context, group, egress, input, unknown));
  const Resource* vpc = find_default_vpc(context.region);
  // Only ingress rules of the default VPC may be missing; then the answer names them.
  const bool forgiven = !egress && vpc != nullptr && group.description.text("VpcId") == vpc->id;
  if (!unknown.empty() && !forgiven) {
    return client_error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
  }
  TRY(end_of_dry_run(context));
  for (const std::string& id : chosen) {
    context.region.of(ResourceKind::security_group_rule).erase(id);
  }
  Json answer = Json::object({{"Return", true}});
  if (!unknown.empty()) {
    answer.set("UnknownIpPermissions", permissions_of(unknown));
  }
  return answer;
}

}  // namespace

Result<Resource*> group_of_request(Context& context, const Json& input) {
  const std::string id = input.text("GroupId");
  const std::string name = input.text("GroupName");
  if (!id.empty()) {
    return find_resource(context, ResourceKind::security_group, id);
  }
  if (name.empty()) {
    return client_error("MissingParameter", "The request must contain the parameter groupName or groupId");
  }
  const Resource* vpc = find_default_vpc(context.region);
  Resource* group = vpc == nullptr ? nullptr : group_named(context.region, vpc->id, name);
  if (group == nullptr || group->visible_at > context.world.mono) {
    return client_error("InvalidGroup.NotFound",
                        fmt::format("The security group '{}' does not exist in default VPC '{}'", name,
                                    vpc == nullptr ? "none" : vpc->id));
  }
  return group;
}

Resource* group_named(RegionState& region, const std::string& vpc_id, const std::string& name) {
  for (auto& [id, group] : region.of(ResourceKind::security_group)) {
    if (group.description.text("VpcId") == vpc_id && equals_ignore_case(group.description.text("GroupName"), name)) {
      return &group;
    }
  }
  return nullptr;
}

Resource& add_security_group(World& world, RegionState& region, const std::string& vpc_id, const std::string& name,
                             const std::string& description, Tags tags) {
  Resource& group = add_resource(
      world, region, ResourceKind::security_group,
      Json::object(
          {{"GroupName", name}, {"Description", description}, {"VpcId", vpc_id}, {"OwnerId", kSimulatedAccount}}),
      std::move(tags));
  add_rule(world, region, group.id, true,
           Json::object({{"IpProtocol", "-1"}, {"FromPort", -1}, {"ToPort", -1}, {"CidrIpv4", "0.0.0.0/0"}}));
  if (name == "default") {
    add_rule(
        world, region, group.id, false,
        Json::object({{"IpProtocol", "-1"},
                      {"FromPort", -1},
                      {"ToPort", -1},
                      {"ReferencedGroupInfo", Json::object({{"GroupId", group.id}, {"UserId", kSimulatedAccount}})}}));
  }
  return group;
}

std::vector<OperationEntry> ec2_group_operations() {
  return {{"CreateSecurityGroup", create_security_group, DryRun::after_checks},
          {"DeleteSecurityGroup", delete_security_group, DryRun::after_checks},
          {"DescribeSecurityGroups", describe_security_groups},
          {"AuthorizeSecurityGroupIngress", authorize<false>, DryRun::after_checks},
          {"AuthorizeSecurityGroupEgress", authorize<true>, DryRun::after_checks},
          {"RevokeSecurityGroupIngress", revoke<false>, DryRun::after_checks},
          {"RevokeSecurityGroupEgress", revoke<true>, DryRun::after_checks}};
}

}  // namespace parallax::sim
