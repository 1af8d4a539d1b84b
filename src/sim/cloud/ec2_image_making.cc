// CreateImage and CopyImage: images that become available, or fail, after a while.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/lifecycle.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kNameMin = 3;
constexpr std::size_t kNameMax = 128;
constexpr std::size_t kTokenMax = 64;
constexpr std::int64_t kCopiesMax = 100;

// "1,566,308,778,174"
std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  return digits;
}

std::int64_t epoch_millis(Instant instant) {
  return std::chrono::duration_cast<Millis>(instant.time_since_epoch()).count();
}

std::vector<std::string> snapshots_of(const Json& image) {
  std::vector<std::string> ids;
  for (const Json& mapping : image.list("BlockDeviceMappings")) {
    if (const Json* id = mapping.at("Ebs", "SnapshotId")) {
      ids.push_back(*id->string());
    }
  }
  return ids;
}

// At `when` the image and its snapshots are ready; or failed, with the reason.
void finish_later(World& world, const RegionState& region, const std::string& image_id, Monotonic when,
                  const std::string& failure) {
  later(world, region, ResourceKind::image, image_id, when, [failure](World& w, RegionState& r, Resource& image) {
    image.description.set("State", failure.empty() ? "available" : "failed");
    w.tell("image", r.name, image.id, failure.empty() ? "available" : "failed");
    if (!failure.empty()) {
      image.description.set("StateReason", Json::object({{"Code", "Server.InternalError"}, {"Message", failure}}));
    }
    for (const std::string& id : snapshots_of(image.description)) {
      const auto snapshot = r.of(ResourceKind::snapshot).find(id);
      if (snapshot != r.of(ResourceKind::snapshot).end()) {
        snapshot->second.description.set("State", failure.empty() ? "completed" : "error");
        snapshot->second.description.set("Progress", failure.empty() ? "100%" : "0%");
      }
    }
  });
}

std::string drawn_failure(World& world, const RegionState& region) {
  return strikes(world, region, FaultKind::copy_fails) ? "Server.InternalError: Internal error on snapshot" : "";
}

// A pending snapshot for one device of a new image. Its end comes with the image's.
std::string add_image_snapshot(World& world, RegionState& region, const Json& ebs, std::string volume_id,
                               std::string description, const Tags& tags) {
  Json json = Json::object({{"VolumeId", std::move(volume_id)},
                            {"VolumeSize", ebs.integer("VolumeSize", 8)},
                            {"State", "pending"},
                            {"Progress", "0%"},
                            {"StartTime", epoch_seconds(world.now)},
                            {"OwnerId", kSimulatedAccount},
                            {"Encrypted", ebs.boolean("Encrypted", false)},
                            {"StorageTier", "standard"},
                            {"Description", std::move(description)}});
  if (ebs.boolean("Encrypted", false)) {
    json.set("KmsKeyId", ebs.text("KmsKeyId", default_kms_key(region)));
  }
  return add_resource(world, region, ResourceKind::snapshot, std::move(json), tags).id;
}

Json image_frame(World& world, const std::string& name, const std::string& description) {
  return Json::object({{"Name", name},
                       {"Description", description},
                       {"ImageLocation", fmt::format("{}/{}", kSimulatedAccount, name)},
                       {"OwnerId", kSimulatedAccount},
                       {"Public", false},
                       {"State", "pending"},
                       {"ImageType", "machine"},
                       {"CreationDate", iso_millis(world.now)},
                       {"PlatformDetails", "Linux/UNIX"},
                       {"UsageOperation", "RunInstances"},
                       {"RootDeviceType", "ebs"},
                       {"VirtualizationType", "hvm"},
                       {"Hypervisor", "xen"},
                       {"EnaSupport", true},
                       {"ProductCodes", JsonArray{}}});
}

// What CreateImage's mapping says of a device; nullptr: nothing.
const Json* mapping_for(const JsonArray& mappings, const std::string& device) {
  const auto found =
      std::ranges::find_if(mappings, [&](const Json& mapping) { return mapping.text("DeviceName") == device; });
  return found == mappings.end() ? nullptr : &*found;
}

