// The whole system, simulated: named scenarios (the reference's faults F1, F2, F7, F8, F9; runs_test.cc and
// setup_test.cc have the others), seeds, and tests of
// these tests by planted bugs.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenario/planted_bugs.h"
#include "tests/scenario/seeds.h"
#include "tests/scenario/test_support.h"

namespace parallax::scenario {
namespace {

using std::chrono::minutes;
using ::testing::HasSubstr;

TEST(Scenario, SixVantagesMeasureTheSameConesInFourRounds) {
  const ScenarioOptions options = calm(1, 6);
  tell(options, [&](FleetWorld& fleet) {
    std::set<std::tuple<std::string, double, double>> asked;
    for (int number = 0; number < 4; ++number) {
      RoundPlan plan;
      plan.number = number;
      const RoundResult result = fleet.round(plan);
      EXPECT_EQ(result.outcome.exit_code, 0);
      EXPECT_TRUE(all_in_state(fleet, "stopped"));
      fleet.sleep(options.between_rounds);
    }
    for (const Measurement& m : fleet.stored()) {
      asked.insert({m.service, *m.ra, *m.dec});
    }
    // Three services, two cones, four rounds; each by six vantages.
    EXPECT_EQ(asked.size(), 3U * 2U * 4U);
    EXPECT_EQ(fleet.stored().size(), 6U * 3U * 2U * 4U);
  });
}

TEST(Scenario, F1StopsTheMachineWhenItsOrderCannotBeSent) {
  tell(calm(2), [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[0];
    fleet.cloud().set_fault_hook(fail_operation(region, "SendCommand", sim::FaultKind::server_error));
    const RoundResult result = fleet.round({});
    fleet.cloud().set_fault_hook(nullptr);
    const fleet::VantageOutcome* failed = outcome_of(result, region);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->run.state, RunState::failed);
    EXPECT_THAT(failed->run.cause, HasSubstr("SendCommand"));
    EXPECT_FALSE(failed->left_running);
    EXPECT_TRUE(all_in_state(fleet, "stopped"));
    EXPECT_EQ(result.outcome.exit_code, 3);  // the other region went well
    const auto recorded = fleet.store().find_run(failed->run.run_id).value();
    ASSERT_TRUE(recorded);
    EXPECT_EQ(recorded->state, RunState::failed);
    EXPECT_EQ(recorded->cause, failed->run.cause);
  });
}

TEST(Scenario, F1GoesOnWhenSomePollsFail) {
  tell(calm(3, 1), [](FleetWorld& fleet) {
    int polls = 0;
    fleet.cloud().set_fault_hook([&](const std::string&, const std::string&, const std::string& operation) {
      const bool fails = operation == "GetCommandInvocation" && ++polls % 2 == 1;
      return sim::Fault{fails ? sim::FaultKind::server_error : sim::FaultKind::none};
    });
    EXPECT_EQ(fleet.round({}).outcome.exit_code, 0);
    fleet.cloud().set_fault_hook(nullptr);
    EXPECT_GE(polls, 2);
  });
}

TEST(Scenario, F2WaitsForTheAgentAsLongAsItMayAndNotASecondLonger) {
  tell(calm(4), [](FleetWorld& fleet) {
    const std::string never = fleet.regions()[0];
    const std::string late = fleet.regions()[1];
    sim::RegionFaults faults;
    faults.agent_never = 1;
    fleet.cloud().set_faults(never, faults);
    faults = {};
    faults.agent_late = 1;
    faults.agent_late_by = Seconds(40);
    fleet.cloud().set_faults(late, faults);
    const RoundResult result = fleet.round({});
    const fleet::VantageOutcome* patient = outcome_of(result, late);
    const fleet::VantageOutcome* failed = outcome_of(result, never);
    ASSERT_TRUE(patient != nullptr && failed != nullptr);
    EXPECT_EQ(patient->run.state, RunState::done) << describe_outcome(*patient);
    EXPECT_EQ(failed->run.state, RunState::failed);
    EXPECT_THAT(failed->run.cause, HasSubstr("agent"));
    Instant waiting{};
    Instant stopping{};
    bool told = false;
    for (const RunEvent& event : failed->run.timeline) {
      const bool first = event.state == RunState::waiting_for_agent && waiting == Instant();
      waiting = first ? event.at : waiting;
      told = told || event.note.find("its SSM agent has not answered for") != std::string::npos;
      stopping = event.state == RunState::stopping ? event.at : stopping;
    }
    EXPECT_TRUE(told);  // long before the time is over
    const Micros agent_timeout = fleet::RunOptions().agent_timeout;
    EXPECT_GE(stopping - waiting, agent_timeout);
    EXPECT_LE(stopping - waiting, agent_timeout + ScenarioOptions().poll + Seconds(5));
    EXPECT_TRUE(all_in_state(fleet, "stopped"));
  });
}

TEST(Scenario, AThrottledRegionIsAskedAgainBeforeAndAtTheClaim) {
  for (const std::string operation : {"DescribeInstances", "DescribeInstanceAttribute", "StartInstances"}) {
    tell(calm(21), [&](FleetWorld& fleet) {
      const std::string region = fleet.regions()[0];
      const Monotonic end = fleet.world().now() + Seconds(40);
      fleet.cloud().set_fault_hook([&](const std::string& r, const std::string&, const std::string& o) {
        const bool busy = r == region && o == operation && fleet.world().now() < end;
        return sim::Fault{busy ? sim::FaultKind::throttle : sim::FaultKind::none};
      });
      const RoundResult result = fleet.round({});
      fleet.cloud().set_fault_hook(nullptr);
      EXPECT_EQ(result.outcome.exit_code, 0) << operation;
      ASSERT_NE(outcome_of(result, region), nullptr) << operation;
      EXPECT_EQ(outcome_of(result, region)->run.state, RunState::done) << operation;
    });
  }
}

TEST(Scenario, ACloudThatDoesNotAnswerIsToldOnceAndAgainWhenItIsBack) {
  tell(calm(22, 1), [](FleetWorld& fleet) {
    std::optional<Monotonic> begin;
    fleet.cloud().set_fault_hook([&](const std::string&, const std::string&, const std::string& operation) {
      if (operation == "SendCommand" && !begin) {
        begin = fleet.world().now() + Seconds(1);
      }
      const bool away = begin && fleet.world().now() > *begin && fleet.world().now() < *begin + Seconds(60);
      return sim::Fault{away ? sim::FaultKind::server_error : sim::FaultKind::none};
    });
    const RoundResult result = fleet.round({});
    fleet.cloud().set_fault_hook(nullptr);
    const fleet::VantageOutcome& vantage = result.outcome.regions[0].vantages[0];
    EXPECT_EQ(vantage.run.state, RunState::done) << describe_outcome(vantage);
    int told = 0;
    int back = 0;
    for (const RunEvent& event : vantage.run.timeline) {
      told += event.note.starts_with("EC2 answers with errors since") ? 1 : 0;
      back += event.note.starts_with("EC2 answers again after") ? 1 : 0;
    }
    EXPECT_EQ(told, 1);
    EXPECT_EQ(back, 1);
  });
}

TEST(Scenario, F7NeverStopsTheMachineUnderAnothersJob) {
  for (std::uint64_t seed = 50; seed < 60; ++seed) {
    tell(calm(seed, 1), [&](FleetWorld& fleet) {
      RoundResult second;
      const auto other = fleet.world().executor().spawn("second", [&](const std::stop_token& /*stop*/) {
        fleet.sleep(Seconds(static_cast<int>(fleet.world().rng("test").below(90))));
        RoundPlan plan;
        plan.controller = "second";
        plan.number = 1;
        second = fleet.round(plan);
      });
      const RoundResult first = fleet.round({});
      other->join();
      const fleet::VantageOutcome& one = first.outcome.regions[0].vantages[0];
      const fleet::VantageOutcome& two = second.outcome.regions[0].vantages[0];
      const bool one_done = one.run.state == RunState::done;
      const bool two_done = two.run.state == RunState::done;
      EXPECT_TRUE(one_done || two_done) << describe_outcome(one) << " / " << describe_outcome(two);
      if (!one_done || !two_done) {
        EXPECT_THAT(one_done ? two.run.cause : one.run.cause, HasSubstr("in use"));
      }
    });
  }
}

TEST(Scenario, F8EveryMachineStopsByItsOwnTimerWhenTheControllerIsGoneForGood) {
  int armed = 0;
  for (std::uint64_t seed = 80; seed < 100; ++seed) {
    ScenarioOptions options = calm(seed);
    options.job_hangs = 1;  // nobody but the timer ends it
    tell(options, [&](FleetWorld& fleet) {
      RoundPlan plan;
      plan.kill_at = 300 + (seed - 80) * 40;
      ASSERT_TRUE(fleet.round(plan).died);
      std::map<std::string, Monotonic> timers;
      fleet.sleep(minutes(3));  // an order that was on its way has arrived
      for (const sim::InstanceView& view : fleet.fleet_instances()) {
        if (view.guest_timer) {
          timers[view.instance_id] = *view.guest_timer;
          EXPECT_LE(*view.guest_timer - fleet.world().now(), options.job_timeout + options.margin + minutes(1));
        }
      }
      armed += static_cast<int>(timers.size());
      fleet.sleep(options.job_timeout + options.margin + minutes(2));
      for (const sim::InstanceView& view : fleet.fleet_instances()) {
        EXPECT_TRUE(!timers.contains(view.instance_id) || view.state == "stopped") << view.state;
      }
    });
  }
  EXPECT_GT(armed, 5);
}

TEST(Scenario, F9StopsAJobThatHangsAtItsTimeOut) {
  ScenarioOptions options = calm(9, 1);
  options.job_hangs = 1;
  tell(options, [&](FleetWorld& fleet) {
    const RoundResult result = fleet.round({});
    const fleet::VantageOutcome& vantage = result.outcome.regions[0].vantages[0];
    EXPECT_EQ(vantage.run.state, RunState::failed);
    EXPECT_EQ(result.outcome.exit_code, 1);
    EXPECT_TRUE(all_in_state(fleet, "stopped"));
    ASSERT_TRUE(vantage.run.billed_seconds);
    EXPECT_LE(*vantage.run.billed_seconds, count_seconds(options.job_timeout + minutes(4)));
  });
}

TEST(Scenario, ACollectorThatIsAwayForAWholeRoundLosesNothing) {
  ScenarioOptions options = calm(10, 1);
  options.collector_away_round = 0;
  options.rounds = 1;
  tell(options, [&](FleetWorld& fleet) {
    fleet.kill_collector();
    const RoundResult result = fleet.round({});
    EXPECT_EQ(result.outcome.exit_code, 4);  // done, but results are still in the spool
    EXPECT_TRUE(fleet.stored().empty());
    EXPECT_EQ(fleet.answered().size(), 6U);
  });
}

TEST(Scenario, AControllerKilledAtAnyStepLeavesNothingBehind) {
  ScenarioOptions options = calm(11, 1);
  options.rounds = 1;
  options.cones = 1;
  std::uint64_t points = 0;
  tell(options, [&](FleetWorld& fleet) { points = fleet.round({}).points; });
  ASSERT_GT(points, 100U);
  const std::uint64_t stride = kSlowdown == 1 ? 1 : 41;
  for (std::uint64_t point = 1; point <= points; point += stride) {
    options.journal_deleted = point % 2 == 0;
    tell(options, [&](FleetWorld& fleet) {
      RoundPlan plan;
      plan.kill_at = point;
      EXPECT_TRUE(fleet.round(plan).died) << point;
      if (options.journal_deleted) {
        fleet.disks().wipe("controller", "/var/lib/parallax");
      }
    });
    ASSERT_FALSE(::testing::Test::HasFailure()) << "killed at point " << point;
  }
}

TEST(Seeds, HoldAllInvariants) {
  const std::uint64_t count = 200 / kSlowdown;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const SeedReport report = play_seed(seed, sim::default_strand_kind(), false);
    ASSERT_TRUE(report.ok) << report.failure << "\nReplay: tools/sim " << seed << " --verbose";
  }
}

