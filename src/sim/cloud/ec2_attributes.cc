// DescribeInstanceAttribute, ModifyInstanceAttribute and tags.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/cloud/ec2_common.h"
#include "sim/cloud/filters.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kTagKeyMax = 128;
constexpr std::size_t kTagValueMax = 256;
constexpr std::size_t kTagResourcesMax = 1000;

Json value_of(Json value) {
  return Json::object({{"Value", std::move(value)}});
}

Result<Instance*> find_one(Context& context, const Json& input) {
  return TRY(find_instances(context.region, {input.text("InstanceId")})).front();
}

Result<Json> describe_instance_attribute(Context& context, const Json& input) {
  const Instance& instance = *TRY(find_one(context, input));
  const std::string attribute = input.text("Attribute");
  Json answer = Json::object({{"InstanceId", instance.id}});
  if (attribute == "instanceInitiatedShutdownBehavior") {
    answer.set("InstanceInitiatedShutdownBehavior", value_of(instance.shutdown_behavior));
  } else if (attribute == "instanceType") {
    answer.set("InstanceType", value_of(instance.type));
  } else if (attribute == "disableApiTermination") {
    answer.set("DisableApiTermination", value_of(instance.api_termination_disabled));
  } else if (attribute == "disableApiStop") {
    answer.set("DisableApiStop", value_of(instance.api_stop_disabled));
  } else if (attribute == "sourceDestCheck") {
    answer.set("SourceDestCheck", value_of(instance.source_dest_check));
  } else if (attribute == "ebsOptimized") {
    answer.set("EbsOptimized", value_of(instance.ebs_optimized));
  } else if (attribute == "enaSupport") {
    answer.set("EnaSupport", value_of(true));
  } else if (attribute == "rootDeviceName") {
    answer.set("RootDeviceName", value_of("/dev/xvda"));
  } else if (attribute == "groupSet") {
    JsonArray groups;
    for (const Json& group : render_instance(context.region, instance, instance.status).list("SecurityGroups")) {
      groups.push_back(group);
    }
    answer.set("Groups", std::move(groups));
  } else if (attribute == "userData" || attribute == "kernel" || attribute == "ramdisk" ||
             attribute == "sriovNetSupport" || attribute == "productCodes" || attribute == "enclaveOptions" ||
             attribute == "blockDeviceMapping") {
    return answer;  // nothing set
  } else {
    return client_error("InvalidParameterValue",
                        fmt::format("Value ({}) for parameter attribute is invalid. Unknown attribute.", attribute));
  }
  return answer;
}

// Attribute=X with Value=Y is the older spelling of X.Value=Y.
Result<Json> normalised(const Json& input) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames = {
      {{"instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"},
       {"instanceType", "InstanceType"},
       {"disableApiTermination", "DisableApiTermination"},
       {"disableApiStop", "DisableApiStop"},
       {"sourceDestCheck", "SourceDestCheck"},
       {"ebsOptimized", "EbsOptimized"}}};
  Json changes = Json::object();
  for (const auto& [old_name, member] : kNames) {
    if (const Json* value = input.at(member, "Value")) {
      changes.set(std::string(member), *value);
    }
    if (input.text("Attribute") == old_name) {
      const std::string value = input.text("Value");
      const bool flag = value == "true" || value == "false";
      changes.set(std::string(member), flag ? Json(value == "true") : Json(value));
    }
  }
  if (!input.list("Groups").empty()) {
    changes.set("Groups", input.list("Groups"));
  }
  if (changes.members()->size() != 1) {
    return client_error("InvalidParameterCombination", changes.members()->empty()
                                                           ? "No attributes specified."
                                                           : "Fields for multiple attribute types specified");
  }
  return changes;
}

Result<> change_shutdown_behavior(Instance& instance, const std::string& value) {
  if (value != "stop" && value != "terminate") {
    return client_error("InvalidParameterValue",
                        fmt::format("Value ({}) for parameter instanceInitiatedShutdownBehavior is invalid. "
                                    "Unknown instanceInitiatedShutdownBehavior.",
                                    value));
  }
  instance.shutdown_behavior = value;
  return {};
}

Result<> change_groups(RegionState& region, Instance& instance, const JsonArray& groups) {
  std::vector<std::string> ids;
  for (const Json& group : groups) {
    const std::string id = group.string() == nullptr ? "" : *group.string();
    if (!region.of(ResourceKind::security_group).contains(id)) {
      return client_error("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist", id));
    }
    ids.push_back(id);
  }
  instance.group_ids = std::move(ids);
  return {};
}

Result<Json> modify_instance_attribute(Context& context, const Json& input) {
  Instance& instance = *TRY(find_one(context, input));
  const Json changes = TRY(normalised(input));
  const auto& [member, value] = *changes.members()->begin();
  if (member == "InstanceInitiatedShutdownBehavior") {
    TRY(change_shutdown_behavior(instance, changes.text(member)));
  } else if (member == "InstanceType") {
    if (instance.status.state != InstanceState::stopped) {
      return client_error("IncorrectInstanceState",
                          fmt::format("The instance '{}' is not in the 'stopped' state.", instance.id));
    }
    instance.type = changes.text(member);
  } else if (member == "Groups") {
    TRY(change_groups(context.region, instance, changes.list("Groups")));
  } else if (member == "DisableApiTermination") {
    instance.api_termination_disabled = changes.boolean(member, false);
  } else if (member == "DisableApiStop") {
    instance.api_stop_disabled = changes.boolean(member, false);
  } else if (member == "SourceDestCheck") {
    instance.source_dest_check = changes.boolean(member, true);
  } else if (member == "EbsOptimized") {
    instance.ebs_optimized = changes.boolean(member, false);
  }
  return Json::object();
}

