// What tests look at beside the wire: the account as it truly is.
#include <array>
#include <utility>

#include "sim/cloud/cloud.h"
#include "sim/cloud/state.h"

namespace parallax::sim {

namespace {

constexpr std::array<std::pair<ResourceKind, const char*>, 7> kShown = {{
    {ResourceKind::image, "image"},
    {ResourceKind::snapshot, "snapshot"},
    {ResourceKind::volume, "volume"},
    {ResourceKind::key_pair, "key pair"},
    {ResourceKind::security_group, "security group"},
    {ResourceKind::security_group_rule, "security group rule"},
    {ResourceKind::address, "address"},
}};

void add_region(std::vector<ResourceView>& views, const RegionState& region) {
  for (const auto& [kind, name] : kShown) {
    for (const auto& [id, resource] : region.of(kind)) {
      if (kind != ResourceKind::image || resource.description.text("OwnerId") == kSimulatedAccount) {
        views.push_back({region.name, name, id, resource.description.dump(), resource.tags});
      }
    }
  }
  for (const auto& [id, schedule] : region.scheduler.schedules) {
    views.push_back({region.name, "schedule", id, schedule.settings.dump(), {}});
  }
}

std::string content_of(const IamEntity& entity) {
  std::string text = entity.id + " " + entity.path + " " + entity.boundary;
  for (const auto& [name, policy] : entity.inline_policies) {
    text += " " + name + "=" + policy.text;
  }
  for (const std::string& arn : entity.attached) {
    text += " " + arn;
  }
  return text;
}

void add_iam(std::vector<ResourceView>& views, const IamState& iam) {
  for (const auto& [name, role] : iam.roles) {
    views.push_back({"", "role", name, content_of(role) + " " + role.trust.text, role.tags});
  }
  for (const auto& [name, profile] : iam.profiles) {
    views.push_back({"", "instance profile", name, profile.id + " " + profile.role_name, profile.tags});
  }
  for (const auto& [name, user] : iam.users) {
    views.push_back({"", "user", name, content_of(user), user.tags});
  }
}

}  // namespace

std::vector<ResourceView> Cloud::resources(const std::vector<std::string>& regions) const {
  const MutexLock lock(mutex_);
  std::vector<ResourceView> views;
  for (const std::string& name : regions) {
    if (const auto found = world_->regions.find(name); found != world_->regions.end()) {
      add_region(views, found->second);
    }
  }
  add_iam(views, world_->iam);
  return views;
}

}  // namespace parallax::sim