// Two controllers and starts that fail: of one claim each, and of launches.
TEST(Seeds, ThatFoundTwoOwnersOfOneStartOrTwoMachinesHold) {
  for (const std::uint64_t seed : {std::uint64_t{1137}, std::uint64_t{1323}}) {
    const SeedReport report = play_seed(seed, sim::default_strand_kind(), false);
    EXPECT_TRUE(report.ok) << report.failure;
  }
  ScenarioOptions claims = draw_options(5045);  // the second starter dies before it writes its lease
  claims.second_controller = true;
  claims.cloud.stale_read = 0;
  claims.cloud.start_fails = 0.3;
  const SeedReport claimed = play_options(claims, sim::default_strand_kind(), false);
  EXPECT_TRUE(claimed.ok) << claimed.failure;
  for (std::uint64_t seed = 5000; seed < 5000 + 20 / kSlowdown; ++seed) {
    ScenarioOptions launches = draw_options(seed);
    launches.second_set_up = launches.set_up;
    launches.cloud.start_fails = 0.3;
    launches.cloud.capacity = 0;
    const SeedReport launched = play_options(launches, sim::default_strand_kind(), false);
    EXPECT_TRUE(launched.ok) << launched.failure;
  }
}

TEST(Seeds, GoTheSameWayEachTimeAndWithFibersAsWithThreads) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const SeedReport threads = play_seed(seed, sim::StrandKind::threads, false);
    const SeedReport again = play_seed(seed, sim::default_strand_kind(), false);
    EXPECT_EQ(threads.fingerprint, again.fingerprint) << seed;
    EXPECT_EQ(threads.events, again.events) << seed;
    EXPECT_GT(threads.events, 100U);
  }
}

