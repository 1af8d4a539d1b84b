// Attributes of instances: described, changed, reset; metadata options, monitoring, the console.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/base64.h"
#include "sim/cloud/ec2_launch.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kGroupsPerInterface = 5;

struct Attribute {
  std::string_view name;    // "userData"
  std::string_view member;  // of ModifyInstanceAttribute and of the answer: "UserData"
  bool stopped_only;
};

// Those that are {"Value": x}, with Modify as well as Describe.
constexpr std::array<Attribute, 11> kAttributes = {
    {{"instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior", false},
     {"instanceType", "InstanceType", true},
     {"disableApiTermination", "DisableApiTermination", false},
     {"disableApiStop", "DisableApiStop", false},
     {"sourceDestCheck", "SourceDestCheck", false},
     {"ebsOptimized", "EbsOptimized", true},
     {"enaSupport", "EnaSupport", true},
     {"userData", "UserData", true},
     {"kernel", "Kernel", true},
     {"ramdisk", "Ramdisk", true},
     {"sriovNetSupport", "SriovNetSupport", true}}};

Json value_of(Json value) {
  return Json::object({{"Value", std::move(value)}});
}

Json devices_of(const Instance& instance) {
  JsonArray devices;
  for (const BlockDevice& device : instance.devices) {
    devices.push_back(Json::object({{"DeviceName", device.device},
                                    {"Ebs", Json::object({{"VolumeId", device.volume_id},
                                                          {"Status", "attached"},
                                                          {"AttachTime", epoch_seconds(device.attached)},
                                                          {"DeleteOnTermination", device.delete_on_termination}})}}));
  }
  return devices;
}

// The member and value that DescribeInstanceAttribute answers; nothing set: no member.
Result<std::pair<std::string, Json>> described(const RegionState& region, const Instance& instance,
                                               const std::string& attribute) {
  using Pair = std::pair<std::string, Json>;
  const std::array<std::pair<std::string_view, Pair>, 11> scalars = {
      {{"instanceInitiatedShutdownBehavior",
        {"InstanceInitiatedShutdownBehavior", value_of(instance.shutdown_behavior)}},
       {"instanceType", {"InstanceType", value_of(instance.type)}},
       {"disableApiTermination", {"DisableApiTermination", value_of(instance.api_termination_disabled)}},
       {"disableApiStop", {"DisableApiStop", value_of(instance.api_stop_disabled)}},
       {"sourceDestCheck", {"SourceDestCheck", value_of(instance.source_dest_check)}},
       {"ebsOptimized", {"EbsOptimized", value_of(instance.ebs_optimized)}},
       {"enaSupport", {"EnaSupport", value_of(true)}},
       {"rootDeviceName", {"RootDeviceName", value_of(instance.root_device)}},
       {"groupSet", {"Groups", group_list(region, instance.group_ids)}},
       {"blockDeviceMapping", {"BlockDeviceMappings", devices_of(instance)}},
       {"enclaveOptions", {"EnclaveOptions", Json::object({{"Enabled", false}})}}}};
  for (const auto& [name, answer] : scalars) {
    if (name == attribute) {
      return answer;
    }
  }
  if (attribute == "userData") {
    return instance.user_data.empty() ? Pair("UserData", Json::object())
                                      : Pair("UserData", value_of(instance.user_data));
  }
  if (attribute == "productCodes") {
    return Pair("ProductCodes", JsonArray{});
  }
  if (attribute == "kernel" || attribute == "ramdisk" || attribute == "sriovNetSupport") {
    return Pair(attribute == "kernel"    ? "KernelId"
                : attribute == "ramdisk" ? "RamdiskId"
                                         : "SriovNetSupport",
                Json::object());
  }
  return bad_parameter(attribute, "attribute", "Unknown attribute.");
}

Result<Json> describe_instance_attribute(Context& context, const Json& input) {
  const Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  auto [member, value] = TRY(described(context.region, instance, input.text("Attribute")));
  Json answer = Json::object({{"InstanceId", instance.id}});
  answer.set(std::move(member), std::move(value));
  return answer;
}

// The one change that the request wants. Attribute=X with Value=Y is the older spelling of X.Value=Y.
Result<std::pair<std::string, Json>> wanted_change(const Json& input) {
  std::vector<std::pair<std::string, Json>> changes;
  for (const Attribute& attribute : kAttributes) {
    if (const Json* value = input.at(attribute.member, "Value")) {
      changes.emplace_back(attribute.member, *value);
    } else if (input.find(attribute.member) != nullptr) {
      changes.emplace_back(attribute.member, "");
    }
    if (input.text("Attribute") == attribute.name) {
      const std::string value = input.text("Value");
      const bool flag = value == "true" || value == "false";
      changes.emplace_back(attribute.member, flag ? Json(value == "true") : Json(value));
    }
  }
  for (const std::string_view list : {"Groups", "BlockDeviceMappings"}) {
    if (!input.list(list).empty()) {
      changes.emplace_back(list, input.list(list));
    }
  }
  if (changes.size() != 1) {
    return bad_combination(changes.empty() ? "No attributes specified."
                                           : "Fields for multiple attribute types specified");
  }
  return changes.front();
}

