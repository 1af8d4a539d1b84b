// Images: described, shared, deregistered.
#include <algorithm>

#include <fmt/format.h>

#include "codec/hash.h"
#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kAmazonAccount = "137112412989";
constexpr std::size_t kAccountDigits = 12;

const DescribeSpec& images_spec() {
  static const DescribeSpec kSpec = {
      "DescribeImages",
      "Images",
      {{"architecture", "Architecture"},
       {"block-device-mapping.delete-on-termination", "BlockDeviceMappings.Ebs.DeleteOnTermination"},
       {"block-device-mapping.device-name", "BlockDeviceMappings.DeviceName"},
       {"block-device-mapping.snapshot-id", "BlockDeviceMappings.Ebs.SnapshotId"},
       {"block-device-mapping.volume-size", "BlockDeviceMappings.Ebs.VolumeSize"},
       {"block-device-mapping.volume-type", "BlockDeviceMappings.Ebs.VolumeType"},
       {"block-device-mapping.encrypted", "BlockDeviceMappings.Ebs.Encrypted"},
       {"creation-date", "CreationDate"},
       {"description", "Description"},
       {"ena-support", "EnaSupport"},
       {"hypervisor", "Hypervisor"},
       {"image-id", "ImageId"},
       {"image-type", "ImageType"},
       {"imds-support", "ImdsSupport"},
       {"is-public", "Public"},
       {"kernel-id", "KernelId"},
       {"manifest-location", "ImageLocation"},
       {"name", "Name"},
       {"owner-alias", "ImageOwnerAlias"},
       {"owner-id", "OwnerId"},
       {"platform", "Platform"},
       {"product-code", "ProductCodes.ProductCodeId"},
       {"product-code.type", "ProductCodes.ProductCodeType"},
       {"ramdisk-id", "RamdiskId"},
       {"root-device-name", "RootDeviceName"},
       {"root-device-type", "RootDeviceType"},
       {"source-image-id", "SourceImageId"},
       {"source-image-region", "SourceImageRegion"},
       {"state", "State"},
       {"state-reason-code", "StateReason.Code"},
       {"state-reason-message", "StateReason.Message"},
       {"virtualization-type", "VirtualizationType"}}};
  return kSpec;
}

bool is_account(const std::string& text) {
  return text.size() == kAccountDigits && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Result<> check_owners(const std::vector<std::string>& owners, const std::vector<std::string_view>& words) {
  for (const std::string& owner : owners) {
    if (!is_account(owner) && std::ranges::find(words, owner) == words.end()) {
      return client_error("InvalidUserID.Malformed", fmt::format("Invalid user id: \"{}\"", owner));
    }
  }
  return {};
}

bool owned_by(const Json& image, const std::vector<std::string>& owners) {
  return owners.empty() || std::ranges::any_of(owners, [&](const std::string& owner) {
           return owner == image.text("OwnerId") || owner == image.text("ImageOwnerAlias") ||
                  (owner == "self" && image.text("OwnerId") == kSimulatedAccount);
         });
}

bool launchable_by(const Json& image, const std::vector<std::string>& users) {
  return users.empty() || std::ranges::any_of(users, [&](const std::string& user) {
           if (user == "all") {
             return image.boolean("Public", false);
           }
           const std::string account = user == "self" ? std::string(kSimulatedAccount) : user;
           return std::ranges::any_of(image.list("LaunchPermissions"),
                                      [&](const Json& permission) { return permission.text("UserId") == account; });
         });
}

Result<Json> describe_images(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "ImageIds", "imageIds"));
  const std::vector<std::string> ids = strings_of(input, "ImageIds");
  const std::vector<std::string> owners = strings_of(input, "Owners");
  const std::vector<std::string> users = strings_of(input, "ExecutableUsers");
  TRY(check_owners(owners, {"self", "amazon", "aws-marketplace", "aws-backup-vault"}));
  TRY(check_owners(users, {"self", "all"}));
  for (const std::string& id : ids) {
    TRY(find_image(context, id));
  }
  std::vector<Json> rendered = TRY(choose_resources(context, ResourceKind::image, ids));
  std::erase_if(rendered, [&](const Json& image) { return !owned_by(image, owners) || !launchable_by(image, users); });
  for (Json& image : rendered) {
    image.members()->erase("LaunchPermissions");
  }
  return finish_describe(images_spec(), std::move(rendered), input);
}

Result<Resource*> find_own_image(Context& context, const std::string& id) {
  Resource* image = TRY(find_image(context, id));
  if (image->description.text("OwnerId") != kSimulatedAccount) {
    return client_error("AuthFailure", fmt::format("Not authorized for image:{}", id));
  }
  return image;
}

