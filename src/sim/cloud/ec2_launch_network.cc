// Where RunInstances puts an instance: subnet, zone, groups and addresses; and its volumes.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_launch.h"
#include "sim/cloud/ec2_rules.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kGroupsPerInterface = 5;

// The request's one network interface, or null.
Result<const Json*> interface_of(const Json& input) {
  const JsonArray& interfaces = input.list("NetworkInterfaces");
  if (interfaces.empty()) {
    return nullptr;
  }
  const Json& only = interfaces.front();
  if (!input.text("SubnetId").empty()) {
    return bad_combination(
        "Network interfaces and an instance-level subnet ID may not be specified on the same request");
  }
  if (!input.list("SecurityGroupIds").empty() || !input.list("SecurityGroups").empty()) {
    return bad_combination(
        "Network interfaces and instance-level security groups may not be specified on the same request");
  }
  if (!input.text("PrivateIpAddress").empty()) {
    return bad_combination(
        "Network interfaces and an instance-level private IP address may not be specified on the same request");
  }
  for (const std::string_view name :
       {"NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount", "Ipv6AddressCount",
        "Ipv6Addresses", "Ipv4Prefixes", "Ipv4PrefixCount", "Ipv6Prefixes", "Ipv6PrefixCount"}) {
    if (only.find(name) != nullptr) {
      return client_error("UnsupportedOperation",
                          fmt::format("This simulated cloud does not support NetworkInterface.{}.", name));
    }
  }
  if (interfaces.size() > 1 || only.integer("DeviceIndex", 0) != 0 || !only.boolean("DeleteOnTermination", true)) {
    return client_error("UnsupportedOperation",
                        "This simulated cloud gives an instance one network interface, of device index 0, which is "
                        "deleted with it.");
  }
  return &only;
}

Result<> put_in_subnet(Context& context, const std::string& subnet_id, const std::string& zone, LaunchPlan& plan) {
  const Resource& subnet = *TRY(find_resource(context, ResourceKind::subnet, subnet_id));
  plan.zone = subnet.description.text("AvailabilityZone");
  if (!zone.empty() && zone != plan.zone) {
    return client_error("InvalidParameterValue",
                        fmt::format("The availability zone '{}' is not that of the subnet '{}'", zone, subnet_id));
  }
  plan.subnet_id = subnet.id;
  plan.vpc_id = subnet.description.text("VpcId");
  plan.public_ip = subnet.description.boolean("MapPublicIpOnLaunch", false);
  return {};
}

// The zones where a default subnet is and the type is offered.
std::vector<std::string> default_zones(RegionState& region, const std::string& type) {
  std::vector<std::string> zones;
  for (const Zone& zone : zones_of(region.name)) {
    if (default_subnet(region, zone.name) != nullptr && type_offered(type, region, zone.name)) {
      zones.push_back(zone.name);
    }
  }
  return zones;
}

Result<> put_in_default_subnet(Context& context, const std::string& zone, LaunchPlan& plan) {
  RegionState& region = context.region;
  if (find_default_vpc(region) == nullptr) {
    return client_error("VPCIdNotSpecified",
                        "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.");
  }
  std::vector<std::string> zones = {zone};
  if (zone.empty()) {
    zones = default_zones(region, plan.type);
    if (zones.empty()) {
      return client_error("MissingInput", "No subnets found for the default VPC. Please specify a subnet.");
    }
  } else if (default_subnet(region, zone) == nullptr) {
    return client_error("MissingInput", fmt::format("No default subnet for availability zone: '{}'.", zone));
  }
  // EC2 picks a zone that has room, in no known order.
  const std::size_t first = static_cast<std::size_t>(context.world.rng->below(zones.size()));
  std::rotate(zones.begin(), zones.begin() + static_cast<std::ptrdiff_t>(first), zones.end());
  std::string chosen = zones.front();
  for (const std::string& candidate : zones) {
    if (has_room(context, plan.type, candidate, 1)) {
      chosen = candidate;
      break;
    }
  }
  return put_in_subnet(context, default_subnet(region, chosen)->id, "", plan);
}

