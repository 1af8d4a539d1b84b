// The Describe operations of what instances are made of, and of regions and types.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/cloud/ec2_common.h"
#include "sim/cloud/filters.h"
#include "sim/cloud/regions.h"

namespace parallax::sim {

namespace {

// How one kind of resource is described.
struct Describe {
  std::string_view operation;
  ResourceKind kind;
  std::string_view result;     // member of the answer
  std::string_view ids;        // member of the input
  std::string_view id_member;  // of the description
  std::string_view not_found;  // error code
  std::string_view not_found_text;
  FilterPaths filters;
};

const FilterPaths kImageFilters = {{"image-id", "ImageId"},
                                   {"name", "Name"},
                                   {"state", "State"},
                                   {"owner-id", "OwnerId"},
                                   {"architecture", "Architecture"},
                                   {"is-public", "Public"},
                                   {"description", "Description"},
                                   {"root-device-type", "RootDeviceType"},
                                   {"virtualization-type", "VirtualizationType"},
                                   {"block-device-mapping.snapshot-id", "BlockDeviceMappings.Ebs.SnapshotId"}};

const FilterPaths kSnapshotFilters = {{"snapshot-id", "SnapshotId"}, {"status", "State"},
                                      {"owner-id", "OwnerId"},       {"description", "Description"},
                                      {"volume-id", "VolumeId"},     {"volume-size", "VolumeSize"},
                                      {"encrypted", "Encrypted"}};

const FilterPaths kVolumeFilters = {
    {"volume-id", "VolumeId"},     {"status", "State"},           {"availability-zone", "AvailabilityZone"},
    {"snapshot-id", "SnapshotId"}, {"volume-type", "VolumeType"}, {"attachment.instance-id", "Attachments.InstanceId"}};

const FilterPaths kKeyPairFilters = {
    {"key-pair-id", "KeyPairId"}, {"key-name", "KeyName"}, {"fingerprint", "KeyFingerprint"}};

const FilterPaths kGroupFilters = {{"group-id", "GroupId"},
                                   {"group-name", "GroupName"},
                                   {"vpc-id", "VpcId"},
                                   {"owner-id", "OwnerId"},
                                   {"description", "Description"}};

const FilterPaths kVpcFilters = {{"vpc-id", "VpcId"}, {"is-default", "IsDefault"}, {"isDefault", "IsDefault"},
                                 {"state", "State"},  {"cidr", "CidrBlock"},       {"owner-id", "OwnerId"}};

const FilterPaths kSubnetFilters = {{"subnet-id", "SubnetId"},
                                    {"vpc-id", "VpcId"},
                                    {"availability-zone", "AvailabilityZone"},
                                    {"default-for-az", "DefaultForAz"},
                                    {"defaultForAz", "DefaultForAz"},
                                    {"state", "State"},
                                    {"map-public-ip-on-launch", "MapPublicIpOnLaunch"}};

// In the order of ResourceKind.
const std::array<Describe, static_cast<std::size_t>(ResourceKind::count)> kDescribes = {{
    {"DescribeImages", ResourceKind::image, "Images", "ImageIds", "ImageId", "InvalidAMIID.NotFound",
     "The image id '[{}]' does not exist", kImageFilters},
    {"DescribeSnapshots", ResourceKind::snapshot, "Snapshots", "SnapshotIds", "SnapshotId", "InvalidSnapshot.NotFound",
     "The snapshot '{}' does not exist.", kSnapshotFilters},
    {"DescribeVolumes", ResourceKind::volume, "Volumes", "VolumeIds", "VolumeId", "InvalidVolume.NotFound",
     "The volume '{}' does not exist.", kVolumeFilters},
    {"DescribeKeyPairs", ResourceKind::key_pair, "KeyPairs", "KeyPairIds", "KeyPairId", "InvalidKeyPair.NotFound",
     "The key pair ID '{}' does not exist", kKeyPairFilters},
    {"DescribeSecurityGroups", ResourceKind::security_group, "SecurityGroups", "GroupIds", "GroupId",
     "InvalidGroup.NotFound", "The security group '{}' does not exist", kGroupFilters},
    {"DescribeVpcs", ResourceKind::vpc, "Vpcs", "VpcIds", "VpcId", "InvalidVpcID.NotFound",
     "The vpc ID '{}' does not exist", kVpcFilters},
    {"DescribeSubnets", ResourceKind::subnet, "Subnets", "SubnetIds", "SubnetId", "InvalidSubnetID.NotFound",
     "The subnet ID '{}' does not exist", kSubnetFilters},
}};

const Describe& describe_of(ResourceKind kind) {
  return kDescribes[static_cast<std::size_t>(kind)];
}

Json with_tags(const Resource& resource) {
  Json json = resource.description;
  json.set("Tags", tag_list(resource.tags));
  return json;
}

Result<std::vector<Json>> chosen_by_id(Context& context, const Describe& describe, const Json& input) {
  const auto& resources = context.region.of(describe.kind);
  std::vector<Json> rendered;
  const std::vector<std::string> ids = strings_of(input, describe.ids);
  for (const std::string& id : ids) {
    const auto found = resources.find(id);
    if (found == resources.end()) {
      return client_error(std::string(describe.not_found), fmt::format(fmt::runtime(describe.not_found_text), id));
    }
    rendered.push_back(with_tags(found->second));
  }
  if (ids.empty()) {
    for (const auto& [id, resource] : resources) {
      rendered.push_back(with_tags(resource));
    }
  }
  return rendered;
}

// Resources also chosen by their own name: each name must exist.
Result<> keep_named(std::vector<Json>& rendered, const std::vector<std::string>& names, std::string_view member,
                    std::string_view code, std::string_view text) {
  for (const std::string& name : names) {
    if (std::ranges::none_of(rendered, [&](const Json& json) { return json.text(member) == name; })) {
      return client_error(std::string(code), fmt::format(fmt::runtime(text), name));
    }
  }
  if (!names.empty()) {
    std::erase_if(rendered,
                  [&](const Json& json) { return std::ranges::find(names, json.text(member)) == names.end(); });
  }
  return {};
}

Result<Json> finish(const Describe& describe, std::vector<Json> rendered, const Json& input) {
  rendered = TRY(apply_filters(std::move(rendered), input, describe.filters));
  return page_of(describe.operation, std::string(describe.result), std::move(rendered), input,
                 PageLimits{5, 1000, 1000});
}

template <ResourceKind kind>
Result<Json> describe_plain(Context& context, const Json& input) {
  const Describe& describe = describe_of(kind);
  return finish(describe, TRY(chosen_by_id(context, describe, input)), input);
}

// Owners: "self" and our account see what we have; other owners' resources do not exist here.
void keep_owned(std::vector<Json>& rendered, const std::vector<std::string>& owners) {
  const bool ours = owners.empty() || std::ranges::find(owners, "self") != owners.end() ||
                    std::ranges::find(owners, kSimulatedAccount) != owners.end();
  if (!ours) {
    rendered.clear();
  }
}

Result<Json> describe_images(Context& context, const Json& input) {
  const Describe& describe = describe_of(ResourceKind::image);
  std::vector<Json> rendered = TRY(chosen_by_id(context, describe, input));
  keep_owned(rendered, strings_of(input, "Owners"));
  return finish(describe, std::move(rendered), input);
}

Result<Json> describe_snapshots(Context& context, const Json& input) {
  const Describe& describe = describe_of(ResourceKind::snapshot);
  std::vector<Json> rendered = TRY(chosen_by_id(context, describe, input));
  keep_owned(rendered, strings_of(input, "OwnerIds"));
  return finish(describe, std::move(rendered), input);
}

Result<Json> describe_key_pairs(Context& context, const Json& input) {
  const Describe& describe = describe_of(ResourceKind::key_pair);
  std::vector<Json> rendered = TRY(chosen_by_id(context, describe, input));
  TRY(keep_named(rendered, strings_of(input, "KeyNames"), "KeyName", "InvalidKeyPair.NotFound",
                 "The key pair '{}' does not exist"));
  if (!input.boolean("IncludePublicKey", false)) {
    for (Json& json : rendered) {
      json.members()->erase("PublicKey");
    }
  }
  return finish(describe, std::move(rendered), input);
}

Result<Json> describe_security_groups(Context& context, const Json& input) {
  const Describe& describe = describe_of(ResourceKind::security_group);
  std::vector<Json> rendered = TRY(chosen_by_id(context, describe, input));
  TRY(keep_named(rendered, strings_of(input, "GroupNames"), "GroupName", "InvalidGroup.NotFound",
                 "The security group '{}' does not exist in default VPC"));
  return finish(describe, std::move(rendered), input);
}

Result<Json> describe_regions(Context& context, const Json& input) {
  static const FilterPaths kPaths = {
      {"region-name", "RegionName"}, {"endpoint", "Endpoint"}, {"opt-in-status", "OptInStatus"}};
  const std::vector<std::string> names = strings_of(input, "RegionNames");
  for (const std::string& name : names) {
    if (!context.world.regions.contains(name)) {
      return client_error("InvalidParameterValue", fmt::format("Invalid region provided: [{}]", name));
    }
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

// t2.micro is missing where a region is young; t3.micro is everywhere here.
bool offers(const RegionState& region, std::string_view type) {
  return type != "t2.micro" || region.opt_in_status == "opt-in-not-required";
}

Result<Json> describe_instance_type_offerings(Context& context, const Json& input) {
  static const FilterPaths kPaths = {{"instance-type", "InstanceType"}, {"location", "Location"}};
  const std::string location_type = input.text("LocationType", "region");
  std::vector<std::string> locations;
  if (location_type == "region") {
    locations.push_back(context.region.name);
  } else if (location_type == "availability-zone") {
    for (const auto& [id, subnet] : context.region.of(ResourceKind::subnet)) {
      locations.push_back(subnet.description.text("AvailabilityZone"));
    }
    std::ranges::sort(locations);
  } else {
    return client_error("InvalidParameterValue", fmt::format("Location type '{}' is not known here.", location_type));
  }
  std::vector<Json> rendered;
  for (const std::string_view type : {"t2.micro", "t3.micro", "t3.nano", "t4g.micro", "t4g.nano"}) {
    for (const std::string& location : locations) {
      if (offers(context.region, type)) {
        rendered.push_back(
            Json::object({{"InstanceType", type}, {"LocationType", location_type}, {"Location", location}}));
      }
    }
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return page_of("DescribeInstanceTypeOfferings", "InstanceTypeOfferings", std::move(rendered), input,
                 PageLimits{5, 1000, 1000});
}

}  // namespace

std::vector<OperationEntry> ec2_resource_operations() {
  return {{"DescribeRegions", describe_regions},
          {"DescribeImages", describe_images},
          {"DescribeSnapshots", describe_snapshots},
          {"DescribeVolumes", describe_plain<ResourceKind::volume>},
          {"DescribeKeyPairs", describe_key_pairs},
          {"DescribeSecurityGroups", describe_security_groups},
          {"DescribeVpcs", describe_plain<ResourceKind::vpc>},
          {"DescribeSubnets", describe_plain<ResourceKind::subnet>},
          {"DescribeInstanceTypeOfferings", describe_instance_type_offerings}};
}

}  // namespace parallax::sim