Result<JsonArray> devices_to_keep(const RegionState& region, const Instance& instance, const JsonArray& mappings) {
  JsonArray kept;
  for (const BlockDevice& device : instance.devices) {
    const Json* change = mapping_for(mappings, device.device);
    if (change != nullptr && change->find("NoDevice") != nullptr) {
      continue;
    }
    const Json& volume = region.of(ResourceKind::volume).at(device.volume_id).description;
    Json ebs = Json::object({{"VolumeSize", volume.integer("Size", 8)},
                             {"VolumeType", volume.text("VolumeType")},
                             {"DeleteOnTermination", device.delete_on_termination},
                             {"Encrypted", volume.boolean("Encrypted", false)}});
    if (const Json* wanted = change == nullptr ? nullptr : change->find("Ebs")) {
      for (const std::string_view name : {"DeleteOnTermination", "VolumeType"}) {
        ebs.set_if(std::string(name), wanted->find(name) == nullptr ? Json() : *wanted->find(name));
      }
    }
    kept.push_back(Json::object({{"DeviceName", device.device}, {"VolumeId", device.volume_id}, {"Ebs", ebs}}));
  }
  for (const Json& mapping : mappings) {
    const std::string device = mapping.text("DeviceName");
    if (std::ranges::find(instance.devices, device, &BlockDevice::device) == instance.devices.end()) {
      return client_error("UnsupportedOperation",
                          fmt::format("This simulated cloud adds no devices to an image: {}", device));
    }
  }
  return kept;
}

Result<Json> create_image(Context& context, const Json& input) {
  World& world = context.world;
  RegionState& region = context.region;
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  const std::string name = input.text("Name");
  TRY(check_image_name(context, name));
  const InstanceState state = instance.status.state;
  if (state != InstanceState::running && state != InstanceState::stopped) {
    return client_error(
        "IncorrectState",
        fmt::format("The instance '{}' is not in a state from which an image can be made.", instance.id));
  }
  const JsonArray devices = TRY(devices_to_keep(region, instance, input.list("BlockDeviceMappings")));
  auto tags = TRY(tag_specifications(input, {"image", "snapshot"}));
  TRY(end_of_dry_run(context));
  Json frame = image_frame(world, name, input.text("Description"));
  frame.set("Architecture", instance.architecture);
  frame.set("RootDeviceName", instance.root_device);
  frame.set("SourceInstanceId", instance.id);
  Resource& image = add_resource(world, region, ResourceKind::image, std::move(frame), tags["image"]);
  JsonArray mappings;
  for (const Json& device : devices) {
    Json ebs = *device.find("Ebs");
    const std::string volume = device.text("VolumeId");
    ebs.set("SnapshotId", add_image_snapshot(world, region, ebs, volume,
                                             fmt::format("Created by CreateImage({}) for {}", instance.id, image.id),
                                             tags["snapshot"]));
    mappings.push_back(Json::object({{"DeviceName", device.text("DeviceName")}, {"Ebs", std::move(ebs)}}));
  }
  image.description.set("BlockDeviceMappings", std::move(mappings));
  finish_later(world, region, image.id, world.mono + world.draw(world.options.timings.image_create),
               drawn_failure(world, region));
  if (state == InstanceState::running && !input.boolean("NoReboot", false)) {
    begin_reboot(world, region, instance);
  }
  return Json::object({{"ImageId", image.id}});
}

Result<RegionState*> source_region(Context& context, const std::string& name) {
  const auto found = context.world.regions.find(name);
  if (found == context.world.regions.end() || !found->second.enabled) {
    return client_error("InvalidParameterValue", fmt::format("Invalid source region: [{}]", name));
  }
  return &found->second;
}

// Encrypted as asked, or as the source: never back to plain.
Result<Json> copied_ebs(const RegionState& region, const Json& source, const Json& input) {
  Json ebs = source;
  const bool was = source.boolean("Encrypted", false);
  if (was && input.find("Encrypted") != nullptr && !input.boolean("Encrypted", false)) {
    return client_error("InvalidParameterValue", "An encrypted image cannot be copied to one that is not encrypted.");
  }
  const bool encrypted = was || input.boolean("Encrypted", false) || region.encrypt_volumes;
  ebs.set("Encrypted", encrypted);
  if (encrypted) {
    ebs.set("KmsKeyId", input.text("KmsKeyId", default_kms_key(region)));
  }
  return ebs;
}

Result<> check_copy(Context& context, const Json& input) {
  TRY(check_image_name(context, input.text("Name")));
  if (input.text("ClientToken").size() > kTokenMax) {
    return bad_parameter(input.text("ClientToken"), "clientToken", "It has at most 64 characters.");
  }
  if (!input.text("KmsKeyId").empty() && !input.boolean("Encrypted", false)) {
    return client_error("InvalidParameterDependency",
                        "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  const auto pending = std::ranges::count_if(context.region.of(ResourceKind::image), [](const auto& entry) {
    return entry.second.description.text("State") == "pending" &&
           entry.second.description.find("SourceImageId") != nullptr;
  });
  if (pending >= kCopiesMax) {
    return client_error(
        "ResourceLimitExceeded",
        fmt::format("You have reached the limit of {} concurrent image copies to this region.", kCopiesMax));
  }
  return {};
}

