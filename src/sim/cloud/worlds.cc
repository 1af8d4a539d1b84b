// What the account holds when it begins.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/lifecycle.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/regions.h"
#include "sim/cloud/state.h"

namespace parallax::sim {

namespace {

constexpr Micros kDay = Seconds(86400);

Resource& add(RegionState& region, ResourceKind kind, std::string id, Json description, Tags tags = {}) {
  Resource resource;
  resource.id = id;
  resource.description = std::move(description);
  resource.tags = std::move(tags);
  return region.of(kind).insert_or_assign(std::move(id), std::move(resource)).first->second;
}

struct Network {
  std::string vpc_id;
  std::string subnet_id;
  std::string zone;
};

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
                             {"ImdsSupport", "v2.0"},
                             {"PlatformDetails", "Linux/UNIX"},
                             {"UsageOperation", "RunInstances"},
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
  instance.private_ip = free_private_ip(world, region, region.of(ResourceKind::subnet).at(network.subnet_id));
  instance.options = Json::object({{"MetadataOptions", Json::object({{"State", "applied"},
                                                                     {"HttpTokens", "required"},
                                                                     {"HttpPutResponseHopLimit", 2},
                                                                     {"HttpEndpoint", "enabled"},
                                                                     {"HttpProtocolIpv6", "disabled"},
                                                                     {"InstanceMetadataTags", "disabled"}})}});
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
  VolumeSpec root;
  root.zone = network.zone;
  root.snapshot_id = origin.snapshot_id;
  Instance& placed = region.instances.emplace(instance.id, std::move(instance)).first->second;
  attach(world, add_volume(world, region, root, tags), placed, placed.root_device, true);
  add_interface(world, region, placed, "", true);
  add_profile_association(
      world, region, placed,
      fmt::format("arn:aws:iam::{}:instance-profile/{}", kSimulatedAccount, fleet_profile(world.options)));
}

// The first zone's default subnet; in a region without a default VPC that of a VPC which the fleet's owner made.
Network network_of(World& world, RegionState& region) {
  const Zone zone = zones_of(region.name).front();
  Resource* subnet = default_subnet(region, zone.name);
  if (subnet == nullptr) {
    Resource& vpc = add_default_vpc(world, region);
    vpc.description.set("IsDefault", false);
    for (auto& [id, each] : region.of(ResourceKind::subnet)) {
      each.description.set("DefaultForAz", false);
      subnet = each.description.text("AvailabilityZone") == zone.name ? &each : subnet;
    }
  }
  return Network{subnet->description.text("VpcId"), subnet->id, zone.name};
}

void opt_in(RegionState& region) {
  if (!region.enabled) {
    region.enabled = true;
    region.opt_in_status = "opted-in";
  }
}

// A stopped instance (or several) and what belongs to it.
void settle(World& world, RegionState& region, const MadeKey& key) {
  Tags tags = {{"Name", world.options.fleet}};
  if (world.options.world == WorldKind::adopted) {
    tags["parallax:fleet"] = world.options.fleet;
  }
  const Network network = network_of(world, region);
  const Origin origin = add_image(world, region, world.options.fleet, tags);
  add_key_pair(world, region, world.options.fleet, key.public_key, key.fingerprint, tags);
  const std::string group_id =
      add_security_group(world, region, network.vpc_id, world.options.fleet, world.options.fleet, tags).id;
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
    add_amazon_images(world, region);
    if (std::ranges::find(options.without_default_vpc, info.name) == options.without_default_vpc.end()) {
      add_default_vpc(world, region);
    }
  }
  for (const std::string& name : options.opted_in) {
    CHECK(world.regions.contains(name), name);
    opt_in(world.region(name));
  }
  if (options.world == WorldKind::empty) {
    return;
  }
  const Result<MadeKey> key = make_ed25519_key(*world.rng);
  CHECK(key.has_value(), "an ed25519 key");
  for (const std::string& name : options.regions) {
    CHECK(world.regions.contains(name), name);
    opt_in(world.region(name));
    settle(world, world.region(name), *key);
  }
}

}  // namespace parallax::sim