Result<std::vector<Tags*>> find_tagged(Context& context, const Json& input) {
  std::vector<Tags*> tagged;
  const std::vector<std::string> ids = strings_of(input, "Resources");
  if (ids.size() > kTagResourcesMax) {
    return client_error("InvalidParameterValue", "At most 1000 resources can be tagged in one call.");
  }
  for (const std::string& id : ids) {
    if (resource_type_of(id).empty()) {
      return client_error("InvalidID", fmt::format("The ID '{}' is not valid", id));
    }
    Tags* tags = find_tags(context.region, id);
    if (tags == nullptr) {
      if (id.starts_with("i-")) {
        TRY(find_instances(context.region, {id}));
      }
      return client_error(id.starts_with("ami-") ? "InvalidAMIID.NotFound" : "InvalidID",
                          fmt::format("The ID '{}' does not exist", id));
    }
    tagged.push_back(tags);
  }
  return tagged;
}

Result<Json> create_tags(Context& context, const Json& input) {
  const std::vector<Tags*> tagged = TRY(find_tagged(context, input));
  for (const Json& tag : input.list("Tags")) {
    const std::string key = tag.text("Key");
    if (key.empty() || key.size() > kTagKeyMax || tag.text("Value").size() > kTagValueMax || key.starts_with("aws:")) {
      return client_error(
          "InvalidParameterValue",
          fmt::format("Tag '{}' is not valid: keys have 1-128 characters and no prefix aws:, values at most 256.",
                      key));
    }
  }
  for (const Tags* tags : tagged) {
    Tags merged = *tags;
    for (const Json& tag : input.list("Tags")) {
      merged[tag.text("Key")] = tag.text("Value");
    }
    if (merged.size() > kTagsMax) {
      return client_error("TagLimitExceeded", "You have reached the maximum number of tags on a resource: 50.");
    }
  }
  for (Tags* tags : tagged) {
    for (const Json& tag : input.list("Tags")) {
      (*tags)[tag.text("Key")] = tag.text("Value");
    }
  }
  return Json::object();
}

Result<Json> delete_tags(Context& context, const Json& input) {
  const std::vector<Tags*> tagged = TRY(find_tagged(context, input));
  for (Tags* tags : tagged) {
    if (input.list("Tags").empty()) {
      tags->clear();
    }
    for (const Json& tag : input.list("Tags")) {
      const auto found = tags->find(tag.text("Key"));
      // With a value, only a tag of that value goes.
      if (found != tags->end() && (tag.find("Value") == nullptr || tag.text("Value") == found->second)) {
        tags->erase(found);
      }
    }
  }
  return Json::object();
}

void add_tags(std::vector<Json>& rendered, const std::string& id, const Tags& tags) {
  for (const auto& [key, value] : tags) {
    Json json =
        Json::object({{"Key", key}, {"ResourceId", id}, {"ResourceType", resource_type_of(id)}, {"Value", value}});
    rendered.push_back(std::move(json));
  }
}

Result<Json> describe_tags(Context& context, const Json& input) {
  static const FilterPaths kPaths = {
      {"key", "Key"}, {"value", "Value"}, {"resource-id", "ResourceId"}, {"resource-type", "ResourceType"}};
  std::vector<Json> rendered;
  for (const auto& [id, instance] : context.region.instances) {
    add_tags(rendered, id, instance.tags);
  }
  for (const auto& resources : context.region.resources) {
    for (const auto& [id, resource] : resources) {
      add_tags(rendered, id, resource.tags);
    }
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return page_of("DescribeTags", "Tags", std::move(rendered), input, PageLimits{5, 1000, 1000});
}

}  // namespace

Tags* find_tags(RegionState& region, const std::string& id) {
  if (const auto found = region.instances.find(id); found != region.instances.end()) {
    return &found->second.tags;
  }
  for (auto& resources : region.resources) {
    if (const auto found = resources.find(id); found != resources.end()) {
      return &found->second.tags;
    }
  }
  return nullptr;
}

std::string resource_type_of(const std::string& id) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTypes = {{{"i-", "instance"},
                                                                                           {"ami-", "image"},
                                                                                           {"snap-", "snapshot"},
                                                                                           {"vol-", "volume"},
                                                                                           {"key-", "key-pair"},
                                                                                           {"sg-", "security-group"},
                                                                                           {"vpc-", "vpc"},
                                                                                           {"subnet-", "subnet"}}};
  for (const auto& [prefix, type] : kTypes) {
    if (id.starts_with(prefix)) {
      return std::string(type);
    }
  }
  return "";
}

std::vector<OperationEntry> ec2_attribute_operations() {
  return {{"DescribeInstanceAttribute", describe_instance_attribute},
          {"ModifyInstanceAttribute", modify_instance_attribute},
          {"CreateTags", create_tags},
          {"DeleteTags", delete_tags},
          {"DescribeTags", describe_tags}};
}

}  // namespace parallax::sim
