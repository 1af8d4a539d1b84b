// Instance profiles: one role each, and EC2 learns of them region by region.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/iam_common.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kProfilesMax = 1000;
constexpr std::size_t kProfileNameMax = 128;
constexpr std::size_t kRolesPerProfile = 1;

Json profile_json(const World& world, const IamProfile& profile) {
  JsonArray roles;
  if (const auto role = world.iam.roles.find(profile.role_name); role != world.iam.roles.end()) {
    roles.push_back(role_json(role->second));
  }
  Json json = Json::object({{"Path", profile.path},
                            {"InstanceProfileName", profile.name},
                            {"InstanceProfileId", profile.id},
                            {"Arn", profile.arn},
                            {"CreateDate", epoch_seconds(profile.created)},
                            {"Roles", std::move(roles)}});
  if (!profile.tags.empty()) {
    json.set("Tags", tag_list(profile.tags));
  }
  return json;
}

// IAM is one for all regions and eventually consistent: each region's EC2 takes its own time.
void propagate(World& world, IamProfile& profile) {
  for (const auto& [name, region] : world.regions) {
    profile.usable_at[name] = world.mono + world.draw(world.options.timings.profile);
  }
}

Result<Json> create_profile(Context& context, const Json& input) {
  World& world = context.world;
  IamProfile profile;
  profile.name = input.text("InstanceProfileName");
  TRY(check_name("instanceProfileName", profile.name, kProfileNameMax));
  profile.path = TRY(path_of(input));
  TRY(add_iam_tags(profile.tags, input));
  if (name_taken(world.iam.profiles, profile.name)) {
    return already_exists(fmt::format("Instance Profile {} already exists.", profile.name));
  }
  if (world.iam.profiles.size() >= kProfilesMax) {
    return limit_exceeded("InstanceProfilesPerAccount", kProfilesMax);
  }
  profile.id = iam_id(world, "AIPA");
  profile.arn = iam_arn("instance-profile", profile.path + profile.name);
  profile.created = world.now;
  propagate(world, profile);
  Json shown = profile_json(world, profile);
  world.iam.profiles.emplace(profile.name, std::move(profile));
  return Json::object({{"InstanceProfile", std::move(shown)}});
}

Result<Json> get_profile(Context& context, const Json& input) {
  const IamProfile* profile = TRY(find_instance_profile(context.world, input.text("InstanceProfileName")));
  return Json::object({{"InstanceProfile", profile_json(context.world, *profile)}});
}

Result<Json> list_profiles(Context& context, const Json& input) {
  std::vector<Json> profiles;
  for (const auto& [name, profile] : context.world.iam.profiles) {
    if (profile.path.starts_with(input.text("PathPrefix", "/"))) {
      profiles.push_back(profile_json(context.world, profile));
    }
  }
  return iam_page("ListInstanceProfiles", "InstanceProfiles", std::move(profiles), input);
}

Result<Json> list_profiles_for_role(Context& context, const Json& input) {
  const IamRole* role = TRY(find_role(context.world, input.text("RoleName")));
  std::vector<Json> profiles;
  for (const auto& [name, profile] : context.world.iam.profiles) {
    if (profile.role_id == role->id) {
      profiles.push_back(profile_json(context.world, profile));
    }
  }
  return iam_page("ListInstanceProfilesForRole", "InstanceProfiles", std::move(profiles), input);
}

Result<Json> add_role(Context& context, const Json& input) {
  World& world = context.world;
  IamProfile* profile = TRY(find_instance_profile(world, input.text("InstanceProfileName")));
  const IamRole* role = TRY(find_role(world, input.text("RoleName")));
  if (!profile->role_name.empty()) {
    return limit_exceeded("InstanceSessionsPerInstanceProfile", kRolesPerProfile);
  }
  profile->role_name = role->name;
  profile->role_id = role->id;
  propagate(world, *profile);
  return Json::object();
}

Result<Json> remove_role(Context& context, const Json& input) {
  IamProfile* profile = TRY(find_instance_profile(context.world, input.text("InstanceProfileName")));
  TRY(find_role(context.world, input.text("RoleName")));
  if (profile->role_name != input.text("RoleName")) {
    return no_such_entity(fmt::format("Role {} is not in instance profile {}.", input.text("RoleName"), profile->name));
  }
  profile->role_name.clear();
  profile->role_id.clear();
  return Json::object();
}

Result<Json> delete_profile(Context& context, const Json& input) {
  const IamProfile* profile = TRY(find_instance_profile(context.world, input.text("InstanceProfileName")));
  if (!profile->role_name.empty()) {
    return delete_conflict("Cannot delete entity, must remove roles from instance profile first.");
  }
  context.world.iam.profiles.erase(input.text("InstanceProfileName"));
  return Json::object();
}

Result<Json> tag_profile(Context& context, const Json& input) {
  IamProfile* profile = TRY(find_instance_profile(context.world, input.text("InstanceProfileName")));
  TRY(add_iam_tags(profile->tags, input));
  return Json::object();
}

Result<Json> untag_profile(Context& context, const Json& input) {
  remove_iam_tags(TRY(find_instance_profile(context.world, input.text("InstanceProfileName")))->tags, input);
  return Json::object();
}

Result<Json> list_profile_tags(Context& context, const Json& input) {
  const IamProfile* profile = TRY(find_instance_profile(context.world, input.text("InstanceProfileName")));
  return iam_page("ListInstanceProfileTags", "Tags", *tag_list(profile->tags).items(), input);
}

}  // namespace

std::vector<OperationEntry> iam_profile_operations() {
  return {{"CreateInstanceProfile", create_profile}, {"GetInstanceProfile", get_profile},
          {"ListInstanceProfiles", list_profiles},   {"ListInstanceProfilesForRole", list_profiles_for_role},
          {"AddRoleToInstanceProfile", add_role},    {"RemoveRoleFromInstanceProfile", remove_role},
          {"DeleteInstanceProfile", delete_profile}, {"TagInstanceProfile", tag_profile},
          {"UntagInstanceProfile", untag_profile},   {"ListInstanceProfileTags", list_profile_tags}};
}

}  // namespace parallax::sim
