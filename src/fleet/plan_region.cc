#include "fleet/plan_region.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "fleet/costs.h"
#include "fleet/prices.h"

namespace parallax::fleet {

RegionPlanner::RegionPlanner(const Spec& spec, const Observed& observed, const RegionSeen& seen,
                             const std::string& account_problem)
    : spec_(spec),
      observed_(observed),
      seen_(seen),
      boot_timer_version_(boot_timer_version(spec.boot_timer)),
      boot_timer_digest_(boot_timer_digest(spec.boot_timer)),
      blocked_(account_problem) {
  out_.region = seen.region;
}

RegionPlan RegionPlanner::plan() {
  if (seen_.problem) {
    out_.problem = fmt::format("{} could not be looked at: {}", seen_.region, seen_.problem->text());
    return std::move(out_);
  }
  sort_machines();
  plan_image();
  plan_key();
  plan_group();
  plan_machines();
  leave_what_is_alone();
  if (launches_ && !blocked_.empty()) {
    out_.problem = blocked_;
    out_.steps.clear();
    for (Drift& drift : out_.drift) {
      drift.mended = false;
    }
  }
  sum_up();
  return std::move(out_);
}

// What costs money without doing anything.
void RegionPlanner::leave_what_is_alone() {
  for (const SnapshotSeen& snapshot : seen_.snapshots) {
    if (own_snapshots_.contains(snapshot.id) || is_original(snapshot.tags)) {
      continue;
    }
    if (is_ours(snapshot.tags)) {
      leave(ResourceKind::snapshot, snapshot.id, "", "of no image", snapshot_cost(seen_.region, snapshot.gib));
    }
  }
  for (const VolumeSeen& volume : seen_.volumes) {
    leave(ResourceKind::volume, volume.id, "",
          volume.attached_to.empty() ? "attached to nothing"
                                     : fmt::format("attached to {}, which is not ours", volume.attached_to),
          volume_cost(seen_.region, {volume.gib, volume.type}));
  }
  for (const AddressSeen& address : seen_.addresses) {
    leave(ResourceKind::address, address.allocation_id, address.public_ip,
          address.attached_to.empty() ? "attached to nothing" : fmt::format("attached to {}", address.attached_to),
          address_month(seen_.region));
  }
}

void RegionPlanner::sum_up() {
  const std::int64_t billed = billed_seconds(spec_.job_timeout);
  for (const MachineSeen* machine : used_) {
    if (machine == nullptr && !out_.problem.empty()) {
      continue;
    }
    at_rest_.add(machine != nullptr ? volume_cost(seen_.region, {machine->gib, machine->volume_type})
                                    : volume_cost(seen_.region, size_));
    running_.add(running_month(seen_.region, machine != nullptr ? machine->instance.type : first_type(),
                               spec_.rounds_per_day, billed));
  }
  for (const Step& step : out_.steps) {
    if (step.kind == StepKind::copy_image) {
      at_rest_.add(step.usd_per_month);
    }
  }
  for (const Leftover& leftover : out_.leftovers) {
    at_rest_.add(leftover.usd_per_month);
  }
  out_.usd_per_month_at_rest = at_rest_.value();
  out_.usd_per_month_running = running_.value();
}

Step& RegionPlanner::add(StepKind kind, ResourceKind resource, std::string id, std::string name, std::string why) {
  Step step;
  step.kind = kind;
  step.resource = resource;
  step.region = seen_.region;
  step.id = std::move(id);
  step.name = std::move(name);
  step.why = std::move(why);
  step.usd_per_month = 0;
  out_.steps.push_back(std::move(step));
  return out_.steps.back();
}

void RegionPlanner::drift(const std::string& id, std::string text, bool mended, bool minor) {
  out_.drift.push_back({seen_.region, id, std::move(text), mended, minor});
}

void RegionPlanner::leave(ResourceKind resource, std::string id, std::string name, std::string what,
                          std::optional<double> usd) {
  out_.leftovers.push_back({resource, seen_.region, std::move(id), std::move(name), std::move(what), usd});
}

void RegionPlanner::block(std::string why) {
  if (blocked_.empty()) {
    blocked_ = std::move(why);
  }
}

}  // namespace parallax::fleet