Result<> check_offered(Context& context, const LaunchPlan& plan) {
  if (type_offered(plan.type, context.region, plan.zone)) {
    return {};
  }
  std::string others;
  for (const Zone& zone : zones_of(context.region.name)) {
    if (type_offered(plan.type, context.region, zone.name)) {
      others += (others.empty() ? "" : ", ") + zone.name;
    }
  }
  if (others.empty()) {
    return client_error("Unsupported", fmt::format("The requested configuration is currently not supported. Please "
                                                   "check the documentation for supported configurations: the instance "
                                                   "type {} is not offered in {}.",
                                                   plan.type, context.region.name));
  }
  return client_error("Unsupported",
                      fmt::format("Your requested instance type ({}) is not supported in your requested Availability "
                                  "Zone ({}). Please retry your request by not specifying an Availability Zone or "
                                  "choosing {}.",
                                  plan.type, plan.zone, others));
}

Result<> choose_groups(Context& context, const std::vector<std::string>& ids, const std::vector<std::string>& names,
                       LaunchPlan& plan) {
  for (const std::string& id : ids) {
    const Resource& group = *TRY(find_resource(context, ResourceKind::security_group, id));
    if (group.description.text("VpcId") != plan.vpc_id) {
      return client_error(
          "InvalidParameter",
          fmt::format("Security group {} and subnet {} belong to different networks.", id, plan.subnet_id));
    }
    plan.group_ids.push_back(id);
  }
  const Resource* vpc = find_default_vpc(context.region);
  for (const std::string& name : names) {
    const Resource* group = group_named(context.region, plan.vpc_id, name);
    if (vpc == nullptr || vpc->id != plan.vpc_id || group == nullptr || group->visible_at > context.world.mono) {
      return client_error("InvalidGroup.NotFound",
                          fmt::format("The security group '{}' does not exist in default VPC '{}'", name,
                                      vpc == nullptr ? "none" : vpc->id));
    }
    plan.group_ids.push_back(group->id);
  }
  if (plan.group_ids.empty()) {
    plan.group_ids.push_back(group_named(context.region, plan.vpc_id, "default")->id);
  }
  std::ranges::sort(plan.group_ids);
  plan.group_ids.erase(std::unique(plan.group_ids.begin(), plan.group_ids.end()), plan.group_ids.end());
  if (plan.group_ids.size() > kGroupsPerInterface) {
    return client_error("SecurityGroupsPerInterfaceLimitExceeded",
                        "The maximum number of security groups per interface has been reached.");
  }
  return {};
}

Result<> check_private_ip(Context& context, const LaunchPlan& plan) {
  if (plan.private_ip.empty()) {
    return {};
  }
  if (plan.count > 1) {
    return bad_combination("A private IP address can be given to one instance only.");
  }
  const Resource& subnet = context.region.of(ResourceKind::subnet).at(plan.subnet_id);
  if (!in_subnet(subnet, plan.private_ip)) {
    return client_error("InvalidParameterValue",
                        fmt::format("Address {} does not fall within the subnet's address range", plan.private_ip));
  }
  for (const auto& [id, interface] : context.region.of(ResourceKind::network_interface)) {
    if (interface.description.text("SubnetId") == plan.subnet_id &&
        interface.description.text("PrivateIpAddress") == plan.private_ip) {
      return client_error("InvalidIPAddress.InUse", fmt::format("Address {} is in use.", plan.private_ip));
    }
  }
  return {};
}

}  // namespace

Result<> plan_network(Context& context, const Json& input, LaunchPlan& plan) {
  const Json* placed = input.at("Placement", "AvailabilityZone");
  const std::string zone = placed == nullptr ? "" : *placed->string();
  if (!zone.empty()) {
    TRY(check_zone(context, zone));
  }
  const Json* interface = TRY(interface_of(input));
  const Json& source = interface == nullptr ? input : *interface;
  const std::string subnet_id = source.text("SubnetId");
  const std::vector<std::string> names = strings_of(input, "SecurityGroups");
  if (!subnet_id.empty() && !names.empty()) {
    return bad_combination("The parameter groupName cannot be used with the parameter subnet");
  }
  TRY(subnet_id.empty() ? put_in_default_subnet(context, zone, plan) : put_in_subnet(context, subnet_id, zone, plan));
  TRY(check_offered(context, plan));
  TRY(choose_groups(context, strings_of(source, interface == nullptr ? "SecurityGroupIds" : "Groups"), names, plan));
  plan.private_ip = source.text("PrivateIpAddress");
  TRY(check_private_ip(context, plan));
  if (interface != nullptr) {
    plan.public_ip = interface->boolean("AssociatePublicIpAddress", plan.public_ip);
    plan.interface_description = interface->text("Description");
  }
  return {};
}

