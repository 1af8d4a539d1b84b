// Hundreds of machines in one region, with EC2's published request limits: how many calls a round takes.
#include <gtest/gtest.h>

#include "base/ids.h"
#include "fleet/run.h"
#include "fleet/stop.h"
#include "tests/fleet/fleet_fixture.h"
#include "tests/fleet/quick_guest.h"

namespace parallax::testing {
namespace {

constexpr int kMachines = 300;

FleetSetup one_region() {
  FleetSetup setup;
  setup.cloud.regions = {"eu-west-3"};
  setup.cloud.instances_per_region = kMachines;
  return setup;
}

fleet::RoundSpec round_of(const fleet::FleetDeps& deps) {
  fleet::RoundSpec round;
  round.fleet = "NAVO";
  round.round_id = make_ulid(deps.clock.now(), deps.rng);
  round.command = "echo hello";
  return round;
}

int count_state(const FleetFixture& fixture, std::string_view state) {
  int count = 0;
  for (const sim::InstanceView& machine : fixture.machines()) {
    count += machine.state == state ? 1 : 0;
  }
  return count;
}

struct Result {
  fleet::RoundOutcome outcome;
  Micros took{0};
};

Result run_all(FleetFixture& fixture, const fleet::FleetDeps& deps, const fleet::RoundSpec& round) {
  const auto found = fleet::find_vantages(deps, "NAVO", {"eu-west-3"}, Seconds(60), {});
  EXPECT_EQ(found[0].vantages.size(), static_cast<std::size_t>(kMachines)) << found[0].problem;
  fixture.forget_calls();
  Result result;
  const Monotonic begin = deps.clock.monotonic();
  result.outcome = fleet::run_round(deps, round, {.owner = "test:1"}, found, {}, {}, {});
  result.took = deps.clock.monotonic() - begin;
  for (const fleet::VantageOutcome& vantage : result.outcome.regions[0].vantages) {
    EXPECT_EQ(vantage.run.state, RunState::done) << fleet::describe_outcome(vantage);
    EXPECT_FALSE(vantage.left_running);
  }
  return result;
}

TEST(ManyMachines, AreRunWithBatchedCallsWhereEachHasAnOrderOfItsOwn) {
  FleetFixture fixture(one_region());
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.run([&](const fleet::FleetDeps& deps) {
    const Result result = run_all(fixture, deps, round_of(deps));
    EXPECT_EQ(result.outcome.exit_code, 0);
    EXPECT_EQ(guest.commands(), kMachines);
    EXPECT_EQ(count_state(fixture, "stopped"), kMachines);
    RecordProperty("calls", static_cast<int>(fixture.calls().size()));
    RecordProperty("seconds", static_cast<int>(count_seconds(result.took)));
    EXPECT_EQ(fixture.count("SendCommand"), kMachines);
    EXPECT_LE(fixture.count("StartInstances"), 20);
    EXPECT_LE(fixture.count("CreateTags"), 20);
    EXPECT_LE(fixture.count("StopInstances"), 150);
    EXPECT_EQ(fixture.count("DescribeInstanceAttribute"), kMachines);
    EXPECT_LE(fixture.count("GetCommandInvocation"), 20);
    EXPECT_LT(result.took, Seconds(300));
  });
}

TEST(ManyMachines, AreSentEqualScriptsFiftyAtATime) {
  FleetFixture fixture(one_region());
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.run([&](const fleet::FleetDeps& deps) {
    fleet::RoundSpec round = round_of(deps);
    round.without_order = true;
    const Result result = run_all(fixture, deps, round);
    EXPECT_EQ(result.outcome.exit_code, 0);
    EXPECT_EQ(guest.commands(), kMachines);
    EXPECT_EQ(count_state(fixture, "stopped"), kMachines);
    RecordProperty("calls", static_cast<int>(fixture.calls().size()));
    RecordProperty("sends", fixture.count("SendCommand"));
    RecordProperty("seconds", static_cast<int>(count_seconds(result.took)));
    EXPECT_LT(fixture.count("SendCommand"), kMachines / 2);
    EXPECT_LT(result.took, Seconds(240));
  });
}

TEST(ManyMachines, AreStoppedInOneCallForTwoHundred) {
  FleetSetup setup = one_region();
  FleetFixture fixture(setup);
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.run([&](const fleet::FleetDeps& deps) {
    fleet::RoundSpec round = round_of(deps);
    round.keep_running = true;
    EXPECT_EQ(run_all(fixture, deps, round).outcome.exit_code, 0);
    EXPECT_EQ(count_state(fixture, "running"), kMachines);
    const auto found = fleet::find_vantages(deps, "NAVO", {"eu-west-3"}, Seconds(60), {});
    fixture.forget_calls();
    for (const fleet::StopOutcome& stopped : fleet::stop_vantages(deps, found, Seconds(1), Seconds(600), {})) {
      EXPECT_TRUE(stopped.stopped) << stopped.note;
    }
    EXPECT_LE(fixture.count("StopInstances"), 8) << fixture.call_list();
  });
}

}  // namespace
}  // namespace parallax::testing
