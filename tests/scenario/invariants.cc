#include "tests/scenario/invariants.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "fleet/lease.h"

namespace parallax::scenario {

namespace {

// The spool promises that a power cut loses at most the last 200 ms; a query may take long to be answered after its
// intent was written, so the time of the answer says nothing about the loss.
constexpr Micros kPowerCutLoss = Seconds(2);

std::string digest(const sim::InstanceView& view) {
  std::string text = view.state + " boot " + std::to_string(view.boot);
  for (const auto& [key, value] : view.tags) {
    text += fmt::format(" {}={}", key, value);
  }
  return text;
}

// cloud-init runs a boot hook as soon as the system is up.
constexpr Micros kBootHook = Seconds(5);

bool is_living(const sim::InstanceView& view) {
  return view.state != "terminated" && view.state != "shutting-down";
}

// One query of one vantage: each round has cones of its own.
using QueryKey = std::tuple<std::string, std::string, double, double, double>;

QueryKey key_of(const std::string& host, const std::string& service, const Cone& cone) {
  return {host, service, cone.ra, cone.dec, cone.radius};
}

std::string to_text(const QueryKey& key) {
  const auto& [host, service, ra, dec, radius] = key;
  return fmt::format("{} at {}, cone {} {} {}", service, host, ra, dec, radius);
}

}  // namespace

Invariants::Invariants(sim::VirtualWorld& world, sim::Cloud& cloud, std::string fleet, const InstanceBounds& bounds)
    : world_(world), cloud_(cloud), fleet_(std::move(fleet)), bounds_(bounds) {}

void Invariants::remember_foreign() {
  for (const sim::InstanceView& view : cloud_.instances()) {
    const auto tag = view.tags.find(fleet::kFleetTag);
    if (tag == view.tags.end() || tag->second != fleet_) {
      foreign_[view.instance_id] = digest(view);
    }
  }
}

void Invariants::check_cloud(bool controller_alive) {
  if (!begun_) {
    return;
  }
  for (const sim::InstanceView& view : cloud_.instances()) {
    if (foreign_.contains(view.instance_id)) {
      check_foreign(view);
    } else {
      check_instance(view, controller_alive);
    }
  }
}

void Invariants::check_foreign(const sim::InstanceView& view) {
  if (const std::string now = digest(view); now != foreign_[view.instance_id]) {
    world_.fail(fmt::format("invariant 3: {} is not ours and was changed: was [{}], is [{}]", view.instance_id,
                            foreign_[view.instance_id], now));
  }
}

void Invariants::check_instance(const sim::InstanceView& view, bool controller_alive) {
  const std::pair key(view.instance_id, view.boot);
  if (view.agent_online && agents_[view.instance_id].first != view.boot) {
    agents_[view.instance_id] = {view.boot, world_.now()};
  }
  if (view.state == "terminated" || view.state == "shutting-down") {
    boots_.erase(key);
    // EC2 itself ends a machine whose first start fails.
    if (may_end_.contains(view.instance_id) || (set_up_ && view.state_reason.starts_with("Server."))) {
      return;
    }
    world_.fail(fmt::format("invariant 1: {} was terminated", view.instance_id));
    return;
  }
  if (set_up_) {
    check_made(view);
  }
  if (view.state != "running") {
    boots_.erase(key);
    return;
  }
  Boot& boot = boots_.try_emplace(key, Boot{world_.utc()}).first->second;
  boot.armed = boot.armed || view.guest_timer.has_value();
  boot.orphaned = boot.orphaned || !controller_alive;
  const Micros age = world_.utc() - boot.running_since;
  if (boot.armed && age > bounds_.with_timer) {
    world_.fail(fmt::format("invariant 1: {} in {} has a timer and still runs after {}", view.instance_id, view.region,
                            to_human(age)));
  } else if (!boot.armed && !boot.orphaned && age > bounds_.with_controller) {
    world_.fail(fmt::format("invariant 1: {} in {} runs since {} without a timer under a living controller",
                            view.instance_id, view.region, to_human(age)));
  } else if (!boot.armed && view.has_user_data && set_up_) {
    if (age > kBootHook) {
      world_.fail(fmt::format("invariant 1: {} in {} runs since {} and its boot timer is not armed", view.instance_id,
                              view.region, to_human(age)));
    }
  } else if (!boot.armed && boot.orphaned) {
    gaps_.insert(key);
  }
}

void Invariants::check_made(const sim::InstanceView& view) {
  const auto tag = view.tags.find(fleet::kFleetTag);
  if (tag == view.tags.end() || tag->second != fleet_ || view.name.empty()) {
    world_.fail(fmt::format("invariant 3: {} in {} is {} and bears no fleet's tag or no name: nobody would find it",
                            view.instance_id, view.region, view.state));
  }
}

void Invariants::disown(const std::string& instance_id) {
  for (const sim::InstanceView& view : cloud_.instances()) {
    if (view.instance_id == instance_id) {
      foreign_[instance_id] = digest(view);
    }
  }
}

void Invariants::check_set_up(const std::vector<std::string>& regions, int per_region, Settled settled) {
  std::map<std::string, int> counts;
  for (const std::string& region : regions) {
    counts[region] = 0;
  }
  for (const sim::InstanceView& view : cloud_.instances()) {
    if (foreign_.contains(view.instance_id) || !is_living(view) || !counts.contains(view.region)) {
      continue;
    }
    ++counts[view.region];
    // A machine from before the fleet's first set-up has no boot timer: the gap that is written down.
    const bool gap = view.state == "running" && !view.guest_timer && !view.has_user_data;
    if (settled == Settled::yes && view.state != "stopped" && !gap) {
      world_.fail(fmt::format("invariant 1: {} in {} is {} after a set-up that went well", view.instance_id,
                              view.region, view.state));
    }
  }
  for (const auto& [region, count] : counts) {
    if (count > per_region || (settled == Settled::yes && count < per_region)) {
      world_.fail(
          fmt::format("a set-up went well and {} has {} machines of ours instead of {}", region, count, per_region));
    }
  }
}

void Invariants::check_cleared() {
  for (const sim::InstanceView& view : cloud_.instances()) {
    if (!foreign_.contains(view.instance_id) && is_living(view)) {
      world_.fail(
          fmt::format("after a clear that went well {} in {} is {}", view.instance_id, view.region, view.state));
    }
  }
}

std::optional<Monotonic> Invariants::agent_seen(const std::string& instance_id) const {
  const auto found = agents_.find(instance_id);
  return found == agents_.end() ? std::nullopt : std::optional(found->second.second);
}

void Invariants::check_outcome(const fleet::RoundOutcome& outcome) {
  std::map<std::string, sim::InstanceView> views;
  for (const sim::InstanceView& view : cloud_.instances()) {
    views[view.instance_id] = view;
  }
  for (const fleet::RegionOutcome& region : outcome.regions) {
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      const auto view = views.find(vantage.run.instance_id);
      if (vantage.left_running || view == views.end()) {
        continue;
      }
      const auto tag = view->second.tags.find(fleet::kLeaseTag);
      const auto lease = tag == view->second.tags.end() ? std::nullopt : fleet::parse_lease(tag->second);
      const bool ours = lease && lease->run_id == vantage.run.run_id;
      if (ours && (view->second.state == "running" || view->second.state == "pending")) {
        world_.fail(fmt::format("invariant 1: run {} says that it has ended ({}), but its machine {} is {}",
                                vantage.run.run_id, to_string(vantage.run.state), vantage.run.instance_id,
                                view->second.state));
      }
      // In these worlds only controllers stop machines: this one was another's.
      if (vantage.run.cause.find("Client.UserInitiatedShutdown") != std::string::npos) {
        world_.fail(fmt::format("invariant 3: the machine of run {} was stopped under it: {}", vantage.run.run_id,
                                vantage.run.cause));
      }
      if (!is_ended(vantage.run.state)) {
        world_.fail(fmt::format("run {} returned in state {}", vantage.run.run_id, to_string(vantage.run.state)));
      }
    }
  }
}