Result<> check_state(const Instance& instance, const std::string& member) {
  const InstanceState state = instance.status.state;
  const auto attribute = std::ranges::find(kAttributes, member, &Attribute::member);
  if (attribute != kAttributes.end() && attribute->stopped_only && state != InstanceState::stopped) {
    return client_error("IncorrectInstanceState",
                        fmt::format("The instance '{}' is not in the 'stopped' state.", instance.id));
  }
  if (state == InstanceState::terminated || state == InstanceState::shutting_down) {
    return client_error("IncorrectInstanceState",
                        fmt::format("The instance '{}' is not in a valid state for this operation.", instance.id));
  }
  return {};
}

Result<> check_new_type(const RegionState& region, const Instance& instance, const std::string& name) {
  const TypeInfo* type = find_type(name);
  if (type == nullptr) {
    return client_error("InvalidInstanceAttributeValue",
                        fmt::format("Value ({}) for parameter instanceType is invalid. Unknown instance type.", name));
  }
  if (type->architecture != instance.architecture) {
    return client_error(
        "InvalidParameterCombination",
        fmt::format("The instance type {} is not of the instance's architecture, {}.", name, instance.architecture));
  }
  if (!type_offered(name, region, instance.zone)) {
    return client_error("Unsupported", fmt::format("The instance type {} is not supported in the Availability Zone {}.",
                                                   name, instance.zone));
  }
  return {};
}

Result<std::vector<std::string>> checked_groups(Context& context, const Instance& instance, const Json& groups) {
  std::vector<std::string> ids;
  for (const Json& group : *groups.items()) {
    const std::string id = group.string() == nullptr ? "" : *group.string();
    const Resource& found = *TRY(find_resource(context, ResourceKind::security_group, id));
    if (found.description.text("VpcId") != instance.vpc_id) {
      return client_error("InvalidGroup.NotFound",
                          fmt::format("The security group '{}' does not exist in VPC '{}'", id, instance.vpc_id));
    }
    ids.push_back(id);
  }
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.size() > kGroupsPerInterface) {
    return client_error("SecurityGroupsPerInterfaceLimitExceeded",
                        "The maximum number of security groups per interface has been reached.");
  }
  return ids;
}

Result<> change_devices(Context& context, Instance& instance, const Json& mappings) {
  for (const Json& mapping : *mappings.items()) {
    if (std::ranges::find(instance.devices, mapping.text("DeviceName"), &BlockDevice::device) ==
        instance.devices.end()) {
      return client_error("InvalidInstanceAttributeValue",
                          fmt::format("No device is currently mapped at {}", mapping.text("DeviceName")));
    }
  }
  TRY(end_of_dry_run(context));
  for (const Json& mapping : *mappings.items()) {
    const auto device = std::ranges::find(instance.devices, mapping.text("DeviceName"), &BlockDevice::device);
    if (const Json* flag = mapping.at("Ebs", "DeleteOnTermination")) {
      device->delete_on_termination = flag->boolean().value_or(true);
      Resource& volume = context.region.of(ResourceKind::volume).at(device->volume_id);
      Json attachment = volume.description.list("Attachments").front();
      attachment.set("DeleteOnTermination", device->delete_on_termination);
      volume.description.set("Attachments", Json::array({attachment}));
    }
  }
  return {};
}

// Whether the value may be set. What has no checks of its own is a flag.
Result<> check_value(const RegionState& region, const Instance& instance, const std::string& member,
                     const Json& value) {
  const std::string text = value.string() == nullptr ? "" : *value.string();
  if (member == "InstanceInitiatedShutdownBehavior" && text != "stop" && text != "terminate") {
    return bad_parameter(text, "instanceInitiatedShutdownBehavior", "Unknown instanceInitiatedShutdownBehavior.");
  }
  if (member == "InstanceType") {
    return check_new_type(region, instance, text);
  }
  if (member == "UserData") {
    return check_user_data(text);
  }
  if (member == "Kernel" || member == "Ramdisk" || member == "SriovNetSupport" || member == "EnaSupport") {
    return client_error("UnsupportedOperation",
                        fmt::format("This simulated cloud does not change the attribute {}.", member));
  }
  const bool flag = member == "DisableApiTermination" || member == "DisableApiStop" || member == "SourceDestCheck" ||
                    member == "EbsOptimized";
  if (flag && !value.is_bool()) {
    return bad_parameter(text, "value", "It must be true or false.");
  }
  if (member == "EbsOptimized" && value.boolean().value_or(false) && instance.type == "t2.micro") {
    return client_error("InvalidParameterCombination", "The instance type t2.micro does not support EBS optimization.");
  }
  return {};
}

