#include "fleet/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "fleet/costs.h"
#include "fleet/lease.h"
#include "fleet/plan_parts.h"

namespace parallax::fleet {

std::string_view to_string(PlanKind kind) {
  switch (kind) {
    case PlanKind::apply:
      return "apply";
    case PlanKind::clear:
      return "clear";
    default:
      return "adopt";
  }
}

namespace {

struct StepWords {
  StepKind kind;
  std::string_view word;
  std::string_view verb;  // before the resource's name
};

constexpr StepWords kStepWords[] = {
    {StepKind::make_role, "make-role", "make role"},
    {StepKind::repair_role, "repair-role", "repair role"},
    {StepKind::make_profile, "make-profile", "make instance profile"},
    {StepKind::fill_profile, "fill-profile", "put the role into instance profile"},
    {StepKind::make_scheduler_role, "make-scheduler-role", "make role"},
    {StepKind::repair_scheduler_role, "repair-scheduler-role", "repair role"},
    {StepKind::delete_image, "delete-image", "delete image"},
    {StepKind::copy_image, "copy-image", "copy image"},
    {StepKind::wait_image, "wait-image", "wait for image"},
    {StepKind::import_key, "import-key", "import key pair"},
    {StepKind::delete_key, "delete-key", "delete key pair"},
    {StepKind::make_group, "make-group", "make security group"},
    {StepKind::repair_rules, "repair-rules", "repair the rules of security group"},
    {StepKind::launch, "launch", "launch instance"},
    {StepKind::tag, "tag", "tag"},
    {StepKind::set_user_data, "set-user-data", "set the boot timer of instance"},
    {StepKind::set_shutdown_behaviour, "set-shutdown-behaviour", "set the shutdown behaviour of instance"},
    {StepKind::require_imds_v2, "require-imds-v2", "require IMDSv2 of instance"},
    {StepKind::set_profile, "set-profile", "set the instance profile of instance"},
    {StepKind::set_groups, "set-groups", "set the security group of instance"},
    {StepKind::make_schedule, "make-schedule", "set the stop rule of instance"},
    {StepKind::stop, "stop", "stop instance"},
    {StepKind::delete_schedule, "delete-schedule", "delete stop rule"},
    {StepKind::terminate, "terminate", "terminate instance"},
    {StepKind::delete_volume, "delete-volume", "delete volume"},
    {StepKind::release_address, "release-address", "release address"},
    {StepKind::delete_snapshot, "delete-snapshot", "delete snapshot"},
    {StepKind::delete_group, "delete-group", "delete security group"},
    {StepKind::delete_profile, "delete-profile", "delete instance profile"},
    {StepKind::delete_role, "delete-role", "delete role"},
};

const StepWords& words_of(StepKind kind) {
  const auto* found = std::find_if(std::begin(kStepWords), std::end(kStepWords),
                                   [&](const StepWords& words) { return words.kind == kind; });
  CHECK(found != std::end(kStepWords), "a step without words");
  return *found;
}

}  // namespace

std::string_view to_string(StepKind kind) {
  return words_of(kind).word;
}

std::string_view to_string(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::role:
      return "role";
    case ResourceKind::profile:
      return "instance profile";
    case ResourceKind::image:
      return "image";
    case ResourceKind::snapshot:
      return "snapshot";
    case ResourceKind::key_pair:
      return "key pair";
    case ResourceKind::security_group:
      return "security group";
    case ResourceKind::instance:
      return "instance";
    case ResourceKind::volume:
      return "volume";
    case ResourceKind::address:
      return "address";
    default:
      return "schedule";
  }
}

std::string Step::text() const {
  std::string what(words_of(kind).verb);
  if (kind == StepKind::tag) {
    what += fmt::format(" {}", to_string(resource));
  }
  if (!name.empty()) {
    what += fmt::format(" {}", name);
  }
  if (!id.empty() && id != name) {
    what += name.empty() ? fmt::format(" {}", id) : fmt::format(" ({})", id);
  }
  return why.empty() ? what : fmt::format("{}: {}", what, why);
}

bool Plan::empty() const {
  return count_steps() == 0;
}

std::size_t Plan::count_steps() const {
  std::size_t count = steps.size();
  for (const RegionPlan& region : regions) {
    count += region.steps.size();
  }
  return count;
}

std::optional<double> volume_cost(std::string_view region, const VolumeSize& volume) {
  return volume.gib == 0 || volume.type.empty() ? std::nullopt : volume_month(region, volume.type, volume.gib);
}

std::optional<double> snapshot_cost(std::string_view region, std::int64_t gib) {
  return gib == 0 ? std::nullopt : snapshot_month(region, gib);
}

std::optional<double> negative(const std::optional<double>& usd) {
  return usd ? std::optional(*usd == 0 ? 0 : -*usd) : std::nullopt;
}

Plan begin_plan(PlanKind kind, const Spec& spec, const Observed& observed) {
  Plan plan;
  plan.kind = kind;
  plan.account = observed.account;
  plan.fleet = spec.fleet;
  plan.home = spec.home;
  plan.deep = observed.deep;
  if (observed.problem) {
    plan.problem = fmt::format("the account could not be looked at: {}", observed.problem->text());
  }
  return plan;
}

bool is_original(const Tags& tags) {
  return tags.contains(kOriginalTag);
}

bool is_original(const Spec& spec, const std::string& region, const ImageSeen& image) {
  // No plan makes an image in home: whichever is there was made by hand, and others are copied from it.
  return spec.is_home(region) || is_original(image.tags);
}

bool is_original(const Spec& spec, const std::string& region, const GroupSeen& group) {
  const bool named = spec.is_home(region) && !spec.group.like_home.empty() && group.name == spec.group.like_home;
  return named || is_original(group.tags);
}

bool is_nobodys(const Tags& tags) {
  return !tags.contains(kFleetTag);
}

bool is_on_its_way(const ImageSeen& image) {
  return image.state == "pending" || image.state == "transient";
}

bool is_broken(const ImageSeen& image) {
  return image.state == "failed" || image.state == "error" || image.state == "invalid";
}

std::string image_name(const Spec& spec) {
  return spec.image.kind == ImageSpec::Kind::copy ? spec.image.name : spec.fleet;
}

std::string key_name(const Spec& spec) {
  return spec.key ? spec.key->name : spec.fleet;
}

std::string count_of(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace parallax::fleet
