// Volumes, alone and at instances.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

constexpr Micros kVolumeCreated = Seconds(3);

struct VolumeType {
  std::string_view name;
  std::int64_t size_min;
  std::int64_t size_max;
  std::int64_t iops_max;  // 0: the type takes no number
  bool iops_needed;
};

constexpr std::array<VolumeType, 7> kVolumeTypes = {{{"gp3", 1, 16384, 16000, false},
                                                     {"gp2", 1, 16384, 0, false},
                                                     {"io1", 4, 16384, 64000, true},
                                                     {"io2", 4, 65536, 256000, true},
                                                     {"st1", 125, 16384, 0, false},
                                                     {"sc1", 125, 16384, 0, false},
                                                     {"standard", 1, 1024, 0, false}}};

const DescribeSpec& volumes_spec() {
  static const DescribeSpec kSpec = {"DescribeVolumes",
                                     "Volumes",
                                     {{"attachment.attach-time", "Attachments.AttachTime"},
                                      {"attachment.delete-on-termination", "Attachments.DeleteOnTermination"},
                                      {"attachment.device", "Attachments.Device"},
                                      {"attachment.instance-id", "Attachments.InstanceId"},
                                      {"attachment.status", "Attachments.State"},
                                      {"availability-zone", "AvailabilityZone"},
                                      {"create-time", "CreateTime"},
                                      {"encrypted", "Encrypted"},
                                      {"fast-restored", "FastRestored"},
                                      {"multi-attach-enabled", "MultiAttachEnabled"},
                                      {"size", "Size"},
                                      {"snapshot-id", "SnapshotId"},
                                      {"status", "State"},
                                      {"volume-id", "VolumeId"},
                                      {"volume-type", "VolumeType"}}};
  return kSpec;
}

Result<Json> describe_volumes(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "VolumeIds", "volumeIds"));
  return finish_describe(volumes_spec(),
                         TRY(choose_resources(context, ResourceKind::volume, strings_of(input, "VolumeIds"))), input);
}

Result<VolumeSpec> spec_of_request(Context& context, const Json& input) {
  VolumeSpec spec;
  spec.type = input.text("VolumeType", "gp2");
  spec.zone = input.text("AvailabilityZone");
  TRY(check_zone(context, spec.zone));
  spec.snapshot_id = input.text("SnapshotId");
  spec.size_gib = input.integer("Size", 0);
  spec.encrypted = input.boolean("Encrypted", context.region.encrypt_volumes);
  spec.kms_key = input.text("KmsKeyId");
  spec.iops = input.integer("Iops", 0);
  spec.throughput = input.integer("Throughput", 0);
  if (!spec.snapshot_id.empty()) {
    const Json& snapshot = TRY(find_resource(context, ResourceKind::snapshot, spec.snapshot_id))->description;
    if (snapshot.text("State") != "completed") {
      return client_error("IncorrectState", fmt::format("Snapshot is in invalid state - {}", snapshot.text("State")));
    }
    const std::int64_t least = snapshot.integer("VolumeSize", 1);
    if (spec.size_gib != 0 && spec.size_gib < least) {
      return bad_parameter(std::to_string(spec.size_gib), "size",
                           fmt::format("The volume must not be smaller than its snapshot, {} GiB.", least));
    }
    spec.size_gib = spec.size_gib == 0 ? least : spec.size_gib;
    spec.encrypted = spec.encrypted || snapshot.boolean("Encrypted", false);
  }
  if (spec.size_gib == 0) {
    return missing_parameter("size/snapshot");
  }
  TRY(check_volume(spec));
  return spec;
}

Result<Json> create_volume(Context& context, const Json& input) {
  if (const TokenRecord* before = TRY(token_used(context, "CreateVolume", "", input))) {
    return before->answer;
  }
  const VolumeSpec spec = TRY(spec_of_request(context, input));
  auto tags = TRY(tag_specifications(input, {"volume"}));
  TRY(end_of_dry_run(context));
  Resource& volume = add_volume(context.world, context.region, spec, tags["volume"]);
  volume.description.set("State", "creating");
  later(context.world, context.region, ResourceKind::volume, volume.id,
        context.world.mono + context.world.scaled(kVolumeCreated),
        [](World&, RegionState&, Resource& made) { made.description.set("State", "available"); });
  Json answer = with_tags(context.world, volume);
  remember_token(context, "CreateVolume", "", input, answer, {volume.id});
  return answer;
}