// The seed that finds the bug, or `limit`.
std::uint64_t first_failure(std::uint64_t limit, std::string& failure) {
  for (std::uint64_t seed = 0; seed < limit; ++seed) {
    const SeedReport report = play_seed(seed, sim::default_strand_kind(), false);
    if (!report.ok) {
      failure = report.failure;
      return seed;
    }
  }
  return limit;
}

TEST(PlantedBugs, AreEachFoundByTheGeneralInvariantsWithinAThousandSeeds) {
  std::uint64_t last = 0;
  for (const auto& [name, member] : kPlantedBugs) {
    sim_bugs.*member = true;
    std::string failure;
    const std::uint64_t found = first_failure(1000 / kSlowdown, failure);
    sim_bugs.*member = false;
    EXPECT_LT(found, 1000U / kSlowdown) << name;
    last = std::max(last, found);
    RecordProperty(std::string(name), static_cast<int>(found));
    const std::size_t what = failure.find("failed: ") + 8;
    std::printf("%s: found by seed %d: %s\n", std::string(name).c_str(), static_cast<int>(found),
                failure.substr(what, failure.find('\n') - what).c_str());
  }
  // The control: the same seeds without a bug.
  std::string failure;
  EXPECT_EQ(first_failure(last + 1, failure), last + 1) << failure;
}

}  // namespace
}  // namespace parallax::scenario