namespace {

// What a mapping asks of a volume, over what the image says.
Result<PlannedVolume> planned_volume(Context& context, const std::string& device, const Json& base,
                                     const Json& wanted) {
  PlannedVolume planned;
  planned.device = device;
  Json ebs = base;
  for (const auto& [name, value] : *wanted.members()) {
    ebs.set(name, value);
  }
  VolumeSpec& spec = planned.spec;
  spec.snapshot_id = ebs.text("SnapshotId");
  std::int64_t least = base.integer("VolumeSize", 0);
  bool snapshot_encrypted = base.boolean("Encrypted", false);
  if (spec.snapshot_id != base.text("SnapshotId")) {
    const Json& snapshot = TRY(find_resource(context, ResourceKind::snapshot, spec.snapshot_id))->description;
    least = snapshot.integer("VolumeSize", 1);
    snapshot_encrypted = snapshot.boolean("Encrypted", false);
    ebs.set("VolumeSize", wanted.integer("VolumeSize", least));
  }
  spec.size_gib = ebs.integer("VolumeSize", 0);
  if (spec.size_gib == 0) {
    return missing_parameter("size/snapshot");
  }
  if (spec.size_gib < least && !spec.snapshot_id.empty()) {
    return client_error("InvalidBlockDeviceMapping",
                        fmt::format("Volume of size {}GB is smaller than snapshot '{}', expect size >= {}GB",
                                    spec.size_gib, spec.snapshot_id, least));
  }
  if (snapshot_encrypted && wanted.find("Encrypted") != nullptr && !wanted.boolean("Encrypted", true)) {
    return client_error("InvalidParameterValue", "A volume of an encrypted snapshot is encrypted.");
  }
  spec.type = ebs.text("VolumeType", "gp2");
  spec.encrypted = snapshot_encrypted || ebs.boolean("Encrypted", false) || context.region.encrypt_volumes;
  spec.kms_key = ebs.text("KmsKeyId");
  spec.iops = ebs.integer("Iops", 0);
  spec.throughput = ebs.integer("Throughput", 0);
  planned.delete_on_termination = ebs.boolean("DeleteOnTermination", true);
  TRY(check_volume(spec));
  return planned;
}

Result<> check_mappings(const JsonArray& mappings) {
  std::vector<std::string> devices;
  for (const Json& mapping : mappings) {
    const std::string device = mapping.text("DeviceName");
    if (device.empty() || std::ranges::find(devices, device) != devices.end()) {
      return client_error("InvalidBlockDeviceMapping", device.empty()
                                                           ? "A block device mapping has no device name."
                                                           : fmt::format("The device '{}' is used in more than one "
                                                                         "block-device mapping",
                                                                         device));
    }
    devices.push_back(device);
    if (!mapping.text("VirtualName").empty()) {
      return client_error("InvalidBlockDeviceMapping",
                          fmt::format("The instance type has no instance store: {}", mapping.text("VirtualName")));
    }
  }
  return {};
}

}  // namespace

Result<> plan_volumes(Context& context, const Json& input, const Json& image, LaunchPlan& plan) {
  const JsonArray& wanted = input.list("BlockDeviceMappings");
  TRY(check_mappings(wanted));
  const Json nothing = Json::object();
  std::vector<std::string> of_image;
  for (const Json& mapping : image.list("BlockDeviceMappings")) {
    const std::string device = mapping.text("DeviceName");
    of_image.push_back(device);
    const auto change = std::ranges::find_if(wanted, [&](const Json& m) { return m.text("DeviceName") == device; });
    const bool changed = change != wanted.end();
    if (changed && change->find("NoDevice") != nullptr && device != plan.root_device) {
      continue;
    }
    const Json* ebs = changed ? change->find("Ebs") : nullptr;
    const Json* base = mapping.find("Ebs");
    PlannedVolume planned =
        TRY(planned_volume(context, device, base == nullptr ? nothing : *base, ebs == nullptr ? nothing : *ebs));
    // The root's comes first.
    plan.volumes.insert(device == plan.root_device ? plan.volumes.begin() : plan.volumes.end(), std::move(planned));
  }
  for (const Json& mapping : wanted) {
    const std::string device = mapping.text("DeviceName");
    if (std::ranges::find(of_image, device) == of_image.end() && mapping.find("NoDevice") == nullptr) {
      const Json* ebs = mapping.find("Ebs");
      plan.volumes.push_back(TRY(planned_volume(context, device, nothing, ebs == nullptr ? nothing : *ebs)));
    }
  }
  for (const PlannedVolume& volume : plan.volumes) {
    if (!known_kms_key(volume.spec.kms_key)) {
      plan.failure = "Client.InternalError";
    }
  }
  return {};
}

}  // namespace parallax::sim
