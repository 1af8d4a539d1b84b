// What runs on the simulated machines: the shell script of a job is understood as far as ours go (timer, order, probe),
// and the probe is the real one, as a process of the simulated world.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/cloud.h"
#include "sim/cloud/guest.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

namespace parallax::scenario {

// One command that came to a machine.
struct JobRecord {
  std::string instance_id;
  Monotonic begin;
  std::optional<Monotonic> end;  // absent: it was killed, or runs
};

struct PowerCut {
  std::string instance_id;
  Instant at;
};

// Not thread safe, as everything in a world.
class ScenarioGuest final : public sim::Guest {
 public:
  ScenarioGuest(sim::VirtualWorld& world, sim::Cloud& cloud, sim::Network& network, sim::Disks& disks)
      : world_(world), cloud_(cloud), network_(network), disks_(disks) {}

  void boot(const sim::InstanceRef& instance, const std::string& user_data) override;
  void run(const sim::GuestCommand& command, std::function<void(sim::GuestResult)> done) override;
  void kill(const sim::InstanceRef& instance, const std::string& command_id) override;
  void kill_all(const sim::InstanceRef& instance) override;

  void set_job_hangs(double probability) { job_hangs_ = probability; }

  // From now on a job does not probe: it takes so long and gives this result.
  void set_job(Micros takes, sim::GuestResult result) { other_job_ = OtherJob{takes, std::move(result)}; }

  const std::vector<JobRecord>& jobs() const { return records_; }

  const std::vector<PowerCut>& power_cuts() const { return power_cuts_; }

  int jobs_started() const { return jobs_started_; }

 private:
  struct OtherJob {
    Micros takes{0};
    sim::GuestResult result;
  };

  struct Job {
    sim::InstanceRef instance;
    sim::Process* process = nullptr;
    std::function<void(sim::GuestResult)> done;
  };

  void start_probe(sim::Process& process, const std::string& order_text, std::function<void(sim::GuestResult)> done);

  sim::VirtualWorld& world_;
  sim::Cloud& cloud_;
  sim::Network& network_;
  sim::Disks& disks_;
  double job_hangs_ = 0;
  int jobs_started_ = 0;
  std::optional<OtherJob> other_job_;
  std::vector<JobRecord> records_;
  std::map<std::string, Job> jobs_;  // by command id
  std::vector<PowerCut> power_cuts_;
};

}  // namespace parallax::scenario
