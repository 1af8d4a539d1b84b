// VPCs, subnets, gateways, route tables: what a fleet's set-up looks at, and makes where the default VPC is gone.
#include <algorithm>
#include <arpa/inet.h>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/ec2_rules.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kVpcsMax = 5;
constexpr std::uint32_t kReservedAddresses = 5;  // of each subnet: network, router, DNS, future, broadcast

struct Block {
  std::uint32_t first = 0;
  unsigned length = 0;

  std::uint32_t size() const { return std::uint32_t{1} << (32 - length); }

  bool overlaps(const Block& other) const { return first < other.first + other.size() && other.first < first + size(); }

  bool contains(const Block& other) const {
    return other.length >= length && other.first >= first && other.first + other.size() <= first + size();
  }
};

std::string text_of(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24U, (address >> 16U) & 0xffU, (address >> 8U) & 0xffU, address & 0xffU);
}

// Bits beyond the prefix are cleared, as EC2 does for VPCs and subnets. Lengths 16 to 28.
Result<Block> parse_cidr(const std::string& text, std::string_view range_code) {
  const std::size_t slash = text.find('/');
  in_addr address{};
  unsigned length = 0;
  if (slash == std::string::npos || inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1 ||
      text.size() - slash > 3 || text.size() - slash < 2) {
    return client_error(
        "InvalidParameterValue",
        fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text));
  }
  for (const char c : text.substr(slash + 1)) {
    if (c < '0' || c > '9') {
      return client_error(
          "InvalidParameterValue",
          fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text));
    }
    length = length * 10 + static_cast<unsigned>(c - '0');
  }
  if (length < 16 || length > 28) {
    return client_error(std::string(range_code), fmt::format("The CIDR '{}' is invalid.", text));
  }
  return Block{ntohl(address.s_addr) & ~((std::uint32_t{1} << (32 - length)) - 1), length};
}

Block block_of(const Resource& resource) {
  return parse_cidr(resource.description.text("CidrBlock"), "InvalidVpc.Range").value_or(Block{});
}

std::string to_text(const Block& block) {
  return fmt::format("{}/{}", text_of(block.first), block.length);
}

Json vpc_description(World& world, const std::string& cidr, bool is_default) {
  return Json::object({{"CidrBlock", cidr},
                       {"DhcpOptionsId", "dopt-" + world.hex_id("").substr(0, 17)},
                       {"CidrBlockAssociationSet",
                        Json::array({Json::object({{"AssociationId", world.hex_id("vpc-cidr-assoc-")},
                                                   {"CidrBlock", cidr},
                                                   {"CidrBlockState", Json::object({{"State", "associated"}})}})})},
                       {"IsDefault", is_default},
                       {"State", "available"},
                       {"OwnerId", kSimulatedAccount},
                       {"InstanceTenancy", "default"}});
}

// The main route table, with a route to `gateway` where there is one.
void add_main_route_table(World& world, RegionState& region, const Resource& vpc, const std::string& gateway) {
  JsonArray routes = {Json::object({{"DestinationCidrBlock", vpc.description.text("CidrBlock")},
                                    {"GatewayId", "local"},
                                    {"Origin", "CreateRouteTable"},
                                    {"State", "active"}})};
  if (!gateway.empty()) {
    routes.push_back(Json::object({{"DestinationCidrBlock", "0.0.0.0/0"},
                                   {"GatewayId", gateway},
                                   {"Origin", "CreateRoute"},
                                   {"State", "active"}}));
  }
  Resource& table = add_resource(world, region, ResourceKind::route_table,
                                 Json::object({{"VpcId", vpc.id},
                                               {"OwnerId", kSimulatedAccount},
                                               {"PropagatingVgws", JsonArray{}},
                                               {"Routes", std::move(routes)}}),
                                 {});
  table.description.set("Associations",
                        Json::array({Json::object({{"Main", true},
                                                   {"RouteTableAssociationId", world.hex_id("rtbassoc-")},
                                                   {"RouteTableId", table.id},
                                                   {"AssociationState", Json::object({{"State", "associated"}})}})}));
}

