// Observation, plan and change together: what a person sees of `apply` and `clear`.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/change.h"
#include "tests/fleet/change_bench.h"

namespace parallax::testing {
namespace {

using fleet::ChangeOutcome;
using fleet::FleetDeps;
using fleet::Observed;
using fleet::Plan;
using fleet::Spec;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Plan plan_now(const FleetDeps& deps, const Spec& spec, fleet::PlanKind kind, Observed& observed) {
  fleet::ObserveOptions options;
  options.regions = spec.regions;
  options.for_clear = kind == fleet::PlanKind::clear;
  observed = fleet::observe(deps, spec, options, {});
  return kind == fleet::PlanKind::clear ? fleet::plan_clear(spec, observed) : fleet::plan_apply(spec, observed);
}

ChangeOutcome apply(const FleetDeps& deps, const Spec& spec) {
  Observed observed;
  const Plan plan = plan_now(deps, spec, fleet::PlanKind::apply, observed);
  return change(deps, spec, observed, plan);
}

ChangeOutcome clear(const FleetDeps& deps, const Spec& spec) {
  Observed observed;
  const Plan plan = plan_now(deps, spec, fleet::PlanKind::clear, observed);
  return change(deps, spec, observed, plan);
}

Spec full_spec() {
  Spec spec = change_spec();
  spec.deadman = fleet::Deadman::guest_and_scheduler;
  return spec;
}

TEST(ChangeWithPlan, LeavesTheRolesOfAnotherFleetOfTheAccountAlone) {
  const Spec first = full_spec();
  Spec second = full_spec();
  second.fleet = "OTHER";
  second.group.name = second.fleet;
  second.key->name = second.fleet;
  second.profile.name = fleet::our_profile(second.fleet);
  FleetFixture fixture({.cloud = empty_cloud()});
  fixture.run([&](const FleetDeps& deps) {
    EXPECT_EQ(apply(deps, first).exit_code, 0);
    EXPECT_EQ(apply(deps, second).exit_code, 0);
    EXPECT_EQ(clear(deps, first).exit_code, 0);
    const fleet::ObserveOptions all{.regions = second.regions, .for_clear = true};
    const Observed left = fleet::observe(deps, first, all, {});
    EXPECT_FALSE(left.profile->role_exists || left.profile->profile_exists || left.scheduler_role->role_exists);
    Observed observed;
    EXPECT_TRUE(plan_now(deps, second, fleet::PlanKind::apply, observed).empty());
    const Observed kept = fleet::observe(deps, second, all, {});
    EXPECT_TRUE(kept.profile->role_exists && kept.profile->profile_exists && kept.scheduler_role->role_exists);
  });
}

TEST(ChangeWithPlan, SetsUpThenHasNothingLeftToDo) {
  for (const bool copies : {false, true}) {
    const Spec spec = copies ? copy_spec() : full_spec();
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.run([&](const FleetDeps& deps) {
      if (copies) {
        home_image(fixture, spec);
      }
      fixture.forget_calls();
      const ChangeOutcome first = apply(deps, spec);
      ASSERT_EQ(first.exit_code, 0) << to_text(first);
      const std::vector<std::string> made = account_contents(fixture, spec);
      fixture.sleep(Seconds(60));
      fixture.forget_calls();
      Observed observed;
      const Plan second = plan_now(deps, spec, fleet::PlanKind::apply, observed);
      EXPECT_TRUE(second.empty()) << to_json(second).pretty();
      EXPECT_LT(fixture.count_region(kAway), 7) << fixture.call_list();
      const ChangeOutcome outcome = change(deps, spec, observed, second);
      EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
      EXPECT_EQ(fixture.count_changes(), 0) << fixture.call_list();
      EXPECT_EQ(account_contents(fixture, spec), made);
    });
  }
}

TEST(ChangeWithPlan, NeedsAtMost17CallsOfAFreshRegionWithoutItsWaits) {
  for (const bool copies : {false, true}) {
    const Spec spec = copies ? copy_spec() : change_spec();
    sim::CloudOptions cloud = empty_cloud();
    cloud.timings.profile = {Micros(0), Micros(0)};
    FleetFixture fixture({.cloud = cloud});
    fixture.run([&](const FleetDeps& deps) {
      if (copies) {
        home_image(fixture, spec);
      }
      fixture.forget_calls();
      ASSERT_EQ(apply(deps, spec).exit_code, 0);
      // A wait is a Describe that is repeated: one of each in a row counts.
      int calls = 0;
      std::string before;
      for (const sim::Call& call : fixture.calls()) {
        if (call.region == kAway && call.service != "iam" && call.service != "sts") {
          calls += call.operation == before ? 0 : 1;
          before = call.operation;
        }
      }
      EXPECT_LE(calls, 17) << fixture.call_list();
    });
  }
}

TEST(ChangeWithPlan, ClearLeavesNothingOfOursAndTouchesNothingForeign) {
  for (const bool copies : {false, true}) {
    Spec spec = copies ? copy_spec() : full_spec();
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.run([&](const FleetDeps& deps) {
      if (copies) {
        home_image(fixture, spec);
      }
      // Another fleet of the same account.
      Spec other = change_spec();
      other.fleet = "OTHER";
      other.group.name = "OTHER";
      other.key->name = "OTHER";
      other.profile.name = "other";
      ASSERT_EQ(apply(deps, other).exit_code, 0);
      const std::vector<std::string> before = account_contents(fixture, spec);
      const ChangeOutcome made = apply(deps, spec);
      ASSERT_EQ(made.exit_code, 0) << to_text(made);
      EXPECT_GT(account_contents(fixture, spec).size(), before.size());
      const ChangeOutcome cleared = clear(deps, spec);
      EXPECT_EQ(cleared.exit_code, 0) << to_text(cleared);
      EXPECT_EQ(account_contents(fixture, spec), before);
      fixture.forget_calls();
      EXPECT_EQ(clear(deps, spec).exit_code, 0);
      EXPECT_EQ(fixture.count_changes(), 0) << fixture.call_list();
      // And it can be set up again at once: tokens of before give back machines and copies that are gone.
      const ChangeOutcome again = apply(deps, spec);
      EXPECT_EQ(again.exit_code, 0) << to_text(again);
    });
  }
}

struct Strike {
  std::string operation;
  sim::FaultKind kind;
};

// What an operation of this change is called; struck in turn.
std::vector<std::string> changing_operations(const FleetFixture& fixture) {
  std::vector<std::string> operations;
  for (const sim::Call& call : fixture.calls()) {
    if (std::find(operations.begin(), operations.end(), call.operation) == operations.end()) {
      operations.push_back(call.operation);
    }
  }
  return operations;
}

void strike_once(FleetFixture& fixture, const Strike& strike) {
  auto left = std::make_shared<int>(4);  // longer than the client's own attempts
  fixture.set_hook([left, strike](const sim::Call& call) {
    const bool hit = call.operation == strike.operation && *left > 0 && (*left)-- > 0;
    return sim::Fault{hit ? strike.kind : sim::FaultKind::none, Micros(0)};
  });
}

constexpr sim::FaultKind kStrikes[] = {sim::FaultKind::answer_lost, sim::FaultKind::server_error};

// Every operation that set-up and clear use fails in each way for a while: at most one more apply or clear ends in the
// same state as if nothing had happened.
TEST(ChangeWithPlan, EndsInTheSameStateWhateverIsStruck) {
  const Spec spec = copy_spec();
  std::vector<std::string> operations;
  std::vector<std::string> wanted;
  std::vector<std::string> empty;
  const auto play = [&](const Strike* strike) {
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.run([&](const FleetDeps& deps) {
      home_image(fixture, spec);
      const std::vector<std::string> before = account_contents(fixture, spec);
      fixture.forget_calls();
      if (strike != nullptr) {
        strike_once(fixture, *strike);
      }
      if (apply(deps, spec).exit_code != 0) {
        ASSERT_NE(strike, nullptr);
        EXPECT_EQ(apply(deps, spec).exit_code, 0) << strike->operation;
      }
      const std::vector<std::string> made = account_contents(fixture, spec);
      if (strike != nullptr) {
        EXPECT_EQ(made, wanted) << strike->operation << " " << to_string(strike->kind);
        strike_once(fixture, *strike);
      }
      if (clear(deps, spec).exit_code != 0) {
        ASSERT_NE(strike, nullptr);
        EXPECT_EQ(clear(deps, spec).exit_code, 0) << strike->operation;
      }
      EXPECT_EQ(account_contents(fixture, spec), before);
      if (strike == nullptr) {
        operations = changing_operations(fixture);
        wanted = made;
      }
    });
  };
  play(nullptr);
  EXPECT_THAT(operations, Contains("TerminateInstances"));
  for (const std::string& operation : operations) {
    for (const sim::FaultKind kind : kStrikes) {
      const Strike strike{operation, kind};
      play(&strike);
    }
  }
}

TEST(ChangeWithPlan, TwoControllersAtOnceMakeOneOfEach) {
  const Spec spec = change_spec();
  std::vector<std::string> wanted;
  for (const bool both : {false, true}) {
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.run([&](const FleetDeps& deps) {
      Observed observed;
      const Plan plan = plan_now(deps, spec, fleet::PlanKind::apply, observed);
      std::unique_ptr<Task> other;
      if (both) {
        other = deps.executor.spawn("other", [&](const std::stop_token&) {
          const ChangeOutcome outcome = change(deps, spec, observed, plan);
          EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
        });
      }
      const ChangeOutcome outcome = change(deps, spec, observed, plan);
      EXPECT_EQ(outcome.exit_code, 0) << to_text(outcome);
      if (other) {
        other->join();
        EXPECT_EQ(account_contents(fixture, spec), wanted);
      }
      wanted = account_contents(fixture, spec);
    });
  }
}

// At every twentieth of its points; tests/scenario has each of them.
TEST(ChangeWithPlan, AControllerThatDiesLeavesWhatTheNextOneEnds) {
  const Spec spec = change_spec();
  std::vector<std::string> wanted;
  std::uint64_t points = 0;
  const auto play = [&](std::uint64_t kill_at) {
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.play([&] {
      const FleetFixture::Ended first = fixture.control([&](const FleetDeps& deps) { apply(deps, spec); }, kill_at);
      points = first.points;
      if (kill_at != 0) {
        fixture.control([&](const FleetDeps& deps) {
          const ChangeOutcome outcome = apply(deps, spec);
          EXPECT_EQ(outcome.exit_code, 0) << kill_at << to_text(outcome);
        });
        fixture.sleep(spec.boot_timer + Seconds(120));
        EXPECT_EQ(account_contents(fixture, spec), wanted) << kill_at;
      } else {
        wanted = account_contents(fixture, spec);
      }
    });
  };
  play(0);
  const std::uint64_t all = points;
  for (std::uint64_t at = 1; at <= all; at += 20) {
    play(at);
  }
}

// Likewise.
TEST(ChangeWithPlan, AClearThatDiesIsEndedByTheNextOne) {
  const Spec spec = full_spec();
  std::uint64_t points = 0;
  const auto play = [&](std::uint64_t kill_at) {
    FleetFixture fixture({.cloud = empty_cloud()});
    fixture.play([&] {
      fixture.control([&](const FleetDeps& deps) { EXPECT_EQ(apply(deps, spec).exit_code, 0); });
      points = fixture.control([&](const FleetDeps& deps) { clear(deps, spec); }, kill_at).points;
      if (kill_at != 0) {
        fixture.control([&](const FleetDeps& deps) {
          const ChangeOutcome outcome = clear(deps, spec);
          EXPECT_EQ(outcome.exit_code, 0) << kill_at << to_text(outcome);
        });
      }
      EXPECT_THAT(account_contents(fixture, spec), IsEmpty()) << kill_at;
    });
  };
  play(0);
  const std::uint64_t all = points;
  for (std::uint64_t at = 1; at <= all; at += 20) {
    play(at);
  }
}

}  // namespace
}  // namespace parallax::testing