bool used_by_an_image(const RegionState& region, const std::string& snapshot_id) {
  return std::ranges::any_of(region.of(ResourceKind::image), [&](const auto& entry) {
    return std::ranges::any_of(entry.second.description.list("BlockDeviceMappings"), [&](const Json& mapping) {
      const Json* id = mapping.at("Ebs", "SnapshotId");
      return id != nullptr && *id->string() == snapshot_id;
    });
  });
}

Result<Json> deregister_image(Context& context, const Json& input) {
  Resource& image = *TRY(find_own_image(context, input.text("ImageId")));
  TRY(end_of_dry_run(context));
  RegionState& region = context.region;
  // Deregistering what is still pending cancels it: nothing of it stays.
  const bool cancelled = image.description.text("State") == "pending";
  const Micros held = context.world.scaled(context.world.options.timings.image_name_held);
  region.image_names_held[image.description.text("Name")] = context.world.mono + held;
  region.images_gone[image.id] = context.world.mono + held;
  const JsonArray mappings = image.description.list("BlockDeviceMappings");
  region.of(ResourceKind::image).erase(std::string(image.id));
  Json answer = Json::object({{"Return", true}});
  JsonArray results;
  for (const Json& mapping : mappings) {
    const Json* snapshot = mapping.at("Ebs", "SnapshotId");
    if (snapshot == nullptr || (!cancelled && !input.boolean("DeleteAssociatedSnapshots", false))) {
      continue;
    }
    const std::string id = *snapshot->string();
    const bool shared = used_by_an_image(region, id);
    if (!shared) {
      region.of(ResourceKind::snapshot).erase(id);
    }
    results.push_back(Json::object({{"SnapshotId", id}, {"ReturnCode", shared ? "skipped" : "success"}}));
  }
  if (input.boolean("DeleteAssociatedSnapshots", false)) {
    answer.set("DeleteSnapshotResults", std::move(results));
  }
  return answer;
}

Result<Json> describe_image_attribute(Context& context, const Json& input) {
  const Json& image = TRY(find_own_image(context, input.text("ImageId")))->description;
  const std::string attribute = input.text("Attribute");
  Json answer = Json::object({{"ImageId", image.text("ImageId")}});
  if (attribute == "launchPermission") {
    answer.set("LaunchPermissions", image.list("LaunchPermissions"));
  } else if (attribute == "description") {
    answer.set("Description", Json::object({{"Value", image.text("Description")}}));
  } else if (attribute == "blockDeviceMapping") {
    answer.set("BlockDeviceMappings", image.list("BlockDeviceMappings"));
  } else if (attribute == "productCodes") {
    answer.set("ProductCodes", JsonArray{});
  } else if (attribute == "imdsSupport") {
    answer.set("ImdsSupport", Json::object({{"Value", image.text("ImdsSupport")}}));
  } else if (attribute != "kernel" && attribute != "ramdisk" && attribute != "sriovNetSupport" &&
             attribute != "bootMode" && attribute != "tpmSupport" && attribute != "uefiData" &&
             attribute != "lastLaunchedTime") {
    return client_error("InvalidRequest", fmt::format("The request received was invalid: attribute {}", attribute));
  }
  return answer;
}

// Additions and removals, in the structure or in the older flat members.
Result<std::pair<JsonArray, JsonArray>> permission_changes(const Json& input) {
  JsonArray add;
  JsonArray remove;
  if (const Json* permission = input.find("LaunchPermission")) {
    add = permission->list("Add");
    remove = permission->list("Remove");
  }
  JsonArray& flat = input.text("OperationType", "add") == "add" ? add : remove;
  for (const std::string& user : strings_of(input, "UserIds")) {
    flat.push_back(Json::object({{"UserId", user}}));
  }
  for (const std::string& group : strings_of(input, "UserGroups")) {
    flat.push_back(Json::object({{"Group", group}}));
  }
  for (const JsonArray* list : {&add, &remove}) {
    for (const Json& permission : *list) {
      const std::string user = permission.text("UserId");
      const std::string group = permission.text("Group");
      if (user.empty() == group.empty() || (!user.empty() && !is_account(user)) || (!group.empty() && group != "all")) {
        return client_error("InvalidAMIAttributeItemValue",
                            fmt::format("Invalid attribute item value \"{}\" for userId item type.", user + group));
      }
    }
  }
  return std::pair(std::move(add), std::move(remove));
}

