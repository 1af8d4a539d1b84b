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
#include "fleet/change.h"
#include "fleet/plan.h"
#include "fleet/run.h"
#include "fleet/stop.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/endpoint.h"
#include "sim/vo/sample_service.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"
#include "sim/world/world.h"
#include "tests/scenario/credentials.h"
#include "tests/scenario/faulty_store.h"
#include "tests/scenario/guest.h"
#include "tests/scenario/invariants.h"
#include "tests/scenario/options.h"
#include "tests/scenario/resource_watch.h"

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

// One controller process: it lives while it works, and dies where it is told to.
struct Visit {
  std::string controller = "controller";  // its name and host
  std::uint64_t kill_at = 0;              // point of its death; 0: lives
  std::optional<Micros> interrupt_after;
};

struct VisitEnd {
  bool died = false;
  std::uint64_t points = 0;
  int calls = 0;    // that reached the cloud from its host meanwhile, repeats too
  int changes = 0;  // of these, operations that change something
};

// What a controller has in hand.
struct Controls {
  const fleet::FleetDeps& deps;
  sim::Process& process;
  http::Client& http;
  const std::string& id;
  fleet::Journal* journal;
  std::stop_token stop;
};

enum class Change { apply, clear, adopt, check };

// What `parallax fleet apply`, clear, adopt or check is told.
struct ChangePlan {
  Change change = Change::apply;
  Visit visit;
  std::vector<std::string> regions;           // empty: the specification's
  std::function<void(fleet::Spec&)> specify;  // last changes to the specification
};

struct ChangeResult {
  VisitEnd end;
  // Where it did not die:
  fleet::Observed seen;
  fleet::Plan plan;
  fleet::ChangeOutcome outcome;  // of what changes something
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
  // Any other work of a controller. The world may be unwound while it runs: what `body` writes to must be its own.
  VisitEnd visit(const Visit& visit, std::function<void(const Controls& controls)> body);
  ChangeResult change(const ChangePlan& plan);
  // What the configuration asks for in this world.
  fleet::Spec spec() const;

  // Regions of the fleet from now on, of rounds and specification; a beginning of regions().
  void set_active(std::vector<std::string> regions) { active_ = std::move(regions); }

  const std::vector<std::string>& active() const { return active_; }

  // What is ours has been changed by hand: a check may have something to tell for ever.
  void note_hands() { hands_were_here_ = true; }

  // That machine of ours loses the fleet's tag by hand: nobody may touch it until the good end.
  void disown(const sim::InstanceView& machine);

  // `parallax fleet stop`: stops every machine of the fleet.
  std::vector<fleet::StopOutcome> stop_all(VisitEnd* end = nullptr);
  // The account's owner does something, with all rights. Error: what the cloud answers.
  Result<Json> try_by_hand(const std::string& region, const std::string& operation, const Json& input,
                           const std::string& service = "ec2");
  // The same where it must succeed.
  Json by_hand(const std::string& region, const std::string& operation, const Json& input,
               const std::string& service = "ec2");
  // Faults off, time for everything to end by itself, a round, and the comparison of measurements. Where machines are
  // made by set-up, before that a set-up, a second one that has nothing to do, and a check; after it a clear.
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

  // From an instant to a moment: in this world UTC never jumps.
  Micros since(Instant from, Monotonic to) const { return (world_.utc() - from) - (world_.now() - to); }

  sim::VirtualWorld& world() { return world_; }

  sim::Cloud& cloud() { return *cloud_; }

  sim::Network& network() { return network_; }

  sim::Disks& disks() { return disks_; }

  Invariants& invariants() { return *invariants_; }

  ResourceWatch& resources() { return *resources_; }

  ScenarioGuest& guest() { return *guest_; }

  FaultyStore& store() { return *store_; }

  ScenarioCredentials& credentials() { return *credentials_; }

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
  void prepare_set_up();
  void good_set_up();
  void good_clear();
  void start_ticker();
  void control(Controller& controller);
  fleet::RoundOutcome control_round(const Controls& controls, const RoundPlan& plan);
  fleet::RoundSpec round_spec(const RoundPlan& plan, const std::string& round_id) const;

  bool controller_alive() const { return controllers_alive_ > 0; }

  const ScenarioOptions options_;
  const std::vector<std::string> regions_;
  std::vector<std::string> active_ = regions_;
  std::optional<fleet::KeySpec> key_spec_;
  std::vector<sim::InstanceView> disowned_;
  bool hands_were_here_ = false;
  sim::VirtualWorld world_;
  sim::Network network_;
  sim::Disks disks_;
  std::unique_ptr<sim::Cloud> cloud_;
  std::unique_ptr<sim::CloudEndpoint> endpoint_;
  std::unique_ptr<CheckedEndpoint> checked_endpoint_;
  std::unique_ptr<ScenarioGuest> guest_;
  std::unique_ptr<Invariants> invariants_;
  std::unique_ptr<ResourceWatch> resources_;
  std::vector<std::unique_ptr<ServiceHost>> services_;
  std::vector<sim::AnsweredQuery> answered_;
  std::unique_ptr<FaultyStore> store_;
  std::vector<std::unique_ptr<collector::Collector>> collectors_;
  sim::Process* collector_process_ = nullptr;
  sim::Process* cloud_process_ = nullptr;
  SigningKey key_;
  std::unique_ptr<ScenarioCredentials> credentials_;
  std::unique_ptr<Task> ticker_;
  int controllers_alive_ = 0;
  int controllers_made_ = 0;
  std::map<std::string, int> calls_;    // by host
  std::map<std::string, int> changes_;  // likewise
};

}  // namespace parallax::scenario
