// Network interfaces of instances, and regions and zones.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/ec2_rules.h"

namespace parallax::sim {

namespace {

constexpr std::int64_t kHttpsPort = 443;

const DescribeSpec& interfaces_spec() {
  static const DescribeSpec kSpec = {"DescribeNetworkInterfaces",
                                     "NetworkInterfaces",
                                     {{"addresses.private-ip-address", "PrivateIpAddresses.PrivateIpAddress"},
                                      {"addresses.primary", "PrivateIpAddresses.Primary"},
                                      {"addresses.association.public-ip", "PrivateIpAddresses.Association.PublicIp"},
                                      {"association.public-ip", "Association.PublicIp"},
                                      {"association.public-dns-name", "Association.PublicDnsName"},
                                      {"association.ip-owner-id", "Association.IpOwnerId"},
                                      {"association.allocation-id", "Association.AllocationId"},
                                      {"attachment.attachment-id", "Attachment.AttachmentId"},
                                      {"attachment.instance-id", "Attachment.InstanceId"},
                                      {"attachment.instance-owner-id", "Attachment.InstanceOwnerId"},
                                      {"attachment.device-index", "Attachment.DeviceIndex"},
                                      {"attachment.delete-on-termination", "Attachment.DeleteOnTermination"},
                                      {"attachment.status", "Attachment.Status"},
                                      {"availability-zone", "AvailabilityZone"},
                                      {"description", "Description"},
                                      {"group-id", "Groups.GroupId"},
                                      {"group-name", "Groups.GroupName"},
                                      {"interface-type", "InterfaceType"},
                                      {"mac-address", "MacAddress"},
                                      {"network-interface-id", "NetworkInterfaceId"},
                                      {"owner-id", "OwnerId"},
                                      {"private-ip-address", "PrivateIpAddress"},
                                      {"private-dns-name", "PrivateDnsName"},
                                      {"requester-managed", "RequesterManaged"},
                                      {"source-dest-check", "SourceDestCheck"},
                                      {"status", "Status"},
                                      {"subnet-id", "SubnetId"},
                                      {"vpc-id", "VpcId"}}};
  return kSpec;
}

// DescribeNetworkInterfaces calls them TagSet, alone of all.
Result<Json> describe_interfaces(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "NetworkInterfaceIds", "networkInterfaceIds"));
  std::vector<Json> rendered;
  for (const Json& chosen :
       TRY(choose_resources(context, ResourceKind::network_interface, strings_of(input, "NetworkInterfaceIds")))) {
    const Resource& interface =
        context.region.of(ResourceKind::network_interface).at(chosen.text("NetworkInterfaceId"));
    Json json = render_interface(context.region, interface);
    json.set("Tags", *chosen.find("Tags"));
    json.set("TagSet", *chosen.find("Tags"));
    rendered.push_back(std::move(json));
  }
  return finish_describe(interfaces_spec(), std::move(rendered), input);
}