const DescribeSpec& vpcs_spec() {
  static const DescribeSpec kSpec = {
      "DescribeVpcs",
      "Vpcs",
      {{"vpc-id", "VpcId"},
       {"is-default", "IsDefault"},
       {"isDefault", "IsDefault"},
       {"state", "State"},
       {"cidr", "CidrBlock"},
       {"cidr-block-association.cidr-block", "CidrBlockAssociationSet.CidrBlock"},
       {"cidr-block-association.association-id", "CidrBlockAssociationSet.AssociationId"},
       {"cidr-block-association.state", "CidrBlockAssociationSet.CidrBlockState.State"},
       {"ipv6-cidr-block-association.ipv6-cidr-block", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock"},
       {"dhcp-options-id", "DhcpOptionsId"},
       {"owner-id", "OwnerId"}}};
  return kSpec;
}

const DescribeSpec& subnets_spec() {
  static const DescribeSpec kSpec = {"DescribeSubnets",
                                     "Subnets",
                                     {{"subnet-id", "SubnetId"},
                                      {"vpc-id", "VpcId"},
                                      {"availability-zone", "AvailabilityZone"},
                                      {"availabilityZone", "AvailabilityZone"},
                                      {"availability-zone-id", "AvailabilityZoneId"},
                                      {"availabilityZoneId", "AvailabilityZoneId"},
                                      {"available-ip-address-count", "AvailableIpAddressCount"},
                                      {"cidr-block", "CidrBlock"},
                                      {"cidr", "CidrBlock"},
                                      {"cidrBlock", "CidrBlock"},
                                      {"default-for-az", "DefaultForAz"},
                                      {"defaultForAz", "DefaultForAz"},
                                      {"ipv6-native", "Ipv6Native"},
                                      {"map-public-ip-on-launch", "MapPublicIpOnLaunch"},
                                      {"owner-id", "OwnerId"},
                                      {"state", "State"},
                                      {"subnet-arn", "SubnetArn"}}};
  return kSpec;
}

const DescribeSpec& gateways_spec() {
  static const DescribeSpec kSpec = {"DescribeInternetGateways",
                                     "InternetGateways",
                                     {{"attachment.state", "Attachments.State"},
                                      {"attachment.vpc-id", "Attachments.VpcId"},
                                      {"internet-gateway-id", "InternetGatewayId"},
                                      {"owner-id", "OwnerId"}}};
  return kSpec;
}

const DescribeSpec& tables_spec() {
  static const DescribeSpec kSpec = {
      "DescribeRouteTables",
      "RouteTables",
      {{"association.main", "Associations.Main"},
       {"association.route-table-association-id", "Associations.RouteTableAssociationId"},
       {"association.route-table-id", "Associations.RouteTableId"},
       {"association.subnet-id", "Associations.SubnetId"},
       {"association.gateway-id", "Associations.GatewayId"},
       {"owner-id", "OwnerId"},
       {"route-table-id", "RouteTableId"},
       {"route.destination-cidr-block", "Routes.DestinationCidrBlock"},
       {"route.gateway-id", "Routes.GatewayId"},
       {"route.origin", "Routes.Origin"},
       {"route.state", "Routes.State"},
       {"vpc-id", "VpcId"}},
      {5, 100, 100}};
  return kSpec;
}

template <ResourceKind kind, const DescribeSpec& (*spec)()>
Result<Json> describe(Context& context, const Json& input) {
  // "SubnetId": the list is "SubnetIds".
  const std::string ids = std::string(info_of(kind).id_member) + "s";
  TRY(ids_without_pages(input, ids, ids));
  return finish_describe(spec(), TRY(choose_resources(context, kind, strings_of(input, ids))), input);
}

std::size_t addresses_used(const RegionState& region, const std::string& subnet_id) {
  return static_cast<std::size_t>(
      std::ranges::count_if(region.of(ResourceKind::network_interface),
                            [&](const auto& entry) { return entry.second.description.text("SubnetId") == subnet_id; }));
}

Result<Json> describe_subnets(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "SubnetIds", "subnetIds"));
  std::vector<Json> rendered = TRY(choose_resources(context, ResourceKind::subnet, strings_of(input, "SubnetIds")));
  for (Json& json : rendered) {
    const Block block = parse_cidr(json.text("CidrBlock"), "InvalidSubnet.Range").value_or(Block{});
    json.set("AvailableIpAddressCount",
             static_cast<std::int64_t>(block.size() - kReservedAddresses) -
                 static_cast<std::int64_t>(addresses_used(context.region, json.text("SubnetId"))));
  }
  return finish_describe(subnets_spec(), std::move(rendered), input);
}