Error wrong_volume_state(const Resource& volume) {
  return client_error("IncorrectState",
                      fmt::format("Volume '{}' is in the '{}' state.", volume.id, volume.description.text("State")));
}

Result<Json> delete_volume(Context& context, const Json& input) {
  const Resource& volume = *TRY(find_resource(context, ResourceKind::volume, input.text("VolumeId")));
  const JsonArray& attachments = volume.description.list("Attachments");
  if (!attachments.empty()) {
    return client_error("VolumeInUse", fmt::format("Volume {} is currently attached to {}", volume.id,
                                                   attachments.front().text("InstanceId")));
  }
  if (volume.description.text("State") != "available") {
    return wrong_volume_state(volume);
  }
  TRY(end_of_dry_run(context));
  context.region.of(ResourceKind::volume).erase(std::string(volume.id));
  return Json::object();
}

Result<Json> attach_volume(Context& context, const Json& input) {
  Resource& volume = *TRY(find_resource(context, ResourceKind::volume, input.text("VolumeId")));
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  const std::string device = input.text("Device");
  if (!device.starts_with("/dev/") && !device.starts_with("xvd")) {
    return bad_parameter(device, "device", fmt::format("{} is not a valid EBS device name.", device));
  }
  if (volume.description.text("State") == "in-use") {
    return client_error("VolumeInUse", fmt::format("{} is already attached to an instance", volume.id));
  }
  if (volume.description.text("State") != "available") {
    return wrong_volume_state(volume);
  }
  const InstanceState state = instance.status.state;
  if (state != InstanceState::running && state != InstanceState::stopped) {
    return client_error("IncorrectState", fmt::format("Instance '{}' is not 'running'.", instance.id));
  }
  if (volume.description.text("AvailabilityZone") != instance.zone) {
    return client_error(
        "InvalidVolume.ZoneMismatch",
        fmt::format("The volume '{}' is not in the same availability zone as instance '{}'", volume.id, instance.id));
  }
  if (std::ranges::find(instance.devices, device, &BlockDevice::device) != instance.devices.end()) {
    return client_error("InvalidParameterValue", fmt::format("Invalid value '{}' for unixDevice. Attachment point {} "
                                                             "is already in use",
                                                             device, device));
  }
  TRY(end_of_dry_run(context));
  attach(context.world, volume, instance, device, false);
  Json answer = volume.description.list("Attachments").front();
  answer.set("State", "attaching");
  return answer;
}

Result<Json> detach_volume(Context& context, const Json& input) {
  Resource& volume = *TRY(find_resource(context, ResourceKind::volume, input.text("VolumeId")));
  const JsonArray attachments = volume.description.list("Attachments");
  if (attachments.empty()) {
    return client_error("IncorrectState", fmt::format("Volume '{}' is in the 'available' state.", volume.id));
  }
  Json attachment = attachments.front();
  if (!input.text("InstanceId", attachment.text("InstanceId")).starts_with(attachment.text("InstanceId")) ||
      input.text("Device", attachment.text("Device")) != attachment.text("Device")) {
    return client_error("InvalidAttachment.NotFound",
                        fmt::format("Volume '{}' is not attached to instance '{}' as device '{}'", volume.id,
                                    input.text("InstanceId"), input.text("Device")));
  }
  Instance& instance = *TRY(find_instance(context, attachment.text("InstanceId")));
  if (attachment.text("Device") == instance.root_device && instance.status.state != InstanceState::stopped) {
    return client_error("OperationNotPermitted",
                        fmt::format("Unable to detach root volume '{}' from instance '{}'", volume.id, instance.id));
  }
  TRY(end_of_dry_run(context));
  std::erase_if(instance.devices, [&](const BlockDevice& device) { return device.volume_id == volume.id; });
  volume.description.set("Attachments", JsonArray{});
  volume.description.set("State", "available");
  attachment.set("State", "detaching");
  return attachment;
}

}  // namespace

