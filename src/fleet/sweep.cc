#include "fleet/sweep.h"

#include <fmt/format.h>

#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

constexpr Micros kSlack{Seconds(300)};

}  // namespace

std::optional<std::string> why_overdue(const Instance& instance, Micros boot_timer, Instant now) {
  const bool on = instance.state == InstanceState::running || instance.state == InstanceState::pending;
  if (!on || !instance.launch_time) {
    return std::nullopt;
  }
  // A lease that ended before this start is one of an earlier run.
  const std::optional<Lease> lease = parse_lease(instance.tag(kLeaseTag));
  if (lease && lease->expiry > *instance.launch_time) {
    return now <= lease->expiry + kSlack
               ? std::nullopt
               : std::optional(fmt::format("its lease (run {} of {}) ended at {}", lease->run_id, lease->owner,
                                           to_iso8601_seconds(lease->expiry)));
  }
  return now <= *instance.launch_time + boot_timer + kSlack
             ? std::nullopt
             : std::optional(fmt::format("it runs since {} without a lease, and its boot timer should have ended it "
                                         "after {}",
                                         to_iso8601_seconds(*instance.launch_time), to_human(boot_timer)));
}

Overdue find_overdue(const std::vector<RegionVantages>& found, Micros boot_timer, Instant now) {
  Overdue overdue;
  for (const RegionVantages& region : found) {
    RegionVantages late{region.region, "", {}, false};
    for (const Vantage& vantage : region.vantages) {
      if (const std::optional<std::string> why = why_overdue(vantage.instance, boot_timer, now)) {
        overdue.why[vantage.instance.id] = *why;
        late.vantages.push_back(vantage);
      }
    }
    if (!late.vantages.empty()) {
      overdue.machines.push_back(std::move(late));
    }
  }
  return overdue;
}

}  // namespace parallax::fleet