Result<Json> describe_regions(Context& context, const Json& input) {
  static const FilterPaths kPaths = {
      {"region-name", "RegionName"}, {"endpoint", "Endpoint"}, {"opt-in-status", "OptInStatus"}};
  const std::vector<std::string> names = strings_of(input, "RegionNames");
  std::string unknown;
  for (const std::string& name : names) {
    if (!context.world.regions.contains(name)) {
      unknown += (unknown.empty() ? "" : ", ") + name;
    }
  }
  if (!unknown.empty()) {
    return client_error("InvalidParameterValue", fmt::format("Invalid region provided: [{}]", unknown));
  }
  const bool all = input.boolean("AllRegions", false);
  std::vector<Json> rendered;
  for (const auto& [name, region] : context.world.regions) {
    if ((names.empty() || std::ranges::find(names, name) != names.end()) && (region.enabled || all)) {
      rendered.push_back(Json::object({{"RegionName", name},
                                       {"Endpoint", fmt::format("ec2.{}.amazonaws.com", name)},
                                       {"OptInStatus", region.opt_in_status}}));
    }
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return Json::object({{"Regions", JsonArray(rendered.begin(), rendered.end())}});
}

Result<Json> describe_zones(Context& context, const Json& input) {
  static const FilterPaths kPaths = {{"group-name", "GroupName"},
                                     {"message", "Messages.Message"},
                                     {"opt-in-status", "OptInStatus"},
                                     {"region-name", "RegionName"},
                                     {"state", "State"},
                                     {"zone-id", "ZoneId"},
                                     {"zone-name", "ZoneName"},
                                     {"zone-type", "ZoneType"},
                                     {"parent-zoneID", "ParentZoneId"},
                                     {"parent-zone-id", "ParentZoneId"},
                                     {"parent-zone-name", "ParentZoneName"}};
  const std::vector<std::string> names = strings_of(input, "ZoneNames");
  const std::vector<std::string> ids = strings_of(input, "ZoneIds");
  const std::vector<Zone> zones = zones_of(context.region.name);
  for (const std::string& name : names) {
    TRY(check_zone(context, name));
  }
  for (const std::string& id : ids) {
    if (std::ranges::find(zones, id, &Zone::id) == zones.end()) {
      return client_error("InvalidParameterValue", fmt::format("Invalid availability zone-id: [{}]", id));
    }
  }
  std::vector<Json> rendered;
  for (const Zone& zone : zones) {
    const bool named = std::ranges::find(names, zone.name) != names.end();
    const bool by_id = std::ranges::find(ids, zone.id) != ids.end();
    if ((names.empty() && ids.empty()) || named || by_id) {
      rendered.push_back(Json::object({{"State", "available"},
                                       {"OptInStatus", "opt-in-not-required"},
                                       {"Messages", JsonArray{}},
                                       {"RegionName", context.region.name},
                                       {"ZoneName", zone.name},
                                       {"ZoneId", zone.id},
                                       {"GroupName", context.region.name},
                                       {"NetworkBorderGroup", context.region.name},
                                       {"ZoneType", "availability-zone"}}));
    }
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return Json::object({{"AvailabilityZones", JsonArray(rendered.begin(), rendered.end())}});
}

// What EC2-VPC accounts are told; the numbers are the simulator's limits.
Result<Json> describe_account_attributes(Context& context, const Json& input) {
  const Resource* vpc = find_default_vpc(context.region);
  const std::vector<std::pair<std::string, std::string>> all = {
      {"supported-platforms", "VPC"},
      {"default-vpc", vpc == nullptr ? "none" : vpc->id},
      {"vpc-max-security-groups-per-interface", "5"},
      {"max-instances", std::to_string(context.world.options.vcpu_limit)},
      {"vpc-max-elastic-ips", "5"},
      {"max-elastic-ips", "5"}};
  const std::vector<std::string> names = strings_of(input, "AttributeNames");
  JsonArray attributes;
  for (const auto& [name, value] : all) {
    if (names.empty() || std::ranges::find(names, name) != names.end()) {
      attributes.push_back(Json::object(
          {{"AttributeName", name}, {"AttributeValues", Json::array({Json::object({{"AttributeValue", value}})})}}));
    }
  }
  return Json::object({{"AccountAttributes", std::move(attributes)}});
}

std::string dns_part(std::string ip) {
  std::ranges::replace(ip, '.', '-');
  return ip;
}

Json association_of(const RegionState& region, const Instance& instance) {
  Json association = Json::object();
  const bool elastic = !instance.elastic_ip.empty();
  const std::string& ip = elastic ? instance.elastic_ip : instance.status.public_ip;
  association.set("IpOwnerId", elastic ? kSimulatedAccount : std::string_view("amazon"));
  association.set("PublicIp", ip);
  association.set("PublicDnsName", fmt::format("ec2-{}.{}.compute.amazonaws.com", dns_part(ip), region.name));
  for (const auto& [id, address] : region.of(ResourceKind::address)) {
    if (elastic && address.description.text("PublicIp") == ip) {
      association.set("AllocationId", id);
      association.set("AssociationId", address.description.text("AssociationId"));
    }
  }
  return association;
}

}  // namespace

Resource& add_interface(World& world, RegionState& region, Instance& instance, const std::string& description,
                        bool delete_on_termination) {
  const std::uint64_t mac = world.rng->next();
  Resource& interface = add_resource(
      world, region, ResourceKind::network_interface,
      Json::object(
          {{"AvailabilityZone", instance.zone},
           {"Description", description},
           {"InterfaceType", "interface"},
           {"Ipv6Addresses", JsonArray{}},
           {"MacAddress", fmt::format("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac & 0xffU, (mac >> 8U) & 0xffU,
                                      (mac >> 16U) & 0xffU, (mac >> 24U) & 0xffU, (mac >> 32U) & 0xffU)},
           {"OwnerId", kSimulatedAccount},
           {"PrivateIpAddress", instance.private_ip},
           {"PrivateDnsName", fmt::format("ip-{}.{}.compute.internal", dns_part(instance.private_ip), region.name)},
           {"RequesterManaged", false},
           {"SubnetId", instance.subnet_id},
           {"VpcId", instance.vpc_id},
           {"Attachment", Json::object({{"AttachmentId", world.hex_id("eni-attach-")},
                                        {"AttachTime", epoch_seconds(world.now)},
                                        {"DeleteOnTermination", delete_on_termination},
                                        {"DeviceIndex", 0},
                                        {"NetworkCardIndex", 0},
                                        {"InstanceId", instance.id},
                                        {"InstanceOwnerId", kSimulatedAccount},
                                        {"Status", "attached"}})}}),
      {});
  interface.visible_at = world.mono;
  instance.interface_id = interface.id;
  return interface;
}

Json render_interface(const RegionState& region, const Resource& interface) {
  Json json = interface.description;
  const Json* attached = json.at("Attachment", "InstanceId");
  const auto owner = attached == nullptr ? region.instances.end() : region.instances.find(*attached->string());
  Json address = Json::object({{"Primary", true},
                               {"PrivateIpAddress", json.text("PrivateIpAddress")},
                               {"PrivateDnsName", json.text("PrivateDnsName")}});
  json.set("Status", attached == nullptr ? "available" : "in-use");
  if (owner != region.instances.end()) {
    const Instance& instance = owner->second;
    json.set("Groups", group_list(region, instance.group_ids));
    json.set("SourceDestCheck", instance.source_dest_check);
    if (!instance.elastic_ip.empty() || !instance.status.public_ip.empty()) {
      const Json association = association_of(region, instance);
      json.set("Association", association);
      address.set("Association", association);
    }
  }
  json.set("PrivateIpAddresses", Json::array({address}));
  return json;
}

bool reaches_internet(const RegionState& region, const Instance& instance) {
  if (instance.elastic_ip.empty() && instance.status.public_ip.empty()) {
    return false;
  }
  const bool routed = std::ranges::any_of(region.of(ResourceKind::route_table), [&](const auto& entry) {
    const Json& table = entry.second.description;
    return table.text("VpcId") == instance.vpc_id && std::ranges::any_of(table.list("Routes"), [](const Json& route) {
             return route.text("DestinationCidrBlock") == "0.0.0.0/0";
           });
  });
  return routed && std::ranges::any_of(instance.group_ids, [&](const std::string& id) {
           return std::ranges::any_of(rules_of(region, id, true), [](const Resource* rule) {
             const Json& json = rule->description;
             const std::string protocol = json.text("IpProtocol");
             const bool port = protocol == "-1" || (protocol == "tcp" && json.integer("FromPort", 0) <= kHttpsPort &&
                                                    json.integer("ToPort", 0) >= kHttpsPort);
             return port && json.text("CidrIpv4") == "0.0.0.0/0";
           });
         });
}

bool group_in_use(const RegionState& region, const std::string& group_id) {
  return std::ranges::any_of(region.instances, [&](const auto& entry) {
    const Instance& instance = entry.second;
    return std::ranges::find(instance.group_ids, group_id) != instance.group_ids.end() &&
           (instance.status.state != InstanceState::terminated ||
            region.of(ResourceKind::network_interface).contains(instance.interface_id));
  });
}

std::vector<OperationEntry> ec2_region_operations() {
  return {{"DescribeRegions", describe_regions},
          {"DescribeAvailabilityZones", describe_zones},
          {"DescribeAccountAttributes", describe_account_attributes},
          {"DescribeNetworkInterfaces", describe_interfaces}};
}

}  // namespace parallax::sim
