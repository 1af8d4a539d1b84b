// Security group rules one by one: described, described anew, changed.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_rules.h"

namespace parallax::sim {

namespace {

const DescribeSpec& rules_spec() {
  static const DescribeSpec kSpec = {"DescribeSecurityGroupRules",
                                     "SecurityGroupRules",
                                     {{"group-id", "GroupId"}, {"security-group-rule-id", "SecurityGroupRuleId"}}};
  return kSpec;
}

Result<Json> describe_rules(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "SecurityGroupRuleIds", "securityGroupRuleIds"));
  std::vector<Json> rendered =
      TRY(choose_resources(context, ResourceKind::security_group_rule, strings_of(input, "SecurityGroupRuleIds")));
  return finish_describe(rules_spec(), std::move(rendered), input);
}

Error no_such_rule() {
  return client_error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
}

// The rules to describe anew, with their new descriptions.
Result<std::vector<std::pair<Resource*, Json>>> new_descriptions(Context& context, const Resource& group, bool egress,
                                                                 const Json& input) {
  std::vector<std::pair<Resource*, Json>> changes;
  const std::vector<Resource*> present = rules_of(context.region, group.id, egress);
  for (const Json& item : input.list("SecurityGroupRuleDescriptions")) {
    Resource* rule = TRY(find_resource(context, ResourceKind::security_group_rule, item.text("SecurityGroupRuleId")));
    if (std::ranges::find(present, rule) == present.end()) {
      return no_such_rule();
    }
    TRY(check_rule_description(item));
    changes.emplace_back(rule, item.text("Description"));
  }
  if (!changes.empty()) {
    return changes;
  }
  for (const Json& wanted : TRY(rules_of_request(context, group, egress, input))) {
    const std::string identity = rule_identity(wanted);
    const auto found = std::ranges::find_if(
        present, [&](const Resource* rule) { return rule_identity(rule->description) == identity; });
    if (found == present.end()) {
      return no_such_rule();
    }
    changes.emplace_back(*found, wanted.text("Description"));
  }
  return changes;
}

template <bool egress>
Result<Json> update_descriptions(Context& context, const Json& input) {
  const Resource& group = *TRY(group_of_request(context, input));
  const auto changes = TRY(new_descriptions(context, group, egress, input));
  TRY(end_of_dry_run(context));
  for (const auto& [rule, description] : changes) {
    if (description.string()->empty()) {
      rule->description.members()->erase("Description");
    } else {
      rule->description.set("Description", description);
    }
  }
  return Json::object({{"Return", true}});
}

Result<Json> changed_rule(Context& context, const Resource& group, const Json& wanted) {
  Json rule = TRY(protocol_and_ports(wanted));
  int peers = 0;
  for (const auto& [name, ipv6] : {std::pair("CidrIpv4", false), std::pair("CidrIpv6", true)}) {
    if (wanted.find(name) != nullptr) {
      TRY(check_cidr(wanted.text(name), ipv6));
      rule.set(name, wanted.text(name));
      ++peers;
    }
  }
  if (const std::string id = wanted.text("ReferencedGroupId"); !id.empty()) {
    rule.set("ReferencedGroupInfo",
             Json::object({{"GroupId", TRY(referenced_group(context, group, Json::object({{"GroupId", id}})))},
                           {"UserId", kSimulatedAccount}}));
    ++peers;
  }
  if (peers != 1) {
    return client_error("InvalidPermission.Malformed",
                        "A rule has one source: CidrIpv4, CidrIpv6 or ReferencedGroupId.");
  }
  TRY(check_rule_description(wanted));
  if (!wanted.text("Description").empty()) {
    rule.set("Description", wanted.text("Description"));
  }
  return rule;
}

Result<Json> modify_rules(Context& context, const Json& input) {
  const Resource& group = *TRY(group_of_request(context, input));
  std::vector<std::pair<Resource*, Json>> changes;
  for (const Json& item : input.list("SecurityGroupRules")) {
    Resource* old = TRY(find_resource(context, ResourceKind::security_group_rule, item.text("SecurityGroupRuleId")));
    const Json* wanted = item.find("SecurityGroupRule");
    if (old->description.text("GroupId") != group.id || wanted == nullptr) {
      return no_such_rule();
    }
    const bool egress = old->description.boolean("IsEgress", false);
    Json rule = TRY(changed_rule(context, group, *wanted));
    for (const Resource* other : rules_of(context.region, group.id, egress)) {
      if (other != old && rule_identity(other->description) == rule_identity(rule)) {
        return client_error("InvalidPermission.Duplicate",
                            fmt::format("the specified rule \"{}\" already exists", rule_text(rule)));
      }
    }
    rule.set("IsEgress", egress);
    rule.set("GroupId", group.id);
    rule.set("GroupOwnerId", kSimulatedAccount);
    rule.set("SecurityGroupRuleId", old->id);
    changes.emplace_back(old, std::move(rule));
  }
  TRY(end_of_dry_run(context));
  for (auto& [old, rule] : changes) {
    old->description = std::move(rule);
  }
  return Json::object({{"Return", true}});
}

}  // namespace

std::vector<OperationEntry> ec2_rule_operations() {
  return {{"DescribeSecurityGroupRules", describe_rules},
          {"UpdateSecurityGroupRuleDescriptionsIngress", update_descriptions<false>, DryRun::after_checks},
          {"UpdateSecurityGroupRuleDescriptionsEgress", update_descriptions<true>, DryRun::after_checks},
          {"ModifySecurityGroupRules", modify_rules, DryRun::after_checks}};
}

}  // namespace parallax::sim
