// What the account holds when it begins.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/lifecycle.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/regions.h"
#include "sim/cloud/state.h"

namespace parallax::sim {

namespace {

constexpr Micros kDay = Seconds(86400);
constexpr int kZones = 3;

Resource& add(RegionState& region, ResourceKind kind, std::string id, Json description, Tags tags = {}) {
  Resource resource{id, std::move(description), std::move(tags)};
  return region.of(kind).insert_or_assign(std::move(id), std::move(resource)).first->second;
}

struct Network {
  std::string vpc_id;
  std::string subnet_id;
  std::string zone;
};

enum class VpcKind { by_default, own };

Network add_network(World& world, RegionState& region, VpcKind kind) {
  const bool by_default = kind == VpcKind::by_default;
  Network network{world.hex_id("vpc-"), "", region.name + "a"};
  add(region, ResourceKind::vpc, network.vpc_id,
      Json::object({{"VpcId", network.vpc_id},
                    {"CidrBlock", "172.31.0.0/16"},
                    {"IsDefault", by_default},
                    {"State", "available"},
                    {"OwnerId", kSimulatedAccount},
                    {"InstanceTenancy", "default"}}));
  for (int i = 0; i < kZones; ++i) {
    const std::string id = world.hex_id("subnet-");
    const std::string zone = region.name + static_cast<char>('a' + i);
    add(region, ResourceKind::subnet, id,
        Json::object({{"SubnetId", id},
                      {"VpcId", network.vpc_id},
                      {"AvailabilityZone", zone},
                      {"CidrBlock", fmt::format("172.31.{}.0/20", i * 16)},
                      {"AvailableIpAddressCount", 4091},
                      {"DefaultForAz", by_default},
                      {"MapPublicIpOnLaunch", by_default},
                      {"State", "available"},
                      {"OwnerId", kSimulatedAccount}}));
    if (i == 0) {
      network.subnet_id = id;
    }
  }
  return network;
}

Json everything_out() {
  return JsonArray{Json::object({{"IpProtocol", "-1"},
                                 {"IpRanges", JsonArray{Json::object({{"CidrIp", "0.0.0.0/0"}})}},
                                 {"Ipv6Ranges", JsonArray{}},
                                 {"PrefixListIds", JsonArray{}},
                                 {"UserIdGroupPairs", JsonArray{}}})};
}

std::string add_group(World& world, RegionState& region, const Network& network, const std::string& name, Tags tags) {
  std::string id = world.hex_id("sg-");
  add(region, ResourceKind::security_group, id,
      Json::object({{"GroupId", id},
                    {"GroupName", name},
                    {"Description", name == "default" ? "default VPC security group" : name},
                    {"VpcId", network.vpc_id},
                    {"OwnerId", kSimulatedAccount},
                    {"IpPermissions", JsonArray{}},
                    {"IpPermissionsEgress", everything_out()}}),
      std::move(tags));
  return id;
}

struct Origin {
  std::string image_id;
  std::string snapshot_id;
};

Origin add_image(World& world, RegionState& region, const std::string& name, const Tags& tags) {
  Origin origin{world.hex_id("ami-"), world.hex_id("snap-")};
  const Instant made = world.now - 30 * kDay;
  add(region, ResourceKind::snapshot, origin.snapshot_id,
      Json::object({{"SnapshotId", origin.snapshot_id},
                    {"VolumeId", "vol-ffffffff"},
                    {"VolumeSize", 8},
                    {"State", "completed"},
                    {"Progress", "100%"},
                    {"StartTime", epoch_seconds(made)},
                    {"OwnerId", kSimulatedAccount},
                    {"Encrypted", false},
                    {"Description", fmt::format("Created by CreateImage(i-0) for {}", origin.image_id)}}),
      tags);
  Json image = Json::object({{"ImageId", origin.image_id},
                             {"Name", name},
                             {"Description", name},
                             {"ImageLocation", fmt::format("{}/{}", kSimulatedAccount, name)},
                             {"OwnerId", kSimulatedAccount},
                             {"Public", false},
                             {"State", "available"},
                             {"Architecture", "x86_64"},
                             {"ImageType", "machine"},
                             {"CreationDate", iso_millis(made)},
                             {"RootDeviceName", "/dev/xvda"},
                             {"RootDeviceType", "ebs"},
                             {"VirtualizationType", "hvm"},
                             {"Hypervisor", "xen"},
                             {"EnaSupport", true},
                             {"ProductCodes", JsonArray{}}});
  image.set("BlockDeviceMappings", JsonArray{Json::object({{"DeviceName", "/dev/xvda"},
                                                           {"Ebs", Json::object({{"SnapshotId", origin.snapshot_id},
                                                                                 {"VolumeSize", 8},
                                                                                 {"VolumeType", "gp3"},
                                                                                 {"DeleteOnTermination", true},
                                                                                 {"Encrypted", false}})}})});
  add(region, ResourceKind::image, origin.image_id, std::move(image), tags);
  return origin;
}

void add_key_pair(World& world, RegionState& region, const std::string& name, const Tags& tags) {
  const std::string id = world.hex_id("key-");
  add(region, ResourceKind::key_pair, id,
      Json::object(
          {{"KeyPairId", id},
           {"KeyName", name},
           {"KeyType", "ed25519"},
           {"KeyFingerprint", "h6XyZrZqLHnRWJbGkS1iGgV4cQZ2oYp7b1uQ0Jc8Xk4="},
           {"CreateTime", epoch_seconds(world.now - 30 * kDay)},
           {"PublicKey",
            fmt::format("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIParallaxSimulatedPublicKey000000000000000 {}", name)}}),
      tags);
}

void add_instance(World& world, RegionState& region, const Network& network, const Origin& origin,
                  const std::string& group_id, const Tags& tags) {
  Instance instance;
  instance.id = world.hex_id("i-");
  instance.type = "t2.micro";
  instance.image_id = origin.image_id;
  instance.key_name = world.options.fleet;
  instance.zone = network.zone;
  instance.subnet_id = network.subnet_id;
  instance.vpc_id = network.vpc_id;
  instance.private_ip = fmt::format("172.31.{}.{}", world.rng->below(16), 4 + world.rng->below(250));
  instance.profile_arn = fmt::format("arn:aws:iam::{}:instance-profile/parallax", kSimulatedAccount);
  instance.root_volume_id = world.hex_id("vol-");
  instance.group_ids = {group_id};
  instance.tags = tags;
  // It has run before: the ping of that boot is what a start finds.
  instance.last_ping = world.now - kDay;
  InstanceStatus status;
  status.state = InstanceState::stopped;
  status.reason_code = "Client.UserInitiatedShutdown";
  status.transition_reason = "User initiated";
  status.launch_time = world.now - kDay - Seconds(600);
  set_status(world, instance, status);
  add(region, ResourceKind::volume, instance.root_volume_id,
      Json::object({{"VolumeId", instance.root_volume_id},
                    {"Size", 8},
                    {"VolumeType", "gp3"},
                    {"State", "in-use"},
                    {"SnapshotId", origin.snapshot_id},
                    {"AvailabilityZone", network.zone},
                    {"Encrypted", false},
                    {"CreateTime", epoch_seconds(world.now - 30 * kDay)},
                    {"Attachments", JsonArray{Json::object({{"VolumeId", instance.root_volume_id},
                                                            {"InstanceId", instance.id},
                                                            {"Device", "/dev/xvda"},
                                                            {"State", "attached"},
                                                            {"DeleteOnTermination", true}})}}}),
      tags);
  region.instances.emplace(instance.id, std::move(instance));
}

void opt_in(RegionState& region) {
  if (!region.enabled) {
    region.enabled = true;
    region.opt_in_status = "opted-in";
  }
}

// A stopped instance (or several) and what belongs to it.
void settle(World& world, RegionState& region) {
  Tags tags = {{"Name", world.options.fleet}};
  if (world.options.world == WorldKind::adopted) {
    tags["parallax:fleet"] = world.options.fleet;
  }
  if (region.of(ResourceKind::subnet).empty()) {
    add_group(world, region, add_network(world, region, VpcKind::own), "default", {});
  }
  const Resource& subnet = region.of(ResourceKind::subnet).begin()->second;
  const Network network{subnet.description.text("VpcId"), subnet.id, subnet.description.text("AvailabilityZone")};
  const Origin origin = add_image(world, region, world.options.fleet, tags);
  add_key_pair(world, region, world.options.fleet, tags);
  const std::string group_id = add_group(world, region, network, world.options.fleet, tags);
  for (int i = 0; i < world.options.instances_per_region; ++i) {
    add_instance(world, region, network, origin, group_id, tags);
  }
}

}  // namespace

void build_world(World& world) {
  build_iam(world);
  const CloudOptions& options = world.options;
  for (const RegionInfo& info : all_regions()) {
    if (info.partition != "aws") {
      continue;
    }
    RegionState& region = world.regions[info.name];
    region.name = info.name;
    region.faults = options.faults;
    region.enabled = !info.opt_in_required;
    region.opt_in_status = info.opt_in_required ? "not-opted-in" : "opt-in-not-required";
    if (std::ranges::find(options.without_default_vpc, info.name) == options.without_default_vpc.end()) {
      add_group(world, region, add_network(world, region, VpcKind::by_default), "default", {});
    }
  }
  for (const std::string& name : options.opted_in) {
    CHECK(world.regions.contains(name), name);
    opt_in(world.region(name));
  }
  if (options.world == WorldKind::empty) {
    return;
  }
  for (const std::string& name : options.regions) {
    CHECK(world.regions.contains(name), name);
    opt_in(world.region(name));
    settle(world, world.region(name));
  }
}

}  // namespace parallax::sim
