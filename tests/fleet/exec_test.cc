// A script on machines that run, more time for them, and what of them runs too long.
#include "fleet/exec.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "fleet/lease.h"
#include "fleet/stop.h"
#include "fleet/sweep.h"
#include "tests/fleet/fleet_fixture.h"
#include "tests/fleet/quick_guest.h"

namespace parallax::testing {
namespace {

using fleet::FleetDeps;

FleetSetup one_region(int machines) {
  FleetSetup setup;
  setup.cloud.regions = {"eu-west-3"};
  setup.cloud.instances_per_region = machines;
  return setup;
}

std::vector<fleet::RegionVantages> find(const FleetDeps& deps) {
  return fleet::find_vantages(deps, "NAVO", {"eu-west-3"}, Seconds(60), {});
}

// As `fleet start` does.
void start_all(const FleetDeps& deps, Micros time) {
  fleet::RoundSpec round;
  round.fleet = "NAVO";
  round.round_id = make_ulid(deps.clock.now(), deps.rng);
  round.keep_running = true;
  round.job_timeout = time;
  EXPECT_EQ(fleet::run_round(deps, round, {.owner = "test:1"}, find(deps), {}, {}, {}).exit_code, 0);
}

fleet::ExecOptions exec_options(const FleetDeps& deps) {
  fleet::ExecOptions options;
  options.id = make_ulid(deps.clock.now(), deps.rng);
  return options;
}

void play(FleetSetup setup, const std::function<void(const FleetDeps&, FleetFixture&, QuickGuest&)>& body) {
  FleetFixture fixture(std::move(setup));
  QuickGuest guest(fixture.cloud());
  fixture.cloud().set_guest(&guest);
  fixture.run([&](const FleetDeps& deps) { body(deps, fixture, guest); });
}

TEST(Exec, RunsAScriptOnManyMachinesFiftyACallAndLeavesThemRunning) {
  play(one_region(120), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest& guest) {
    start_all(deps, Seconds(7200));
    const int before = guest.commands();
    fixture.forget_calls();
    int heard = 0;
    const auto outcomes = fleet::exec_running(deps, find(deps), "#!/bin/sh\nuptime\n", exec_options(deps),
                                              [&](const fleet::ExecOutcome&) { ++heard; }, {});
    ASSERT_EQ(outcomes.size(), 120U);
    for (const fleet::ExecOutcome& outcome : outcomes) {
      EXPECT_TRUE(outcome.done()) << outcome.problem;
      EXPECT_EQ(outcome.output, "said on " + outcome.instance_id + "\n");
    }
    EXPECT_EQ(heard, 120);
    EXPECT_EQ(guest.commands() - before, 120);
    EXPECT_EQ(fixture.count("SendCommand"), 3) << fixture.call_list();
    EXPECT_EQ(fixture.count("StopInstances"), 0);
    EXPECT_EQ(fixture.machines().front().state, "running");
  });
}

TEST(Exec, FindsACommandWhoseAnswerWasLostAndDoesNotSendItAgain) {
  play(one_region(1), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest& guest) {
    start_all(deps, Seconds(7200));
    const int before = guest.commands();
    bool lost = false;
    fixture.set_hook([&](const sim::Call& call) {
      const bool now = call.operation == "SendCommand" && !lost;
      lost = lost || now;
      return now ? sim::Fault{sim::FaultKind::answer_lost, Micros(0)} : sim::Fault{};
    });
    const auto outcomes = fleet::exec_running(deps, find(deps), "#!/bin/sh\nuptime\n", exec_options(deps), {}, {});
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_TRUE(outcomes[0].done()) << outcomes[0].problem;
    EXPECT_TRUE(lost);
    EXPECT_EQ(guest.commands() - before, 1);
  });
}

TEST(Exec, SaysThatAnAgentDoesNotAnswer) {
  play(one_region(1), [](const FleetDeps& deps, FleetFixture&, QuickGuest&) {
    const auto outcomes = fleet::exec_running(deps, find(deps), "#!/bin/sh\nuptime\n", exec_options(deps), {}, {});
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_NE(outcomes[0].problem.find("its SSM agent did not take the command"), std::string::npos)
        << outcomes[0].problem;
  });
}

