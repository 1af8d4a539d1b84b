// Snapshots, and the region's default encryption.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

const DescribeSpec& snapshots_spec() {
  static const DescribeSpec kSpec = {"DescribeSnapshots",
                                     "Snapshots",
                                     {{"description", "Description"},
                                      {"encrypted", "Encrypted"},
                                      {"owner-alias", "OwnerAlias"},
                                      {"owner-id", "OwnerId"},
                                      {"progress", "Progress"},
                                      {"snapshot-id", "SnapshotId"},
                                      {"start-time", "StartTime"},
                                      {"status", "State"},
                                      {"storage-tier", "StorageTier"},
                                      {"volume-id", "VolumeId"},
                                      {"volume-size", "VolumeSize"}}};
  return kSpec;
}

Result<Json> describe_snapshots(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "SnapshotIds", "snapshotIds"));
  std::vector<Json> rendered = TRY(choose_resources(context, ResourceKind::snapshot, strings_of(input, "SnapshotIds")));
  const std::vector<std::string> owners = strings_of(input, "OwnerIds");
  const std::vector<std::string> users = strings_of(input, "RestorableByUserIds");
  // All snapshots here are this account's, and none is shared.
  const auto ours = [](const std::string& owner) { return owner == "self" || owner == kSimulatedAccount; };
  if ((!owners.empty() && std::ranges::none_of(owners, ours)) ||
      (!users.empty() && std::ranges::none_of(users, ours))) {
    rendered.clear();
  }
  return finish_describe(snapshots_spec(), std::move(rendered), input);
}

Json snapshot_of(World& world, const Json& volume, const std::string& description) {
  Json json = Json::object({{"VolumeId", volume.text("VolumeId")},
                            {"VolumeSize", volume.integer("Size", 8)},
                            {"StartTime", epoch_seconds(world.now)},
                            {"OwnerId", kSimulatedAccount},
                            {"Encrypted", volume.boolean("Encrypted", false)},
                            {"StorageTier", "standard"},
                            {"Description", description}});
  json.set_if("KmsKeyId", volume.find("KmsKeyId") == nullptr ? Json() : *volume.find("KmsKeyId"));
  return json;
}

Result<Json> create_snapshot(Context& context, const Json& input) {
  World& world = context.world;
  const Resource& volume = *TRY(find_resource(context, ResourceKind::volume, input.text("VolumeId")));
  auto tags = TRY(tag_specifications(input, {"snapshot"}));
  TRY(end_of_dry_run(context));
  const Resource& snapshot =
      add_snapshot(world, context.region, snapshot_of(world, volume.description, input.text("Description")),
                   tags["snapshot"], world.draw(world.options.timings.snapshot));
  return with_tags(world, snapshot);
}

Result<Json> copy_snapshot(Context& context, const Json& input) {
  World& world = context.world;
  const std::string source_name = input.text("SourceRegion");
  const auto source = world.regions.find(source_name);
  if (source == world.regions.end() || !source->second.enabled) {
    return client_error("InvalidParameterValue", fmt::format("Invalid source region: [{}]", source_name));
  }
  if (source_name != context.region.name && input.text("PresignedUrl").empty()) {
    return missing_parameter("presignedUrl");
  }
  Context from{world, source->second, context.caller};
  const Json original = TRY(find_resource(from, ResourceKind::snapshot, input.text("SourceSnapshotId")))->description;
  if (original.text("State") != "completed") {
    return client_error("IncorrectState", fmt::format("The snapshot '{}' is in the '{}' state.",
                                                      original.text("SnapshotId"), original.text("State")));
  }
  if (!input.text("KmsKeyId").empty() && !input.boolean("Encrypted", false)) {
    return client_error("InvalidParameterDependency",
                        "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  if (!known_kms_key(input.text("KmsKeyId"))) {
    return client_error("InvalidKmsKeyId", "The KMS key does not exist, or is not enabled.");
  }
  auto tags = TRY(tag_specifications(input, {"snapshot"}));
  TRY(end_of_dry_run(context));
  Json description = snapshot_of(
      world,
      Json::object({{"VolumeId", "vol-ffffffff"},
                    {"Size", original.integer("VolumeSize", 8)},
                    {"Encrypted", original.boolean("Encrypted", false) || input.boolean("Encrypted", false) ||
                                      context.region.encrypt_volumes}}),
      input.text("Description", fmt::format("[Copied {} from {}]", original.text("SnapshotId"), source_name)));
  if (description.boolean("Encrypted", false)) {
    description.set("KmsKeyId", input.text("KmsKeyId", default_kms_key(context.region)));
  }
  const Resource& copy = add_snapshot(world, context.region, std::move(description), tags["snapshot"],
                                      world.draw(world.options.timings.image_copy));
  return Json::object({{"SnapshotId", copy.id}, {"Tags", tag_list(copy.tags)}});
}

Result<Json> delete_snapshot(Context& context, const Json& input) {
  const std::string id = TRY(find_resource(context, ResourceKind::snapshot, input.text("SnapshotId")))->id;
  for (const auto& [image_id, image] : context.region.of(ResourceKind::image)) {
    for (const Json& mapping : image.description.list("BlockDeviceMappings")) {
      const Json* used = mapping.at("Ebs", "SnapshotId");
      if (used != nullptr && *used->string() == id) {
        return client_error("InvalidSnapshot.InUse",
                            fmt::format("The snapshot {} is currently in use by {}", id, image_id));
      }
    }
  }
  TRY(end_of_dry_run(context));
  context.region.of(ResourceKind::snapshot).erase(id);
  return Json::object();
}

Result<Json> get_encryption(Context& context, const Json& /*input*/) {
  return Json::object({{"EbsEncryptionByDefault", context.region.encrypt_volumes}});
}

template <bool on>
Result<Json> set_encryption(Context& context, const Json& /*input*/) {
  TRY(end_of_dry_run(context));
  context.region.encrypt_volumes = on;
  return Json::object({{"EbsEncryptionByDefault", on}});
}

}  // namespace

Resource& add_snapshot(World& world, RegionState& region, Json description, Tags tags, Micros takes) {
  description.set("State", "pending");
  description.set("Progress", "0%");
  Resource& snapshot = add_resource(world, region, ResourceKind::snapshot, std::move(description), std::move(tags));
  later(world, region, ResourceKind::snapshot, snapshot.id, world.mono + takes,
        [](World&, RegionState&, Resource& done) {
          done.description.set("State", "completed");
          done.description.set("Progress", "100%");
        });
  return snapshot;
}

bool known_kms_key(const std::string& key) {
  return key.empty() || key == "alias/aws/ebs" || key.ends_with(":alias/aws/ebs") ||
         key.find(":key/00000000-0000-4000-8000-000000000eb5") != std::string::npos;
}

std::string default_kms_key(const RegionState& region) {
  return fmt::format("arn:aws:kms:{}:{}:key/00000000-0000-4000-8000-000000000eb5", region.name, kSimulatedAccount);
}

std::vector<OperationEntry> ec2_snapshot_operations() {
  return {{"DescribeSnapshots", describe_snapshots},
          {"CreateSnapshot", create_snapshot, DryRun::after_checks},
          {"CopySnapshot", copy_snapshot, DryRun::after_checks},
          {"DeleteSnapshot", delete_snapshot, DryRun::after_checks},
          {"GetEbsEncryptionByDefault", get_encryption},
          {"EnableEbsEncryptionByDefault", set_encryption<true>, DryRun::after_checks},
          {"DisableEbsEncryptionByDefault", set_encryption<false>, DryRun::after_checks}};
}

}  // namespace parallax::sim
