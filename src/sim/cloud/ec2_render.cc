// Instances as DescribeInstances shows them.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

std::string dns_part(std::string ip) {
  std::ranges::replace(ip, '.', '-');
  return ip;
}

std::string reason_text(const std::string& code) {
  if (code == "Client.UserInitiatedShutdown") {
    return code + ": User initiated shutdown";
  }
  if (code == "Client.InstanceInitiatedShutdown") {
    return code + ": Instance initiated shutdown";
  }
  if (code == "Client.InternalError") {
    return code + ": Client error on launch";
  }
  return code + ": Internal error on launch";
}

void add_network(Json& json, const RegionState& region, const Instance& instance, const InstanceStatus& seen) {
  const std::string& ip = instance.elastic_ip.empty() ? seen.public_ip : instance.elastic_ip;
  json.set("SubnetId", instance.subnet_id);
  json.set("VpcId", instance.vpc_id);
  json.set("PrivateIpAddress", instance.private_ip);
  json.set("PrivateDnsName", fmt::format("ip-{}.{}.compute.internal", dns_part(instance.private_ip), region.name));
  json.set("PublicDnsName",
           ip.empty() ? "" : fmt::format("ec2-{}.{}.compute.amazonaws.com", dns_part(ip), region.name));
  if (!ip.empty()) {
    json.set("PublicIpAddress", ip);
  }
  const auto& interfaces = region.of(ResourceKind::network_interface);
  const auto interface = interfaces.find(instance.interface_id);
  if (interface != interfaces.end()) {
    json.set("NetworkInterfaces", Json::array({render_interface(region, interface->second)}));
  }
}

void add_devices(Json& json, const Instance& instance) {
  JsonArray devices;
  for (const BlockDevice& device : instance.devices) {
    devices.push_back(Json::object({{"DeviceName", device.device},
                                    {"Ebs", Json::object({{"VolumeId", device.volume_id},
                                                          {"Status", "attached"},
                                                          {"AttachTime", epoch_seconds(device.attached)},
                                                          {"DeleteOnTermination", device.delete_on_termination}})}}));
  }
  json.set("BlockDeviceMappings", std::move(devices));
}

Json frame(const World& world, const Instance& instance, const InstanceStatus& seen) {
  const TypeInfo* type = find_type(instance.type);
  Json json = Json::object(
      {{"InstanceId", instance.id},
       {"ImageId", instance.image_id},
       {"State", state_json(seen.state)},
       {"StateTransitionReason", seen.transition_reason},
       {"AmiLaunchIndex", instance.launch_index},
       {"ProductCodes", JsonArray{}},
       {"InstanceType", instance.type},
       {"LaunchTime", epoch_seconds(seen.launch_time)},
       {"Monitoring", Json::object({{"State", instance.monitoring ? "enabled" : "disabled"}})},
       {"Architecture", instance.architecture},
       {"RootDeviceType", "ebs"},
       {"RootDeviceName", instance.root_device},
       {"VirtualizationType", "hvm"},
       {"ClientToken", instance.client_token},
       {"SourceDestCheck", instance.source_dest_check},
       {"Hypervisor", "xen"},
       {"EbsOptimized", instance.ebs_optimized},
       {"EnaSupport", true},
       {"PlatformDetails", "Linux/UNIX"},
       {"UsageOperation", "RunInstances"},
       {"CurrentInstanceBootMode", type != nullptr && type->architecture == "arm64" ? "uefi" : "legacy-bios"}});
  json.set("Placement", Json::object({{"AvailabilityZone", instance.zone}, {"GroupName", ""}, {"Tenancy", "default"}}));
  json.set("Tags", tag_list(seen_tags(world, instance)));
  return json;
}

}  // namespace

Json render_instance(const World& world, const RegionState& region, const Instance& instance,
                     const InstanceStatus& seen) {
  Json json = frame(world, instance, seen);
  if (!instance.key_name.empty()) {
    json.set("KeyName", instance.key_name);
  }
  if (!seen.reason_code.empty()) {
    json.set("StateReason", Json::object({{"Code", seen.reason_code}, {"Message", reason_text(seen.reason_code)}}));
  }
  const bool gone = seen.state == InstanceState::terminated;
  if (!gone) {
    add_network(json, region, instance, seen);
    add_devices(json, instance);
  }
  if (!gone && !instance.profile_arn.empty()) {
    json.set("IamInstanceProfile",
             Json::object({{"Arn", instance.profile_arn}, {"Id", id_of_profile(world, instance.profile_arn)}}));
  }
  json.set("SecurityGroups", gone ? Json(JsonArray{}) : group_list(region, instance.group_ids));
  if (const JsonObject* options = instance.options.members()) {
    for (const auto& [name, value] : *options) {
      json.set(name, value);
    }
  }
  return json;
}

Json render_reservation(const Instance& instance, JsonArray instances) {
  return Json::object(
      {{"ReservationId", instance.reservation_id.empty() ? "r-" + instance.id.substr(2) : instance.reservation_id},
       {"OwnerId", kSimulatedAccount},
       {"Groups", JsonArray{}},
       {"Instances", std::move(instances)}});
}

}  // namespace parallax::sim