Result<Json> modify_image_attribute(Context& context, const Json& input) {
  Resource& image = *TRY(find_own_image(context, input.text("ImageId")));
  const std::string attribute = input.text("Attribute");
  const Json* description = input.at("Description", "Value");
  if (description != nullptr || attribute == "description") {
    TRY(end_of_dry_run(context));
    image.description.set("Description", description == nullptr ? Json(input.text("Value")) : *description);
    return Json::object();
  }
  if (!attribute.empty() && attribute != "launchPermission") {
    return client_error("InvalidParameterCombination", fmt::format("Attribute {} cannot be modified.", attribute));
  }
  const auto [add, remove] = TRY(permission_changes(input));
  if (add.empty() && remove.empty()) {
    return client_error("InvalidParameterCombination", "No attributes specified.");
  }
  const bool encrypted = std::ranges::any_of(image.description.list("BlockDeviceMappings"), [](const Json& mapping) {
    const Json* flag = mapping.at("Ebs", "Encrypted");
    return flag != nullptr && flag->boolean().value_or(false);
  });
  if (encrypted && !add.empty()) {
    return client_error("InvalidParameter",
                        "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another snapshot.");
  }
  TRY(end_of_dry_run(context));
  JsonArray permissions = image.description.list("LaunchPermissions");
  for (const Json& permission : add) {
    if (std::ranges::find(permissions, permission) == permissions.end()) {
      permissions.push_back(permission);
    }
  }
  for (const Json& permission : remove) {
    std::erase(permissions, permission);
  }
  const bool is_public = std::ranges::any_of(permissions, [](const Json& p) { return p.text("Group") == "all"; });
  image.description.set("LaunchPermissions", std::move(permissions));
  image.description.set("Public", is_public);
  return Json::object();
}

Result<Json> reset_image_attribute(Context& context, const Json& input) {
  Resource& image = *TRY(find_own_image(context, input.text("ImageId")));
  TRY(end_of_dry_run(context));
  image.description.members()->erase("LaunchPermissions");
  image.description.set("Public", false);
  return Json::object();
}

std::string hashed_id(std::string_view prefix, const std::string& text) {
  return fmt::format("{}0{}", prefix, sha256_hex(text).substr(0, 16));
}

}  // namespace

Result<Resource*> find_image(Context& context, const std::string& id) {
  const auto gone = context.region.images_gone.find(id);
  if (gone != context.region.images_gone.end() && gone->second > context.world.mono) {
    return client_error("InvalidAMIID.Unavailable", fmt::format("The image ID '{}' is no longer available", id));
  }
  return find_resource(context, ResourceKind::image, id);
}

Result<Resource*> usable_image(Context& context, const std::string& id) {
  Resource* image = TRY(find_image(context, id));
  if (image->description.text("State") != "available") {
    return client_error("InvalidAMIID.Unavailable", fmt::format("The image ID '{}' is not available", id));
  }
  return image;
}

std::string amazon_image_id(const std::string& region, const std::string& architecture) {
  return hashed_id("ami-", "amazon linux " + region + architecture);
}

void add_amazon_images(World& world, RegionState& region) {
  for (const std::string architecture : {"x86_64", "arm64"}) {
    const std::string id = amazon_image_id(region.name, architecture);
    const std::string name = fmt::format("al2023-ami-2023.9.20260101.0-kernel-6.1-{}", architecture);
    Resource image;
    image.id = id;
    image.description = Json::object({{"ImageId", id},
                                      {"Name", name},
                                      {"Description", fmt::format("Amazon Linux 2023 AMI {} HVM", architecture)},
                                      {"ImageLocation", "amazon/" + name},
                                      {"ImageOwnerAlias", "amazon"},
                                      {"OwnerId", kAmazonAccount},
                                      {"Public", true},
                                      {"State", "available"},
                                      {"Architecture", architecture},
                                      {"ImageType", "machine"},
                                      {"CreationDate", iso_millis(world.now - Seconds(40L * 86400))},
                                      {"PlatformDetails", "Linux/UNIX"},
                                      {"UsageOperation", "RunInstances"},
                                      {"RootDeviceName", "/dev/xvda"},
                                      {"RootDeviceType", "ebs"},
                                      {"VirtualizationType", "hvm"},
                                      {"Hypervisor", "xen"},
                                      {"ImdsSupport", "v2.0"},
                                      {"EnaSupport", true},
                                      {"ProductCodes", JsonArray{}}});
    image.description.set("BlockDeviceMappings",
                          Json::array({Json::object({{"DeviceName", "/dev/xvda"},
                                                     {"Ebs", Json::object({{"SnapshotId", hashed_id("snap-", id)},
                                                                           {"VolumeSize", 8},
                                                                           {"VolumeType", "gp3"},
                                                                           {"DeleteOnTermination", true},
                                                                           {"Encrypted", false}})}})}));
    region.of(ResourceKind::image).insert_or_assign(id, std::move(image));
  }
}

std::vector<OperationEntry> ec2_image_operations() {
  return {{"DescribeImages", describe_images},
          {"DeregisterImage", deregister_image, DryRun::after_checks},
          {"DescribeImageAttribute", describe_image_attribute},
          {"ModifyImageAttribute", modify_image_attribute, DryRun::after_checks},
          {"ResetImageAttribute", reset_image_attribute, DryRun::after_checks}};
}

}  // namespace parallax::sim