Result<> check_volume(const VolumeSpec& spec) {
  const auto type = std::ranges::find(kVolumeTypes, spec.type, &VolumeType::name);
  if (type == kVolumeTypes.end()) {
    return bad_parameter(spec.type, "volumeType", "Unknown volume type.");
  }
  if (spec.size_gib < type->size_min || spec.size_gib > type->size_max) {
    return client_error("InvalidParameterValue",
                        fmt::format("Volume of {}GiB is {} for volume type {}; {} is {}GiB.", spec.size_gib,
                                    spec.size_gib < type->size_min ? "too small" : "too large", spec.type,
                                    spec.size_gib < type->size_min ? "minimum" : "maximum",
                                    spec.size_gib < type->size_min ? type->size_min : type->size_max));
  }
  if (type->iops_needed && spec.iops == 0) {
    return missing_parameter("iops");
  }
  if (spec.iops != 0 && (type->iops_max == 0 || spec.iops < 100 || spec.iops > type->iops_max)) {
    return client_error(type->iops_max == 0 ? "InvalidParameterCombination" : "InvalidParameterValue",
                        fmt::format("The volume type {} does not take {} iops.", spec.type, spec.iops));
  }
  if (spec.throughput != 0 && (spec.type != "gp3" || spec.throughput < 125 || spec.throughput > 1000)) {
    return bad_combination(
        fmt::format("The volume type {} does not take a throughput of {}.", spec.type, spec.throughput));
  }
  if (!spec.kms_key.empty() && !spec.encrypted) {
    return client_error("InvalidParameterDependency",
                        "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  return {};
}

Resource& add_volume(World& world, RegionState& region, const VolumeSpec& spec, Tags tags) {
  Json json = Json::object({{"Size", spec.size_gib},
                            {"VolumeType", spec.type},
                            {"State", "available"},
                            {"SnapshotId", spec.snapshot_id},
                            {"AvailabilityZone", spec.zone},
                            {"Encrypted", spec.encrypted},
                            {"MultiAttachEnabled", false},
                            {"CreateTime", epoch_seconds(world.now)},
                            {"Attachments", JsonArray{}}});
  if (spec.encrypted) {
    json.set("KmsKeyId", spec.kms_key.empty() ? default_kms_key(region) : spec.kms_key);
  }
  if (spec.type == "gp3") {
    json.set("Iops", spec.iops == 0 ? 3000 : spec.iops);
    json.set("Throughput", spec.throughput == 0 ? 125 : spec.throughput);
  } else if (spec.type == "gp2") {
    json.set("Iops", std::clamp<std::int64_t>(spec.size_gib * 3, 100, 16000));
  } else if (spec.iops != 0) {
    json.set("Iops", spec.iops);
  }
  return add_resource(world, region, ResourceKind::volume, std::move(json), std::move(tags));
}

void attach(World& world, Resource& volume, Instance& instance, const std::string& device, bool delete_on_termination) {
  volume.description.set("State", "in-use");
  volume.description.set("Attachments", Json::array({Json::object({{"VolumeId", volume.id},
                                                                   {"InstanceId", instance.id},
                                                                   {"Device", device},
                                                                   {"State", "attached"},
                                                                   {"AttachTime", epoch_seconds(world.now)},
                                                                   {"DeleteOnTermination", delete_on_termination}})}));
  instance.devices.push_back(BlockDevice{device, volume.id, delete_on_termination, world.now});
}

void release_volumes(World& /*world*/, RegionState& region, Instance& instance) {
  auto& volumes = region.of(ResourceKind::volume);
  for (const BlockDevice& device : instance.devices) {
    const auto volume = volumes.find(device.volume_id);
    if (volume == volumes.end()) {
      continue;
    }
    if (device.delete_on_termination) {
      volumes.erase(volume);
    } else {
      volume->second.description.set("Attachments", JsonArray{});
      volume->second.description.set("State", "available");
    }
  }
  instance.devices.clear();
}

std::vector<OperationEntry> ec2_volume_operations() {
  return {{"DescribeVolumes", describe_volumes},
          {"CreateVolume", create_volume, DryRun::after_checks},
          {"DeleteVolume", delete_volume, DryRun::after_checks},
          {"AttachVolume", attach_volume, DryRun::after_checks},
          {"DetachVolume", detach_volume, DryRun::after_checks}};
}

}  // namespace parallax::sim
