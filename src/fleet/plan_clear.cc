// Everything of ours in the observed regions, each thing before what it depends on.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "fleet/costs.h"
#include "fleet/lease.h"
#include "fleet/plan_parts.h"
#include "fleet/policy.h"

namespace parallax::fleet {

namespace {

class RegionClearing {
 public:
  RegionClearing(const Spec& spec, const RegionSeen& seen) : spec_(spec), seen_(seen) { out_.region = seen.region; }

  RegionPlan plan() {
    if (seen_.problem) {
      out_.problem = fmt::format("{} could not be looked at: {}", seen_.region, seen_.problem->text());
      return std::move(out_);
    }
    clear_schedules();
    clear_machines();
    clear_images();
    clear_snapshots();
    clear_volumes();
    clear_addresses();
    clear_keys();
    clear_groups();
    out_.usd_per_month_at_rest = rest_.value();
    out_.usd_per_month_running = 0;
    return std::move(out_);
  }

 private:
  bool is_ours(const Tags& tags) const { return fleet::is_ours(tags, spec_.fleet); }

  Step& add(StepKind kind, ResourceKind resource, const std::string& id, const std::string& name,
            std::optional<double> saved) {
    Step step;
    step.kind = kind;
    step.resource = resource;
    step.region = seen_.region;
    step.id = id;
    step.name = name;
    step.usd_per_month = negative(saved);
    out_.steps.push_back(std::move(step));
    return out_.steps.back();
  }

  void keep(ResourceKind resource, const std::string& name, const std::string& id, std::string_view why) {
    out_.kept.push_back(fmt::format("{} {}{}: {}", to_string(resource), name.empty() ? id : name,
                                    name.empty() || name == id ? "" : fmt::format(" ({})", id), why));
  }

  static constexpr std::string_view kOriginalStays = "home's original";
  static constexpr std::string_view kNotOurs = "it has no tag of ours; 'parallax fleet adopt' would take it over";

  void clear_schedules() {
    for (const ScheduleSeen& schedule : seen_.schedules) {
      add(StepKind::delete_schedule, ResourceKind::schedule, schedule.instance_id, schedule.name, 0);
    }
  }

  void clear_machines() {
    for (const MachineSeen& machine : seen_.machines) {
      const Instance& instance = machine.instance;
      const std::optional<double> cost = volume_cost(seen_.region, {machine.gib, machine.volume_type});
      if (is_original(instance.tags) || !is_ours(instance.tags)) {
        keep(ResourceKind::instance, instance.name, instance.id,
             is_original(instance.tags) ? kOriginalStays : kNotOurs);
        rest_.add(cost);
        kept_machines_.insert(instance.id);
        continue;
      }
      Step& step = add(StepKind::terminate, ResourceKind::instance, instance.id, instance.name, cost);
      step.details.emplace_back(to_string(instance.state));
      if (const std::optional<Lease> lease = parse_lease(instance.tag(kLeaseTag))) {
        step.details.push_back(fmt::format("lease of {} until {}", lease->owner, to_iso8601_seconds(lease->expiry)));
      }
      cleared_machines_.insert(instance.id);
    }
  }

  void clear_images() {
    for (const ImageSeen& image : seen_.images) {
      const bool original = is_original(spec_, seen_.region, image);
      if (original || !is_ours(image.tags)) {
        keep(ResourceKind::image, image.name, image.id, original ? kOriginalStays : kNotOurs);
        kept_snapshots_.insert(image.snapshots.begin(), image.snapshots.end());
        continue;
      }
      add(StepKind::delete_image, ResourceKind::image, image.id, image.name, 0);
      cleared_snapshots_.insert(image.snapshots.begin(), image.snapshots.end());
    }
  }

  // With our tag, or of an image of ours: untagged ones are no one's but the image's. (A snapshot that another image
  // that stays uses cannot be deleted.)
  void clear_snapshots() {
    std::set<std::string> done;
    for (const SnapshotSeen& snapshot : seen_.snapshots) {
      done.insert(snapshot.id);
      const std::optional<double> cost = snapshot_cost(seen_.region, snapshot.gib);
      const bool of_ours = cleared_snapshots_.contains(snapshot.id) && is_nobodys(snapshot.tags);
      if (kept_snapshots_.contains(snapshot.id) || is_original(snapshot.tags)) {
        rest_.add(cost);
        continue;  // its image is told
      }
      if (!is_ours(snapshot.tags) && !of_ours) {
        keep(ResourceKind::snapshot, "", snapshot.id, "it is another fleet's, or has no tag of ours");
        rest_.add(cost);
        continue;
      }
      add(StepKind::delete_snapshot, ResourceKind::snapshot, snapshot.id, "", cost).why = of_ours ? "of our image" : "";
    }
    for (const std::string& id : cleared_snapshots_) {
      if (!done.contains(id) && !kept_snapshots_.contains(id)) {
        add(StepKind::delete_snapshot, ResourceKind::snapshot, id, "", std::nullopt).why = "of our image";
      }
    }
  }

  void clear_volumes() {
    for (const VolumeSeen& volume : seen_.volumes) {
      const std::optional<double> cost = volume_cost(seen_.region, {volume.gib, volume.type});
      const bool held = !volume.attached_to.empty() && !cleared_machines_.contains(volume.attached_to);
      if (held || !is_ours(volume.tags) || is_original(volume.tags)) {
        keep(ResourceKind::volume, "", volume.id,
             held ? fmt::format("attached to {}, which stays", volume.attached_to) : std::string(kNotOurs));
        rest_.add(cost);
        continue;
      }
      add(StepKind::delete_volume, ResourceKind::volume, volume.id, "", cost);
    }
  }