Result<Json> create_default_vpc(Context& context, const Json& /*input*/) {
  if (find_default_vpc(context.region) != nullptr) {
    return client_error("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.");
  }
  TRY(end_of_dry_run(context));
  return Json::object({{"Vpc", with_tags(context.world, add_default_vpc(context.world, context.region))}});
}

Result<Json> create_vpc(Context& context, const Json& input) {
  if (input.text("CidrBlock").empty()) {
    return missing_parameter("cidrBlock");
  }
  const Block block = TRY(parse_cidr(input.text("CidrBlock"), "InvalidVpc.Range"));
  if (input.text("InstanceTenancy", "default") != "default") {
    return client_error("UnsupportedOperation", "This simulated cloud has the tenancy default only.");
  }
  if (input.boolean("AmazonProvidedIpv6CidrBlock", false)) {
    return client_error("UnsupportedOperation", "This simulated cloud has no IPv6 addresses.");
  }
  auto tags = TRY(tag_specifications(input, {"vpc"}));
  if (context.region.of(ResourceKind::vpc).size() >= kVpcsMax) {
    return client_error("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
  }
  TRY(end_of_dry_run(context));
  Resource& vpc = add_resource(context.world, context.region, ResourceKind::vpc,
                               vpc_description(context.world, to_text(block), false), tags["vpc"]);
  add_main_route_table(context.world, context.region, vpc, "");
  add_security_group(context.world, context.region, vpc.id, "default", "default VPC security group", {});
  return Json::object({{"Vpc", with_tags(context.world, vpc)}});
}

Result<Zone> zone_of_request(Context& context, const Json& input) {
  const std::vector<Zone> zones = zones_of(context.region.name);
  const std::string name = input.text("AvailabilityZone");
  const std::string id = input.text("AvailabilityZoneId");
  const auto found = std::ranges::find_if(
      zones, [&](const Zone& zone) { return (name.empty() || zone.name == name) && (id.empty() || zone.id == id); });
  if (found == zones.end()) {
    return bad_parameter(name.empty() ? id : name, "availabilityZone",
                         fmt::format("Subnets can currently only be created in the following availability zones: {}.",
                                     zones.front().name));
  }
  return *found;
}

Result<Json> create_subnet(Context& context, const Json& input) {
  const Resource& vpc = *TRY(find_resource(context, ResourceKind::vpc, input.text("VpcId")));
  if (input.text("CidrBlock").empty()) {
    return missing_parameter("cidrBlock");
  }
  const Block block = TRY(parse_cidr(input.text("CidrBlock"), "InvalidSubnet.Range"));
  if (!block_of(vpc).contains(block)) {
    return client_error("InvalidSubnet.Range", fmt::format("The CIDR '{}' is invalid.", input.text("CidrBlock")));
  }
  for (const auto& [id, subnet] : context.region.of(ResourceKind::subnet)) {
    if (subnet.description.text("VpcId") == vpc.id && block_of(subnet).overlaps(block)) {
      return client_error("InvalidSubnet.Conflict",
                          fmt::format("The CIDR '{}' conflicts with another subnet", input.text("CidrBlock")));
    }
  }
  const Zone zone = TRY(zone_of_request(context, input));
  auto tags = TRY(tag_specifications(input, {"subnet"}));
  TRY(end_of_dry_run(context));
  Resource& subnet = add_subnet(context.world, context.region, vpc.id, zone, to_text(block), false);
  subnet.tags = tags["subnet"];
  Json json = with_tags(context.world, subnet);
  json.set("AvailableIpAddressCount", static_cast<std::int64_t>(block.size() - kReservedAddresses));
  return Json::object({{"Subnet", std::move(json)}});
}

Error dependency(std::string_view kind, const std::string& id) {
  return client_error("DependencyViolation",
                      fmt::format("The {} '{}' has dependencies and cannot be deleted.", kind, id));
}

Result<Json> delete_subnet(Context& context, const Json& input) {
  const std::string id = TRY(find_resource(context, ResourceKind::subnet, input.text("SubnetId")))->id;
  if (addresses_used(context.region, id) > 0) {
    return dependency("subnet", id);
  }
  TRY(end_of_dry_run(context));
  context.region.of(ResourceKind::subnet).erase(id);
  return Json::object();
}

Result<Json> delete_vpc(Context& context, const Json& input) {
  RegionState& region = context.region;
  const std::string id = TRY(find_resource(context, ResourceKind::vpc, input.text("VpcId")))->id;
  const auto in_vpc = [&](const auto& entry) { return entry.second.description.text("VpcId") == id; };
  const auto attached = [&](const auto& entry) {
    return std::ranges::any_of(entry.second.description.list("Attachments"),
                               [&](const Json& attachment) { return attachment.text("VpcId") == id; });
  };
  const bool other_groups = std::ranges::count_if(region.of(ResourceKind::security_group), in_vpc) > 1;
  if (other_groups || std::ranges::any_of(region.of(ResourceKind::subnet), in_vpc) ||
      std::ranges::any_of(region.of(ResourceKind::internet_gateway), attached)) {
    return dependency("vpc", id);
  }
  TRY(end_of_dry_run(context));
  for (auto& [group_id, group] : region.of(ResourceKind::security_group)) {
    if (group.description.text("VpcId") == id) {
      std::erase_if(region.of(ResourceKind::security_group_rule), [&, &gid = group_id](const auto& entry) {
        return entry.second.description.text("GroupId") == gid;
      });
    }
  }
  std::erase_if(region.of(ResourceKind::security_group), in_vpc);
  std::erase_if(region.of(ResourceKind::route_table), in_vpc);
  region.of(ResourceKind::vpc).erase(id);
  return Json::object();
}

Result<Json> modify_subnet(Context& context, const Json& input) {
  Resource& subnet = *TRY(find_resource(context, ResourceKind::subnet, input.text("SubnetId")));
  const Json* wanted = input.at("MapPublicIpOnLaunch", "Value");
  if (wanted == nullptr || input.members()->size() != 2 + (input.find("DryRun") == nullptr ? 0U : 1U)) {
    return client_error("InvalidParameterCombination",
                        "This simulated cloud changes the attribute mapPublicIpOnLaunch only, one at a time.");
  }
  TRY(end_of_dry_run(context));
  subnet.description.set("MapPublicIpOnLaunch", *wanted);
  return Json::object();
}

}  // namespace