Json copy_frame(World& world, const Json& source, const Json& input) {
  Json frame = image_frame(world, input.text("Name"), input.text("Description", source.text("Description")));
  for (const std::string_view name :
       {"Architecture", "RootDeviceName", "ImdsSupport", "BootMode", "PlatformDetails", "UsageOperation"}) {
    frame.set_if(std::string(name), source.find(name) == nullptr ? Json() : *source.find(name));
  }
  frame.set("SourceImageId", input.text("SourceImageId"));
  frame.set("SourceImageRegion", input.text("SourceRegion"));
  return frame;
}

Tags tags_of_copy(const Resource& source, const Json& input, const Tags& given) {
  Tags tags = given;
  if (input.boolean("CopyImageTags", false)) {
    for (const auto& [key, value] : source.tags) {
      if (!key.starts_with("aws:")) {
        tags.emplace(key, value);
      }
    }
  }
  return tags;
}

Result<Json> copy_image(Context& context, const Json& input) {
  World& world = context.world;
  RegionState& region = context.region;
  if (const TokenRecord* before = TRY(token_used(context, "CopyImage", "", input))) {
    return before->answer;
  }
  Context from{world, *TRY(source_region(context, input.text("SourceRegion"))), context.caller};
  const Resource source = *TRY(usable_image(from, input.text("SourceImageId")));
  TRY(check_copy(context, input));
  auto tags = TRY(tag_specifications(input, {"image", "snapshot"}));
  std::vector<std::pair<std::string, Json>> devices;
  for (const Json& mapping : source.description.list("BlockDeviceMappings")) {
    if (const Json* ebs = mapping.find("Ebs")) {
      devices.emplace_back(mapping.text("DeviceName"), TRY(copied_ebs(region, *ebs, input)));
    }
  }
  TRY(end_of_dry_run(context));
  Resource& image = add_resource(world, region, ResourceKind::image, copy_frame(world, source.description, input),
                                 tags_of_copy(source, input, tags["image"]));
  JsonArray mappings;
  for (auto& [device, ebs] : devices) {
    const std::string text =
        fmt::format("Copied for DestinationAmi {} from SourceAmi {} for SourceSnapshot {}. Task created on {}.",
                    image.id, source.id, ebs.text("SnapshotId"), with_commas(epoch_millis(world.now)));
    ebs.set("SnapshotId", add_image_snapshot(world, region, ebs, "vol-ffffffff", text, tags["snapshot"]));
    mappings.push_back(Json::object({{"DeviceName", device}, {"Ebs", std::move(ebs)}}));
  }
  image.description.set("BlockDeviceMappings", std::move(mappings));
  std::string failure = drawn_failure(world, region);
  if (!known_kms_key(input.text("KmsKeyId"))) {
    failure = "Client.InvalidKmsKeyId: the KMS key does not exist, is not enabled or you do not have permission to it";
  }
  finish_later(world, region, image.id, world.mono + world.draw(world.options.timings.image_copy), failure);
  Json answer = Json::object({{"ImageId", image.id}});
  remember_token(context, "CopyImage", "", input, answer, {image.id});
  return answer;
}

}  // namespace

Result<> check_image_name(Context& context, const std::string& name) {
  const bool fits = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("()[] ./-'@_").find(c) != std::string_view::npos;
  });
  if (!fits || name.size() < kNameMin || name.size() > kNameMax) {
    return client_error("InvalidAMIName.Malformed",
                        "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', "
                        "')', '.', '-', '/' and '_'");
  }
  for (const auto& [id, image] : context.region.of(ResourceKind::image)) {
    if (image.description.text("Name") == name && image.description.text("OwnerId") == kSimulatedAccount) {
      return client_error("InvalidAMIName.Duplicate", fmt::format("AMI name {} is already in use by AMI {}", name, id));
    }
  }
  const auto held = context.region.image_names_held.find(name);
  if (held != context.region.image_names_held.end() && held->second > context.world.mono) {
    return client_error("InvalidAMIName.Duplicate",
                        fmt::format("AMI name {} is already in use by an AMI that was deregistered just now", name));
  }
  return {};
}

std::vector<OperationEntry> ec2_image_making_operations() {
  return {{"CreateImage", create_image, DryRun::after_checks}, {"CopyImage", copy_image, DryRun::after_checks}};
}

}  // namespace parallax::sim
