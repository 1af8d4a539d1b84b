// The whole system in one simulated world: the cloud over its real wire formats, three sample services, a collector
// with its database, controllers, and the real probe on each machine. One seed decides everything.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/auth/credentials.h"
#include "collector/collector.h"
#include "fleet/run.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/endpoint.h"
#include "sim/vo/sample_service.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"
#include "sim/world/world.h"
#include "tests/scenario/faulty_store.h"
#include "tests/scenario/guest.h"
#include "tests/scenario/invariants.h"
#include "tests/scenario/options.h"

namespace parallax::scenario {

struct RoundPlan {
  std::string controller = "controller";  // its name and host
  int number = 0;                         // decides the cones
  std::uint64_t kill_at = 0;              // point of the controller's death; 0: lives
  std::optional<Micros> interrupt_after;
  std::function<void(fleet::RoundSpec&)> change;  // last changes to the round
};

struct RoundResult {
  bool died = false;
  fleet::RoundOutcome outcome;  // where it did not die
  std::uint64_t points = 0;     // of the controller
};

class FleetWorld {
 public:
  FleetWorld(const ScenarioOptions& options, sim::StrandKind strands, bool verbose);
  ~FleetWorld();

  // Runs `script` in the world, then checks that nothing was lost. Error: the failure with seed, options and last
  // events.
  Result<> run(const std::function<void(FleetWorld&)>& script);

  // For scripts, from within run().
  RoundResult round(const RoundPlan& plan);
  // Faults off, time for everything to end by itself, a round, and the comparison of measurements.
  void good_end();
  // So long that every timer, lease and order has run out.
  void wait_for_timers();
  void set_faults(bool on);
  void kill_collector();
  void start_collector();
  // Kills it at that point of its process; it comes back on the same database.
  void kill_collector_at(std::uint64_t point, Micros back_after);

  void sleep(Micros time) { world_.clock().sleep_for(time, {}); }

  std::vector<sim::InstanceView> fleet_instances() const;

  sim::VirtualWorld& world() { return world_; }

  sim::Cloud& cloud() { return *cloud_; }

  sim::Network& network() { return network_; }

  sim::Disks& disks() { return disks_; }

  Invariants& invariants() { return *invariants_; }

  ScenarioGuest& guest() { return *guest_; }

  FaultyStore& store() { return *store_; }

  const std::vector<std::string>& regions() const { return regions_; }

  const std::vector<sim::AnsweredQuery>& answered() const { return answered_; }

  std::vector<Measurement> stored();

 private:
  struct Controller;
  class CheckedEndpoint;
  struct ServiceHost;

  void build_cloud();
  void build_services();
  void make_foreign_machines();
  void start_ticker();
  void control(Controller& controller);
  fleet::RoundSpec round_spec(const RoundPlan& plan, const std::string& round_id) const;

  bool controller_alive() const { return controllers_alive_ > 0; }

  const ScenarioOptions options_;
  const std::vector<std::string> regions_;
  sim::VirtualWorld world_;
  sim::Network network_;
  sim::Disks disks_;
  std::unique_ptr<sim::Cloud> cloud_;
  std::unique_ptr<sim::CloudEndpoint> endpoint_;
  std::unique_ptr<CheckedEndpoint> checked_endpoint_;
  std::unique_ptr<ScenarioGuest> guest_;
  std::unique_ptr<Invariants> invariants_;
  std::vector<std::unique_ptr<ServiceHost>> services_;
  std::vector<sim::AnsweredQuery> answered_;
  std::unique_ptr<FaultyStore> store_;
  std::vector<std::unique_ptr<collector::Collector>> collectors_;
  sim::Process* collector_process_ = nullptr;
  sim::Process* cloud_process_ = nullptr;
  SigningKey key_;
  std::unique_ptr<aws::StaticCredentials> credentials_;
  std::unique_ptr<Task> ticker_;
  int controllers_alive_ = 0;
  int controllers_made_ = 0;
};

// What a seed does by itself: its rounds, deaths and restarts, then the good end.
void play(FleetWorld& fleet, const ScenarioOptions& options);

struct SeedReport {
  bool ok = false;
  std::string failure;
  std::pair<std::uint64_t, std::uint64_t> fingerprint;
  std::uint64_t events = 0;
  int gaps = 0;
  std::size_t measurements = 0;
};

SeedReport play_seed(std::uint64_t seed, sim::StrandKind strands, bool verbose);

}  // namespace parallax::scenario
