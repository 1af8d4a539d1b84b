// A simulated cloud in virtual time and controllers that run fleet code against it over its real wire formats: for
// tests of one part of the fleet. (tests/scenario has the whole system, with probes and a collector.)
//
//   FleetFixture fleet({.cloud = {.world = sim::WorldKind::empty, .regions = {"eu-west-3"}}});
//   fleet.run([&](const fleet::FleetDeps& deps) {
//     const Observed seen = observe(deps, spec, {.regions = {"eu-west-3"}}, {});
//     EXPECT_EQ(fleet.count("DescribeInstances"), 1);
//   });
//
// Everything is one task at a time: no locks are needed. Bodies may use EXPECT_ and ASSERT_ as any test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/auth/credentials.h"
#include "fleet/run.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/endpoint.h"
#include "sim/cloud/plain_guest.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

namespace parallax::testing {

enum class Key {
  all_rights,
  limited,  // exactly the rights of CloudOptions::policy
};

struct FleetSetup {
  sim::CloudOptions cloud;
  Key key = Key::all_rights;  // of every controller, until use()
  std::uint64_t seed = 1;
  bool echo = false;  // every event of the world on stderr
};

class FleetFixture {
 public:
  using Body = std::function<void(const fleet::FleetDeps& deps)>;
  // What goes wrong with a call, {} for nothing. Every call is asked about once, before it takes effect.
  using Hook = std::function<sim::Fault(const sim::Call& call)>;

  explicit FleetFixture(FleetSetup setup);
  ~FleetFixture();
  FleetFixture(const FleetFixture&) = delete;
  FleetFixture& operator=(const FleetFixture&) = delete;

  // Runs `body` as the one controller, then checks with EXPECT_ that the world did not fail. Once per fixture.
  void run(const Body& body);

  // Runs `script` in the world, beside its controllers; it starts them with control(). Once per fixture.
  void play(const std::function<void()>& script);

  struct Ended {
    bool died = false;         // killed at its point
    std::uint64_t points = 0;  // how many there were: 1 to points are where it can be killed
  };

  // From within play(): a controller of its own process and client runs `body`. `kill_at`: the point of its process at
  // which it dies, 0: it lives.
  Ended control(const Body& body, std::uint64_t kill_at = 0);

  // From within a body or script.
  void sleep(Micros time) { world_.clock().sleep_for(time, {}); }

  // Of controllers that start from now on.
  void use(Key key) { key_ = key; }

  void set_hook(Hook hook) { hook_ = std::move(hook); }

  // Answers of these calls are refused as throttled, without end.
  static Hook throttle(std::string region, std::string operation);

  // What reached the cloud since the start or forget_calls(): refused and failed calls, repeats too.
  const std::vector<sim::Call>& calls() const { return calls_; }

  void forget_calls() { calls_.clear(); }

  // Empty: any.
  int count(std::string_view operation, std::string_view region = "") const;

  int count_region(std::string_view region) const { return count("", region); }

  // Of operations that change something: neither Describe... nor Get... nor List....
  int count_changes() const;
  // "DescribeTags eu-west-3", one a line: for messages of failed expectations.
  std::string call_list() const;

  // The account's owner does something by hand, with all rights and without being recorded. Fails the test where the
  // cloud refuses.
  Json by_hand(const std::string& region, const std::string& operation, const Json& input,
               const std::string& service = "ec2");

  // Every machine of the account that Describe shows.
  std::vector<sim::InstanceView> machines(std::string_view region = "") const;

  sim::Cloud& cloud() { return *cloud_; }

  sim::VirtualWorld& world() { return world_; }

  sim::Network& network() { return network_; }

 private:
  struct Controller;
  void start_ticker();
  void work(Controller& controller);

  Key key_;
  Hook hook_;
  std::vector<sim::Call> calls_;
  sim::VirtualWorld world_;
  sim::Network network_;
  std::unique_ptr<sim::Cloud> cloud_;
  std::unique_ptr<sim::CloudEndpoint> endpoint_;
  std::unique_ptr<sim::PlainGuest> guest_;
  std::unique_ptr<Task> ticker_;
  int controllers_ = 0;
};

}  // namespace parallax::testing