TEST(Hold, SetsTimerAndLeaseAnew) {
  play(one_region(1), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest&) {
    start_all(deps, Seconds(600));
    const auto held = fleet::hold(deps, find(deps), Seconds(7200), "test:2", {}, exec_options(deps), {});
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].problem, "");
    ASSERT_TRUE(held[0].until.has_value());
    fixture.sleep(Seconds(6000));
    ASSERT_EQ(fixture.machines().front().state, "running");
    const auto lease = fleet::parse_lease(fixture.machines().front().tags.at(fleet::kLeaseTag));
    ASSERT_TRUE(lease.has_value());
    EXPECT_EQ(lease->owner, "test:1");
    EXPECT_GT(lease->expiry, deps.clock.now());
    fixture.sleep(Seconds(1500));
    EXPECT_EQ(fixture.machines().front().state, "stopped");
  });
}

TEST(Hold, LeavesAStoppedMachineStopped) {
  play(one_region(1), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest&) {
    const auto held = fleet::hold(deps, find(deps), Seconds(7200), "test:2", {}, exec_options(deps), {});
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].problem, "it is stopped: 'parallax fleet start' starts machines");
    EXPECT_EQ(fixture.count_changes(), 0) << fixture.call_list();
  });
}

TEST(Sweep, FindsAMachineThatSomebodyStartedByHandOnceItsTimeIsOver) {
  play(one_region(2), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest&) {
    const std::string id = fixture.machines().front().instance_id;
    fixture.by_hand("eu-west-3", "StartInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fixture.sleep(Seconds(600));
    EXPECT_TRUE(fleet::find_overdue(find(deps), Seconds(1200), deps.clock.now()).machines.empty());
    fixture.sleep(Seconds(1200));
    const fleet::Overdue overdue = fleet::find_overdue(find(deps), Seconds(1200), deps.clock.now());
    ASSERT_EQ(overdue.machines.size(), 1U);
    EXPECT_TRUE(overdue.why.contains(id));
    const auto stopped = fleet::stop_vantages(deps, overdue.machines, Seconds(1), Seconds(300), {});
    ASSERT_EQ(stopped.size(), 1U);
    EXPECT_TRUE(stopped[0].stopped) << stopped[0].note;
  });
}

// F12: a stop of what is stopped is no error and no call.
TEST(Stop, SaysThatAMachineWasStoppedAlready) {
  play(one_region(1), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest&) {
    const auto found = find(deps);
    fixture.forget_calls();
    const auto stopped = fleet::stop_vantages(deps, found, Seconds(1), Seconds(300), {});
    ASSERT_EQ(stopped.size(), 1U);
    EXPECT_TRUE(stopped[0].stopped);
    EXPECT_EQ(stopped[0].note, "was stopped already");
    EXPECT_TRUE(fixture.calls().empty()) << fixture.call_list();
  });
}

// F13: a terminated machine is no candidate.
TEST(Find, LeavesTerminatedMachinesOut) {
  play(one_region(2), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest&) {
    const std::string id = fixture.machines().front().instance_id;
    fixture.by_hand("eu-west-3", "TerminateInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    const auto found = find(deps);
    ASSERT_EQ(found[0].vantages.size(), 1U);
    EXPECT_NE(found[0].vantages[0].instance.id, id);
  });
}

// F14: a start of a machine that is stopping waits until it can be started.
TEST(Start, WaitsForAMachineThatIsStopping) {
  play(one_region(1), [](const FleetDeps& deps, FleetFixture& fixture, QuickGuest&) {
    start_all(deps, Seconds(600));
    const std::string id = fixture.machines().front().instance_id;
    fixture.by_hand("eu-west-3", "StopInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    ASSERT_EQ(fixture.machines().front().state, "stopping");
    start_all(deps, Seconds(600));
    EXPECT_EQ(fixture.machines().front().state, "running");
  });
}

}  // namespace
}  // namespace parallax::testing