Resource* find_default_vpc(RegionState& region) {
  for (auto& [id, vpc] : region.of(ResourceKind::vpc)) {
    if (vpc.description.boolean("IsDefault", false)) {
      return &vpc;
    }
  }
  return nullptr;
}

Resource& add_default_vpc(World& world, RegionState& region) {
  Resource& vpc = add_resource(world, region, ResourceKind::vpc, vpc_description(world, "172.31.0.0/16", true), {});
  int third = 0;
  for (const Zone& zone : zones_of(region.name)) {
    add_subnet(world, region, vpc.id, zone, fmt::format("172.31.{}.0/20", third), true);
    third += 16;
  }
  const Resource& gateway = add_resource(
      world, region, ResourceKind::internet_gateway,
      Json::object({{"OwnerId", kSimulatedAccount},
                    {"Attachments", Json::array({Json::object({{"State", "available"}, {"VpcId", vpc.id}})})}}),
      {});
  add_main_route_table(world, region, vpc, gateway.id);
  add_security_group(world, region, vpc.id, "default", "default VPC security group", {});
  return vpc;
}

Resource& add_subnet(World& world, RegionState& region, const std::string& vpc_id, const Zone& zone,
                     const std::string& cidr, bool is_default) {
  Resource& subnet = add_resource(world, region, ResourceKind::subnet,
                                  Json::object({{"VpcId", vpc_id},
                                                {"AvailabilityZone", zone.name},
                                                {"AvailabilityZoneId", zone.id},
                                                {"CidrBlock", cidr},
                                                {"DefaultForAz", is_default},
                                                {"MapPublicIpOnLaunch", is_default},
                                                {"AssignIpv6AddressOnCreation", false},
                                                {"Ipv6Native", false},
                                                {"State", "available"},
                                                {"OwnerId", kSimulatedAccount}}),
                                  {});
  subnet.description.set("SubnetArn", arn_of(region, "subnet", subnet.id));
  return subnet;
}