void Invariants::check_good_round(const fleet::RoundOutcome& outcome) {
  check_outcome(outcome);
  for (const fleet::RegionOutcome& region : outcome.regions) {
    if (!region.problem.empty()) {
      world_.fail("liveness: " + region.region + " without faults: " + region.problem);
    }
    for (const fleet::VantageOutcome& vantage : region.vantages) {
      // 3: a vantage that had to be cleared first can come too late for its turn at a provider, and says so.
      const bool went_well = vantage.run.exit_code == 0 || vantage.run.exit_code == 3;
      if (vantage.run.state != RunState::done || !went_well) {
        world_.fail(fmt::format("liveness: a round without faults: {} (exit code {}, {})", describe_outcome(vantage),
                                vantage.run.exit_code.value_or(-1), vantage.run.log_tail));
      }
    }
  }
  for (const sim::InstanceView& view : cloud_.instances()) {
    if (!foreign_.contains(view.instance_id) && is_living(view) && view.state != "stopped") {
      world_.fail(fmt::format("liveness: {} is {} after a round without faults", view.instance_id, view.state));
    }
  }
}

void Invariants::check_measurements(const std::vector<Measurement>& stored,
                                    const std::vector<sim::AnsweredQuery>& answered,
                                    const std::vector<PowerCut>& power_cuts) {
  std::map<QueryKey, std::vector<const Measurement*>> records;
  std::set<std::string> ids;
  for (const Measurement& m : stored) {
    if (!ids.insert(m.id).second) {
      world_.fail("invariant 2: " + m.id + " is in the database twice");
    }
    const Cone cone{m.ra.value_or(-1), m.dec.value_or(-1), m.radius.value_or(-1)};
    records[key_of(m.instance_id, m.service, cone)].push_back(&m);
  }
  std::map<QueryKey, std::vector<const sim::AnsweredQuery*>> answers;
  for (const sim::AnsweredQuery& query : answered) {
    const std::string host = query.peer.substr(0, query.peer.find(':'));
    answers[key_of(host, query.name, query.cone.value_or(Cone{}))].push_back(&query);
  }
  for (const auto& [answered_key, queries] : answers) {
    const QueryKey& key = answered_key;  // clang 14 takes no structured binding into a lambda
    const auto found = records.find(key);
    const std::size_t count = found == records.end() ? 0 : found->second.size();
    const Instant at = queries.back()->at;
    const bool cut = std::any_of(power_cuts.begin(), power_cuts.end(), [&](const PowerCut& power_cut) {
      return power_cut.instance_id == std::get<0>(key) && power_cut.at >= at && power_cut.at - at < kPowerCutLoss;
    });
    // What a machine still held when it was ended on purpose is lost with it.
    if (count < queries.size() && !cut && !may_end_.contains(std::get<0>(key))) {
      world_.fail(
          fmt::format("invariant 2: {} was answered {} times and has {} records", to_text(key), queries.size(), count));
    }
    for (std::size_t i = 0; i < count && count == 1; ++i) {
      const Measurement& m = *found->second[i];
      if (is_success(m.verdict) && m.rows != queries.back()->rows) {
        world_.fail(fmt::format("invariant 2: {} has other rows than were sent", m.id));
      }
    }
  }
  for (const auto& [key, found] : records) {
    if (found.size() > 1) {
      world_.fail(fmt::format("invariant 2: {} was measured {} times", to_text(key), found.size()));
    }
    if (is_success(found.front()->verdict) && !answers.contains(key)) {
      world_.fail(fmt::format("invariant 2: {} is a success that nobody answered", found.front()->id));
    }
  }
}

}  // namespace parallax::scenario
