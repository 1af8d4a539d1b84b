// What runs on the simulated machines: the shell script of a job is understood as far as ours go (timer, order, probe),
// and the probe is the real one, as a process of the simulated world.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "sim/cloud/cloud.h"
#include "sim/cloud/guest.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

namespace parallax::scenario {

struct PowerCut {
  std::string instance_id;
  Instant at;
};

// Not thread safe, as everything in a world.
class ScenarioGuest final : public sim::Guest {
 public:
  ScenarioGuest(sim::VirtualWorld& world, sim::Cloud& cloud, sim::Network& network, sim::Disks& disks)
      : world_(world), cloud_(cloud), network_(network), disks_(disks) {}

  void run(const sim::GuestCommand& command, std::function<void(sim::GuestResult)> done) override;
  void kill(const sim::InstanceRef& instance, const std::string& command_id) override;
  void kill_all(const sim::InstanceRef& instance) override;

  void set_job_hangs(double probability) { job_hangs_ = probability; }

  const std::vector<PowerCut>& power_cuts() const { return power_cuts_; }

  int jobs_started() const { return jobs_started_; }

 private:
  struct Job {
    sim::InstanceRef instance;
    sim::Process* process = nullptr;
  };

  void start_probe(sim::Process& process, const std::string& order_text, std::function<void(sim::GuestResult)> done);

  sim::VirtualWorld& world_;
  sim::Cloud& cloud_;
  sim::Network& network_;
  sim::Disks& disks_;
  double job_hangs_ = 0;
  int jobs_started_ = 0;
  std::map<std::string, Job> jobs_;  // by command id
  std::vector<PowerCut> power_cuts_;
};

}  // namespace parallax::scenario