  void clear_addresses() {
    for (const AddressSeen& address : seen_.addresses) {
      const bool held = !address.attached_to.empty() && !cleared_machines_.contains(address.attached_to);
      if (held || !is_ours(address.tags) || is_original(address.tags)) {
        keep(ResourceKind::address, address.public_ip, address.allocation_id,
             held ? fmt::format("attached to {}, which stays", address.attached_to) : std::string(kNotOurs));
        rest_.add(address_month(seen_.region));
        continue;
      }
      add(StepKind::release_address, ResourceKind::address, address.allocation_id, address.public_ip,
          address_month(seen_.region));
    }
  }

  void clear_keys() {
    for (const KeySeen& key : seen_.keys) {
      if (is_original(key.tags) || !is_ours(key.tags)) {
        keep(ResourceKind::key_pair, key.name, key.id, is_original(key.tags) ? kOriginalStays : kNotOurs);
        continue;
      }
      add(StepKind::delete_key, ResourceKind::key_pair, key.id, key.name, 0);
    }
  }

  void clear_groups() {
    for (const GroupSeen& group : seen_.groups) {
      const bool original = is_original(spec_, seen_.region, group);
      const bool used = std::any_of(seen_.machines.begin(), seen_.machines.end(), [&](const MachineSeen& machine) {
        return kept_machines_.contains(machine.instance.id) &&
               std::find(machine.groups.begin(), machine.groups.end(), group.id) != machine.groups.end();
      });
      if (original || used || !is_ours(group.tags)) {
        keep(ResourceKind::security_group, group.name, group.id,
             original ? kOriginalStays
             : used   ? "a machine that stays uses it"
                      : kNotOurs);
        continue;
      }
      add(StepKind::delete_group, ResourceKind::security_group, group.id, group.name, 0);
    }
  }

  const Spec& spec_;
  const RegionSeen& seen_;
  RegionPlan out_;
  MonthlySum rest_;  // of what stays
  std::set<std::string> kept_snapshots_, cleared_snapshots_, kept_machines_, cleared_machines_;
};

// Why role and profile must stay: machines of this fleet may still need them. Empty: they may go.
std::string needed_by(const Spec& spec, const Observed& observed) {
  for (const std::string& region : spec.regions) {
    const auto seen = std::find_if(observed.regions.begin(), observed.regions.end(),
                                   [&](const RegionSeen& each) { return each.region == region; });
    if (seen == observed.regions.end()) {
      return fmt::format("{} is not cleared", region);
    }
  }
  for (const RegionSeen& seen : observed.regions) {
    if (seen.problem) {
      return fmt::format("{} could not be looked at", seen.region);
    }
    for (const MachineSeen& machine : seen.machines) {
      if (!is_ours(machine.instance.tags, spec.fleet) || is_original(machine.instance.tags)) {
        if (machine.profile == spec.profile.name) {
          return fmt::format("{} in {} stays and has it", machine.instance.id, seen.region);
        }
      }
    }
  }
  return "";
}

void delete_in_account(Plan& plan, StepKind kind, ResourceKind resource, const std::string& name) {
  Step step;
  step.kind = kind;
  step.resource = resource;
  step.id = name;
  step.name = name;
  step.usd_per_month = 0;
  plan.steps.push_back(std::move(step));
}

void clear_account(const Spec& spec, const Observed& observed, Plan& plan) {
  if (observed.profile_problem) {
    plan.kept.push_back(
        fmt::format("role and instance profile: they could not be looked at: {}", observed.profile_problem->text()));
    return;
  }
  const std::string needed = needed_by(spec, observed);
  const auto go = [&](bool exists, const Tags& tags, StepKind kind, ResourceKind resource, const std::string& name) {
    if (!exists) {
      return;
    }
    if (!is_ours(tags, spec.fleet) || is_original(tags) || !needed.empty()) {
      plan.kept.push_back(
          fmt::format("{} {}: {}", to_string(resource), name,
                      !is_ours(tags, spec.fleet) || is_original(tags) ? "it has no tag of ours" : needed));
      return;
    }
    delete_in_account(plan, kind, resource, name);
  };
  if (spec.profile.ours && observed.profile) {
    const ProfileSeen& seen = *observed.profile;
    const std::string& name = spec.profile.name;
    go(seen.profile_exists, seen.profile_tags, StepKind::delete_profile, ResourceKind::profile, name);
    go(seen.role_exists, seen.role_tags, StepKind::delete_role, ResourceKind::role, name);
  }
  if (observed.scheduler_role) {
    go(observed.scheduler_role->role_exists, observed.scheduler_role->role_tags, StepKind::delete_role,
       ResourceKind::role, scheduler_role(spec.fleet));
  }
}

}  // namespace

Plan plan_clear(const Spec& spec, const Observed& observed) {
  Plan plan = begin_plan(PlanKind::clear, spec, observed);
  if (!plan.problem.empty()) {
    return plan;
  }
  plan.regions.reserve(observed.regions.size());
  for (const RegionSeen& seen : observed.regions) {
    plan.regions.push_back(RegionClearing(spec, seen).plan());
  }
  clear_account(spec, observed, plan);
  seal(spec, observed, plan);
  return plan;
}

}  // namespace parallax::fleet
