#include "sim/cloud/ec2_common.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace parallax::sim {

namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kTagKeyMax = 128;
constexpr std::size_t kTagValueMax = 256;
constexpr std::size_t kShortId = 8;
constexpr std::size_t kLongId = 17;

// In the order of ResourceKind.
constexpr std::array<KindInfo, static_cast<std::size_t>(ResourceKind::count)> kKinds = {{
    {ResourceKind::image, "ami-", "image", "ImageId", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound",
     "The image id '[{}]' does not exist"},
    {ResourceKind::snapshot, "snap-", "snapshot", "SnapshotId", "InvalidSnapshotID.Malformed",
     "InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."},
    {ResourceKind::volume, "vol-", "volume", "VolumeId", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound",
     "The volume '{}' does not exist."},
    {ResourceKind::key_pair, "key-", "key-pair", "KeyPairId", "InvalidKeyPair.NotFound", "InvalidKeyPair.NotFound",
     "The key pair ID '{}' does not exist"},
    {ResourceKind::security_group, "sg-", "security-group", "GroupId", "InvalidGroupId.Malformed",
     "InvalidGroup.NotFound", "The security group '{}' does not exist"},
    {ResourceKind::vpc, "vpc-", "vpc", "VpcId", "InvalidVpcId.Malformed", "InvalidVpcID.NotFound",
     "The vpc ID '{}' does not exist"},
    {ResourceKind::subnet, "subnet-", "subnet", "SubnetId", "InvalidSubnetId.Malformed", "InvalidSubnetID.NotFound",
     "The subnet ID '{}' does not exist"},
    {ResourceKind::security_group_rule, "sgr-", "security-group-rule", "SecurityGroupRuleId",
     "InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound",
     "The security group rule ID '{}' does not exist"},
    {ResourceKind::internet_gateway, "igw-", "internet-gateway", "InternetGatewayId",
     "InvalidInternetGatewayId.Malformed", "InvalidInternetGatewayID.NotFound",
     "The internetGateway ID '{}' does not exist"},
    {ResourceKind::route_table, "rtb-", "route-table", "RouteTableId", "InvalidRouteTableId.Malformed",
     "InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"},
    {ResourceKind::network_interface, "eni-", "network-interface", "NetworkInterfaceId",
     "InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound",
     "The networkInterface ID '{}' does not exist"},
    {ResourceKind::address, "eipalloc-", "elastic-ip", "AllocationId", "InvalidAllocationID.NotFound",
     "InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"},
    {ResourceKind::profile_association, "iip-assoc-", "", "AssociationId", "InvalidAssociationID.NotFound",
     "InvalidAssociationID.NotFound", "An invalid association-id of '{}' was given"},
}};

bool lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

Error malformed(std::string_view code, const std::string& id, std::string_view prefix) {
  return client_error(std::string(code), fmt::format("Invalid id: \"{}\" (expecting \"{}...\")", id, prefix));
}

}  // namespace