void set_value(Instance& instance, const std::string& member, const Json& value) {
  if (member == "InstanceInitiatedShutdownBehavior") {
    instance.shutdown_behavior = *value.string();
  } else if (member == "InstanceType") {
    instance.type = *value.string();
  } else if (member == "UserData") {
    instance.user_data = *value.string();
  } else if (member == "DisableApiTermination") {
    instance.api_termination_disabled = *value.boolean();
  } else if (member == "DisableApiStop") {
    instance.api_stop_disabled = *value.boolean();
  } else if (member == "SourceDestCheck") {
    instance.source_dest_check = *value.boolean();
  } else if (member == "EbsOptimized") {
    instance.ebs_optimized = *value.boolean();
  }
}

Result<Json> modify_instance_attribute(Context& context, const Json& input) {
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  const auto [member, value] = TRY(wanted_change(input));
  TRY(check_state(instance, member));
  if (member == "BlockDeviceMappings") {
    TRY(change_devices(context, instance, value));
  } else if (member == "Groups") {
    std::vector<std::string> ids = TRY(checked_groups(context, instance, value));
    TRY(end_of_dry_run(context));
    instance.group_ids = std::move(ids);
  } else {
    TRY(check_value(context.region, instance, member, value));
    TRY(end_of_dry_run(context));
    set_value(instance, member, value);
  }
  return Json::object();
}

Result<Json> reset_instance_attribute(Context& context, const Json& input) {
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  const std::string attribute = input.text("Attribute");
  if (attribute != "sourceDestCheck" && attribute != "kernel" && attribute != "ramdisk") {
    return bad_parameter(attribute, "attribute", "Only kernel, ramdisk and sourceDestCheck can be reset.");
  }
  TRY(check_state(instance, attribute == "kernel" ? "Kernel" : attribute == "ramdisk" ? "Ramdisk" : ""));
  TRY(end_of_dry_run(context));
  if (attribute == "sourceDestCheck") {
    instance.source_dest_check = true;
  }
  return Json::object();
}

Result<Json> modify_metadata_options(Context& context, const Json& input) {
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  TRY(check_state(instance, ""));
  Json wanted = input;
  for (const std::string_view name : {"InstanceId", "DryRun"}) {
    wanted.members()->erase(name);
  }
  if (wanted.members()->empty()) {
    return missing_parameter("httpTokens, httpEndpoint, httpPutResponseHopLimit or instanceMetadataTags");
  }
  const Json* present = instance.options.find("MetadataOptions");
  Json changed = TRY(metadata_options(&wanted, present == nullptr ? Json::object() : *present));
  TRY(end_of_dry_run(context));
  instance.options.set("MetadataOptions", changed);
  changed.set("State", "pending");
  return Json::object({{"InstanceId", instance.id}, {"InstanceMetadataOptions", std::move(changed)}});
}

template <bool on>
Result<Json> set_monitoring(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(find_instances(context, strings_of(input, "InstanceIds")));
  for (const Instance* instance : chosen) {
    if (instance->status.state == InstanceState::terminated) {
      return client_error("IncorrectInstanceState", fmt::format("The instance '{}' is terminated.", instance->id));
    }
  }
  TRY(end_of_dry_run(context));
  JsonArray changes;
  for (Instance* instance : chosen) {
    instance->monitoring = on;
    changes.push_back(Json::object(
        {{"InstanceId", instance->id}, {"Monitoring", Json::object({{"State", on ? "pending" : "disabling"}})}}));
  }
  return Json::object({{"InstanceMonitorings", std::move(changes)}});
}

// What the simulated machine wrote on its console in this boot.
Result<Json> get_console_output(Context& context, const Json& input) {
  const Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  const TypeInfo* type = find_type(instance.type);
  if (input.boolean("Latest", false) && (type == nullptr || type->hypervisor != "nitro")) {
    return client_error("UnsupportedOperation",
                        "This instance type does not support retrieving the latest console logs.");
  }
  TRY(end_of_dry_run(context));
  Json answer = Json::object({{"InstanceId", instance.id}, {"Timestamp", epoch_seconds(context.world.now)}});
  const InstanceState state = instance.status.state;
  if (instance.boot == 0 || state == InstanceState::pending || state == InstanceState::terminated) {
    return answer;
  }
  const std::string text = fmt::format(
      "[    0.000000] Simulated machine {} of type {} in {}, boot {} of {}\n"
      "[    1.000000] root device {}\n"
      "{} login: ",
      instance.id, instance.type, instance.zone, instance.boot, to_iso8601_seconds(instance.status.launch_time),
      instance.root_device, instance.private_ip);
  answer.set("Output", base64_encode(text));
  return answer;
}

}  // namespace

std::vector<OperationEntry> ec2_attribute_operations() {
  return {{"DescribeInstanceAttribute", describe_instance_attribute},
          {"ModifyInstanceAttribute", modify_instance_attribute, DryRun::after_checks},
          {"ResetInstanceAttribute", reset_instance_attribute, DryRun::after_checks},
          {"ModifyInstanceMetadataOptions", modify_metadata_options, DryRun::after_checks},
          {"MonitorInstances", set_monitoring<true>, DryRun::after_checks},
          {"UnmonitorInstances", set_monitoring<false>, DryRun::after_checks},
          {"GetConsoleOutput", get_console_output, DryRun::after_checks}};
}

}  // namespace parallax::sim