Resource* default_subnet(RegionState& region, const std::string& zone) {
  for (auto& [id, subnet] : region.of(ResourceKind::subnet)) {
    if (subnet.description.boolean("DefaultForAz", false) && subnet.description.text("AvailabilityZone") == zone) {
      return &subnet;
    }
  }
  return nullptr;
}

std::string free_private_ip(World& world, const RegionState& region, const Resource& subnet) {
  const Block block = block_of(subnet);
  if (addresses_used(region, subnet.id) + kReservedAddresses >= block.size()) {
    return "";
  }
  const auto used = [&](const std::string& ip) {
    return std::ranges::any_of(region.of(ResourceKind::network_interface), [&](const auto& entry) {
      return entry.second.description.text("PrivateIpAddress") == ip &&
             entry.second.description.text("SubnetId") == subnet.id;
    });
  };
  const std::uint32_t room = block.size() - kReservedAddresses;
  const auto start = static_cast<std::uint32_t>(world.rng->below(room));
  for (std::uint32_t i = 0; i < room; ++i) {
    // The first four addresses and the last are EC2's.
    std::string ip = text_of(block.first + 4 + (start + i) % room);
    if (!used(ip)) {
      return ip;
    }
  }
  return "";
}

std::int64_t free_addresses(const RegionState& region, const Resource& subnet) {
  return static_cast<std::int64_t>(block_of(subnet).size() - kReservedAddresses) -
         static_cast<std::int64_t>(addresses_used(region, subnet.id));
}

bool in_subnet(const Resource& subnet, const std::string& address) {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) {
    return false;
  }
  const Block block = block_of(subnet);
  const std::uint32_t number = ntohl(parsed.s_addr);
  return number >= block.first + 4 && number < block.first + block.size() - 1;
}

std::vector<OperationEntry> ec2_network_operations() {
  return {{"DescribeVpcs", describe<ResourceKind::vpc, vpcs_spec>},
          {"DescribeSubnets", describe_subnets},
          {"DescribeInternetGateways", describe<ResourceKind::internet_gateway, gateways_spec>},
          {"DescribeRouteTables", describe<ResourceKind::route_table, tables_spec>},
          {"CreateDefaultVpc", create_default_vpc, DryRun::after_checks},
          {"CreateVpc", create_vpc, DryRun::after_checks},
          {"DeleteVpc", delete_vpc, DryRun::after_checks},
          {"CreateSubnet", create_subnet, DryRun::after_checks},
          {"DeleteSubnet", delete_subnet, DryRun::after_checks},
          {"ModifySubnetAttribute", modify_subnet, DryRun::after_checks}};
}

}  // namespace parallax::sim
