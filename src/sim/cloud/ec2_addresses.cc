// Elastic addresses.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kAddressesMax = 5;

Result<Json> describe_addresses(Context& context, const Json& input) {
  static const FilterPaths kPaths = {{"allocation-id", "AllocationId"},
                                     {"association-id", "AssociationId"},
                                     {"instance-id", "InstanceId"},
                                     {"network-border-group", "NetworkBorderGroup"},
                                     {"network-interface-id", "NetworkInterfaceId"},
                                     {"network-interface-owner-id", "NetworkInterfaceOwnerId"},
                                     {"private-ip-address", "PrivateIpAddress"},
                                     {"public-ip", "PublicIp"}};
  std::vector<Json> rendered =
      TRY(choose_resources(context, ResourceKind::address, strings_of(input, "AllocationIds")));
  const std::vector<std::string> ips = strings_of(input, "PublicIps");
  for (const std::string& ip : ips) {
    if (std::ranges::none_of(rendered, [&](const Json& json) { return json.text("PublicIp") == ip; })) {
      return client_error("InvalidAddress.NotFound", fmt::format("Address '{}' not found.", ip));
    }
  }
  if (!ips.empty()) {
    std::erase_if(rendered,
                  [&](const Json& json) { return std::ranges::find(ips, json.text("PublicIp")) == ips.end(); });
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return Json::object({{"Addresses", JsonArray(rendered.begin(), rendered.end())}});
}

std::string free_public_ip(World& world, const RegionState& region) {
  std::string ip;
  do {
    ip = fmt::format("198.51.100.{}", 1 + world.rng->below(254));
  } while (std::ranges::any_of(region.of(ResourceKind::address),
                               [&](const auto& entry) { return entry.second.description.text("PublicIp") == ip; }));
  return ip;
}

Result<Json> allocate(Context& context, const Json& input) {
  if (input.text("Domain", "vpc") != "vpc") {
    return bad_parameter(input.text("Domain"), "domain", "Only vpc is left.");
  }
  for (const std::string_view name : {"Address", "PublicIpv4Pool", "CustomerOwnedIpv4Pool", "IpamPoolId"}) {
    if (!input.text(name).empty()) {
      return client_error("UnsupportedOperation", fmt::format("This simulated cloud does not support {}.", name));
    }
  }
  auto tags = TRY(tag_specifications(input, {"elastic-ip"}));
  if (context.region.of(ResourceKind::address).size() >= kAddressesMax) {
    return client_error("AddressLimitExceeded", "The maximum number of addresses has been reached.");
  }
  TRY(end_of_dry_run(context));
  const Resource& address = add_resource(context.world, context.region, ResourceKind::address,
                                         Json::object({{"PublicIp", free_public_ip(context.world, context.region)},
                                                       {"Domain", "vpc"},
                                                       {"PublicIpv4Pool", "amazon"},
                                                       {"NetworkBorderGroup", context.region.name}}),
                                         tags["elastic-ip"]);
  return address.description;
}

// The address that AllocationId or PublicIp names.
Result<Resource*> address_of_request(Context& context, const Json& input) {
  if (!input.text("AllocationId").empty()) {
    return find_resource(context, ResourceKind::address, input.text("AllocationId"));
  }
  const std::string ip = input.text("PublicIp");
  for (auto& [id, address] : context.region.of(ResourceKind::address)) {
    if (address.description.text("PublicIp") == ip) {
      return &address;
    }
  }
  return ip.empty() ? missing_parameter("AllocationId")
                    : client_error("InvalidAddress.NotFound", fmt::format("Address '{}' not found.", ip));
}

Result<Json> release(Context& context, const Json& input) {
  const Resource& address = *TRY(address_of_request(context, input));
  if (!address.description.text("AssociationId").empty()) {
    return client_error("InvalidIPAddress.InUse",
                        fmt::format("Address {} is in use.", address.description.text("PublicIp")));
  }
  TRY(end_of_dry_run(context));
  context.region.of(ResourceKind::address).erase(std::string(address.id));
  return Json::object();
}

void unlink(Resource& address) {
  for (const std::string_view name :
       {"AssociationId", "InstanceId", "NetworkInterfaceId", "NetworkInterfaceOwnerId", "PrivateIpAddress"}) {
    address.description.members()->erase(name);
  }
}

Result<Json> associate(Context& context, const Json& input) {
  Resource& address = *TRY(address_of_request(context, input));
  if (!input.text("NetworkInterfaceId").empty()) {
    return client_error("UnsupportedOperation", "This simulated cloud associates addresses with instances only.");
  }
  if (input.text("InstanceId").empty()) {
    return missing_parameter("InstanceId");
  }
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  const InstanceState state = instance.status.state;
  if (state != InstanceState::running && state != InstanceState::stopped) {
    return client_error("IncorrectInstanceState",
                        fmt::format("The instance '{}' is not in a valid state for this operation.", instance.id));
  }
  const std::string old_owner = address.description.text("InstanceId");
  if (!old_owner.empty() && old_owner != instance.id && !input.boolean("AllowReassociation", true)) {
    return client_error("Resource.AlreadyAssociated",
                        fmt::format("resource {} is already associated with associate-id {}", address.id,
                                    address.description.text("AssociationId")));
  }
  TRY(end_of_dry_run(context));
  if (const auto old = context.region.instances.find(old_owner); old != context.region.instances.end()) {
    old->second.elastic_ip.clear();
  }
  free_address_of(context.region, instance);
  instance.elastic_ip = address.description.text("PublicIp");
  const std::string association = context.world.hex_id("eipassoc-");
  address.description.set("AssociationId", association);
  address.description.set("InstanceId", instance.id);
  address.description.set("NetworkInterfaceId", instance.interface_id);
  address.description.set("NetworkInterfaceOwnerId", kSimulatedAccount);
  address.description.set("PrivateIpAddress", instance.private_ip);
  return Json::object({{"AssociationId", association}});
}

Result<Json> disassociate(Context& context, const Json& input) {
  const std::string wanted = input.text("AssociationId");
  const std::string ip = input.text("PublicIp");
  auto& addresses = context.region.of(ResourceKind::address);
  const auto found = std::ranges::find_if(addresses, [&](const auto& entry) {
    const Json& json = entry.second.description;
    return wanted.empty() ? !ip.empty() && json.text("PublicIp") == ip : json.text("AssociationId") == wanted;
  });
  if (found == addresses.end()) {
    return client_error("InvalidAssociationID.NotFound",
                        fmt::format("The association ID '{}' does not exist", wanted.empty() ? ip : wanted));
  }
  TRY(end_of_dry_run(context));
  const auto owner = context.region.instances.find(found->second.description.text("InstanceId"));
  if (owner != context.region.instances.end()) {
    owner->second.elastic_ip.clear();
  }
  unlink(found->second);
  return Json::object();
}

}  // namespace

void free_address_of(RegionState& region, Instance& instance) {
  if (instance.elastic_ip.empty()) {
    return;
  }
  for (auto& [id, address] : region.of(ResourceKind::address)) {
    if (address.description.text("PublicIp") == instance.elastic_ip) {
      unlink(address);
    }
  }
  instance.elastic_ip.clear();
}

std::vector<OperationEntry> ec2_address_operations() {
  return {{"DescribeAddresses", describe_addresses},
          {"AllocateAddress", allocate, DryRun::after_checks},
          {"ReleaseAddress", release, DryRun::after_checks},
          {"AssociateAddress", associate, DryRun::after_checks},
          {"DisassociateAddress", disassociate, DryRun::after_checks}};
}

}  // namespace parallax::sim
