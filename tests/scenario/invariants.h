// What must always hold (design section 2), checked at every step of a simulated fleet. Nothing here knows of a
// particular fault or bug.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/run.h"
#include "record/measurement.h"
#include "sim/cloud/cloud.h"
#include "sim/vo/sample_service.h"
#include "sim/world/world.h"
#include "tests/scenario/guest.h"

namespace parallax::scenario {

struct InstanceBounds {
  Micros with_timer{0};       // from running to powered off by the machine's own timer, at the latest
  Micros with_controller{0};  // from running to stopping, while the controller that started it lives
};

class Invariants {
 public:
  Invariants(sim::VirtualWorld& world, sim::Cloud& cloud, std::string fleet, const InstanceBounds& bounds);

  // After the foreign machines were made: from now on they must stay as they are.
  void remember_foreign();

  // This machine of ours may end for good: somebody does it by hand, or a clear.
  void expect_end_of(const std::string& instance_id) {
    may_end_.insert(instance_id);
    foreign_.erase(instance_id);
  }

  // The machines are `fleet apply`'s: from now on each must bear our tag from its first moment and, where it has user
  // data, be armed as soon as it runs.
  void begin_set_up() {
    set_up_ = true;
    begun_ = true;
  }

  // Nothing is checked until begin_set_up(): the world is being made.
  void wait_for_set_up() { begun_ = false; }

  // One of ours has lost its tag by hand: nobody may touch it any more.
  void disown(const std::string& instance_id);

  // A set-up of these regions has ended well: each has at most so many machines of ours. `settled`: nothing goes wrong
  // and nobody else works, so each has exactly so many, and they are stopped.
  enum class Settled { no, yes };
  void check_set_up(const std::vector<std::string>& regions, int per_region, Settled settled);
  // After a clear of all regions that went well.
  void check_cleared();

  // When the agent of the machine's latest boot was first seen online.
  std::optional<Monotonic> agent_seen(const std::string& instance_id) const;

  // Invariants 1 and 3, after every change in the cloud. `controller_alive`: the one who started machines lives.
  void check_cloud(bool controller_alive);

  // A round has returned: what it calls ended must have ended.
  void check_outcome(const fleet::RoundOutcome& outcome);
  // A round without faults: everything must have gone well.
  void check_good_round(const fleet::RoundOutcome& outcome);

  // Invariant 2: after a good run everything that was answered is in the database exactly once.
  void check_measurements(const std::vector<Measurement>& stored, const std::vector<sim::AnsweredQuery>& answered,
                          const std::vector<PowerCut>& power_cuts);

  // Machines that ran without a timer while their controller was dead: the gap that is written down.
  int gaps() const { return static_cast<int>(gaps_.size()); }

 private:
  struct Boot {
    Instant running_since;
    bool armed = false;
    bool orphaned = false;  // at some time no controller lived
  };

  void check_instance(const sim::InstanceView& view, bool controller_alive);
  void check_foreign(const sim::InstanceView& view);
  void check_made(const sim::InstanceView& view);

  sim::VirtualWorld& world_;
  sim::Cloud& cloud_;
  const std::string fleet_;
  const InstanceBounds bounds_;
  std::map<std::string, std::string> foreign_;                   // instance id: everything that must not change
  std::map<std::pair<std::string, std::uint64_t>, Boot> boots_;  // running now
  std::set<std::pair<std::string, std::uint64_t>> gaps_;
  bool begun_ = true;
  bool set_up_ = false;
  std::set<std::string> may_end_;
  std::map<std::string, std::pair<std::uint64_t, Monotonic>> agents_;  // instance id: boot, and since when online
};

}  // namespace parallax::scenario