const KindInfo& info_of(ResourceKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::string resource_type_of(const std::string& id) {
  if (id.starts_with("i-")) {
    return "instance";
  }
  const auto found = std::ranges::find_if(kKinds, [&](const KindInfo& kind) { return id.starts_with(kind.prefix); });
  return found == kKinds.end() ? "" : std::string(found->type);
}

bool well_formed(std::string_view id, std::string_view prefix) {
  if (!id.starts_with(prefix)) {
    return false;
  }
  const std::string_view digits = id.substr(prefix.size());
  return (digits.size() == kShortId || digits.size() == kLongId) && std::ranges::all_of(digits, lower_hex);
}

Result<std::vector<Instance*>> find_instances(Context& context, const std::vector<std::string>& ids) {
  std::vector<Instance*> found;
  std::string missing;
  for (const std::string& id : ids) {
    if (!well_formed(id, "i-")) {
      return client_error("InvalidInstanceID.Malformed", fmt::format("Invalid id: \"{}\"", id));
    }
    const auto entry = context.region.instances.find(id);
    if (entry == context.region.instances.end() || entry->second.visible_at > context.world.mono) {
      missing += (missing.empty() ? "" : ", ") + id;
    } else if (std::ranges::find(found, &entry->second) == found.end()) {
      found.push_back(&entry->second);
    }
  }
  if (!missing.empty()) {
    const bool several = missing.find(',') != std::string::npos;
    return client_error("InvalidInstanceID.NotFound",
                        several ? fmt::format("The instance IDs '{}' do not exist", missing)
                                : fmt::format("The instance ID '{}' does not exist", missing));
  }
  return found;
}

Result<Instance*> find_instance(Context& context, const std::string& id) {
  return TRY(find_instances(context, {id})).front();
}

Result<Resource*> find_resource(Context& context, ResourceKind kind, const std::string& id) {
  const KindInfo& info = info_of(kind);
  if (!well_formed(id, info.prefix)) {
    return malformed(info.malformed, id, info.prefix);
  }
  auto& resources = context.region.of(kind);
  const auto found = resources.find(id);
  if (found == resources.end() || found->second.visible_at > context.world.mono) {
    return client_error(std::string(info.not_found), fmt::format(fmt::runtime(info.not_found_text), id));
  }
  return &found->second;
}

Monotonic draw_visible(World& world, const RegionState& region) {
  const auto lag = strikes(world, region, FaultKind::new_id_unknown);
  return lag ? world.mono + world.draw({Micros(0), *lag}) : world.mono;
}

Resource& add_resource(World& world, RegionState& region, ResourceKind kind, Json description, Tags tags) {
  const KindInfo& info = info_of(kind);
  Resource resource;
  resource.id = world.hex_id(info.prefix);
  resource.description = std::move(description);
  resource.description.set(std::string(info.id_member), resource.id);
  resource.tags = std::move(tags);
  resource.visible_at = draw_visible(world, region);
  std::string id = resource.id;
  return region.of(kind).insert_or_assign(std::move(id), std::move(resource)).first->second;
}

Json with_tags(const World& world, const Resource& resource) {
  Json json = resource.description;
  json.set("Tags", tag_list(seen_tags(world, resource)));
  return json;
}

namespace {

template <typename Tagged>
Tags* tags_for_change(World& world, const RegionState& region, Tagged& tagged) {
  if (const auto lag = strikes(world, region, FaultKind::tags_lag)) {
    tagged.tags_before = {world.mono + world.draw({Micros(0), *lag}), tagged.tags};
  }
  return &tagged.tags;
}

}  // namespace

Tags* find_tags(World& world, RegionState& region, const std::string& id) {
  if (const auto found = region.instances.find(id);
      found != region.instances.end() && found->second.visible_at <= world.mono) {
    return tags_for_change(world, region, found->second);
  }
  for (auto& resources : region.resources) {
    const auto found = resources.find(id);
    if (found != resources.end() && found->second.visible_at <= world.mono) {
      return tags_for_change(world, region, found->second);
    }
  }
  return nullptr;
}

Result<> check_tags(const JsonArray& tags) {
  std::set<std::string> keys;
  for (const Json& tag : tags) {
    const std::string key = tag.text("Key");
    if (key.empty()) {
      return client_error("InvalidParameterValue", "Tag keys cannot be empty.");
    }
    if (key.starts_with("aws:")) {
      return client_error("InvalidParameterValue",
                          fmt::format("Tag keys starting with 'aws:' are reserved for internal use: '{}'", key));
    }
    if (key.size() > kTagKeyMax) {
      return client_error("InvalidParameterValue", fmt::format("Tag key exceeds the maximum length of {}", kTagKeyMax));
    }
    if (tag.text("Value").size() > kTagValueMax) {
      return client_error("InvalidParameterValue",
                          fmt::format("Tag value exceeds the maximum length of {}", kTagValueMax));
    }
    if (!keys.insert(key).second) {
      return client_error("InvalidParameterValue",
                          fmt::format("Duplicate tag key '{}' specified. Please specify only one.", key));
    }
  }
  if (keys.size() > kTagsMax) {
    return client_error("TagLimitExceeded",
                        fmt::format("The maximum number of Tags for a resource has been reached: {}.", kTagsMax));
  }
  return {};
}

Tags tags_of(const JsonArray& tags) {
  Tags all;
  for (const Json& tag : tags) {
    all[tag.text("Key")] = tag.text("Value");
  }
  return all;
}

Result<std::map<std::string, Tags>> tag_specifications(const Json& input, const std::vector<std::string_view>& types) {
  std::map<std::string, Tags> all;
  for (const Json& specification : input.list("TagSpecifications")) {
    const std::string type = specification.text("ResourceType");
    if (type.empty()) {
      return client_error("InvalidParameterValue", "Tag specification resource type must have a value");
    }
    if (std::ranges::find(types, type) == types.end()) {
      return client_error("InvalidParameterValue",
                          fmt::format("'{}' is not a valid taggable resource type for this operation.", type));
    }
    const JsonArray& tags = specification.list("Tags");
    if (tags.empty()) {
      return client_error("InvalidParameterValue", "Tag specification must have at least one tag");
    }
    TRY(check_tags(tags));
    if (!all.emplace(type, tags_of(tags)).second) {
      return client_error("InvalidParameterValue",
                          fmt::format("The same resource type may not be specified more than once in tag "
                                      "specifications: '{}'",
                                      type));
    }
  }
  return all;
}

Result<> end_of_dry_run(const Context& context) {
  if (context.dry_run) {
    return service_error(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
  }
  return {};
}

Error bad_parameter(std::string_view value, std::string_view parameter, std::string_view why) {
  return client_error("InvalidParameterValue",
                      fmt::format("Value ({}) for parameter {} is invalid. {}", value, parameter, why));
}

Error bad_combination(std::string text) {
  return client_error("InvalidParameterCombination", std::move(text));
}

Error missing_parameter(std::string_view name) {
  return client_error("MissingParameter", fmt::format("The request must contain the parameter {}", name));
}

Json state_json(InstanceState state) {
  return Json::object({{"Code", static_cast<int>(state)}, {"Name", to_string(state)}});
}

Json group_list(const RegionState& region, const std::vector<std::string>& ids) {
  const auto& groups = region.of(ResourceKind::security_group);
  JsonArray list;
  for (const std::string& id : ids) {
    const auto found = groups.find(id);
    list.push_back(Json::object(
        {{"GroupName", found == groups.end() ? id : found->second.description.text("GroupName")}, {"GroupId", id}}));
  }
  return list;
}

Monotonic describe_time(World& world, const RegionState& region) {
  return world.mono - strikes(world, region, FaultKind::stale_read).value_or(Micros(0));
}

std::vector<Zone> zones_of(const std::string& region) {
  // "ap-northeast-1": "apne1", as zone ids begin.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kDirections = {{{"northeast", "ne"},
                                                                                                {"northwest", "nw"},
                                                                                                {"southeast", "se"},
                                                                                                {"southwest", "sw"},
                                                                                                {"north", "n"},
                                                                                                {"south", "s"},
                                                                                                {"east", "e"},
                                                                                                {"west", "w"},
                                                                                                {"central", "c"}}};
  std::string prefix = region.substr(0, 2);
  for (const auto& [word, letters] : kDirections) {
    if (region.find(word) != std::string::npos) {
      prefix += letters;
      break;
    }
  }
  prefix += region.substr(region.rfind('-') + 1);
  const int count = region == "us-east-1" ? 6 : 3;
  std::vector<Zone> zones;
  zones.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    zones.push_back(Zone{region + static_cast<char>('a' + i), fmt::format("{}-az{}", prefix, i + 1)});
  }
  return zones;
}

Result<> check_zone(const Context& context, const std::string& zone) {
  const std::vector<Zone> zones = zones_of(context.region.name);
  if (std::ranges::find(zones, zone, &Zone::name) == zones.end()) {
    return client_error("InvalidParameterValue", fmt::format("Invalid availability zone: [{}]", zone));
  }
  return {};
}

void later(World& world, const RegionState& region, ResourceKind kind, const std::string& id, Monotonic when,
           std::function<void(World&, RegionState&, Resource&)> what) {
  world.at(when, [name = region.name, kind, id, what = std::move(what)](World& w) {
    RegionState& r = w.region(name);
    const auto found = r.of(kind).find(id);
    if (found != r.of(kind).end()) {
      what(w, r, found->second);
    }
  });
}

std::string arn_of(const RegionState& region, std::string_view type, std::string_view id) {
  return fmt::format("arn:aws:ec2:{}:{}:{}/{}", region.name, kSimulatedAccount, type, id);
}

}  // namespace parallax::sim
