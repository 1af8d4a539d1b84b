// Look, plan, change, look again: a fleet's life from an empty account to an empty account, with the calls counted.
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "fleet/observed.h"
#include "fleet/plan.h"
#include "tests/fleet/change_bench.h"

namespace parallax::fleet {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::FleetFixture;
using testing::FleetSetup;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kAway;
using testing::kHome;

std::vector<std::string> step_texts(const Plan& plan) {
  std::vector<std::string> texts;
  for (const Step& step : plan.steps) {
    texts.push_back(step.text());
  }
  for (const RegionPlan& region : plan.regions) {
    if (!region.problem.empty()) {
      texts.push_back(region.region + ": " + region.problem);
    }
    for (const Step& step : region.steps) {
      texts.push_back(region.region + ": " + step.text());
    }
  }
  return texts;
}

std::vector<std::string> drift_texts(const Plan& plan) {
  std::vector<std::string> texts;
  for (const RegionPlan& region : plan.regions) {
    for (const Drift& drift : region.drift) {
      texts.push_back(region.region + ": " + drift.text);
    }
    for (const Leftover& leftover : region.leftovers) {
      texts.push_back(region.region + ": " + leftover.id + " " + leftover.what);
    }
  }
  return texts;
}

// Requests of the region: those that are repeated in a wait count once.
int calls_without_waits(const FleetFixture& fleet, const std::string& region) {
  static const std::set<std::string> kWaits = {"DescribeInstances", "DescribeImages", "RunInstances",
                                               "DeleteSecurityGroup"};
  int calls = 0;
  std::set<std::string> seen;
  for (const sim::Call& call : fleet.calls()) {
    if (call.region == region && call.service != "iam" && call.service != "sts") {
      calls += !kWaits.contains(call.operation) || seen.insert(call.operation).second ? 1 : 0;
    }
  }
  return calls;
}

struct Life {
  const char* name;
  ImageSpec::Kind image;
  Deadman deadman = Deadman::guest;
  int calls_to_look = 4;  // at a region in which all is well
};

class Journey : public ::testing::TestWithParam<Life> {};

TEST_P(Journey, MakesAFleetOnceAndLeavesNothingOfItBehind) {
  Spec spec = GetParam().image == ImageSpec::Kind::copy ? testing::copy_spec() : testing::change_spec();
  spec.deadman = GetParam().deadman;
  FleetFixture fleet({.cloud = testing::empty_cloud()});
  fleet.run([&](const FleetDeps& deps) {
    if (spec.image.kind == ImageSpec::Kind::copy) {
      testing::home_image(fleet, spec);
    }
    const std::vector<std::string> before = testing::account_contents(fleet, spec);
    ObserveOptions options;
    options.regions = spec.regions;

    fleet.forget_calls();
    const Observed empty = observe(deps, spec, options, {});
    const ChangeOutcome made = testing::change(deps, spec, empty, plan_apply(spec, empty));
    ASSERT_EQ(made.exit_code, 0) << testing::to_text(made);
    EXPECT_LE(calls_without_waits(fleet, kAway), 17) << fleet.call_list();

    fleet.forget_calls();
    const Observed whole = observe(deps, spec, options, {});
    const Plan again = plan_apply(spec, whole);
    EXPECT_THAT(step_texts(again), IsEmpty());
    EXPECT_THAT(drift_texts(again), IsEmpty());
    EXPECT_EQ(fleet.count_region(kAway), GetParam().calls_to_look) << fleet.call_list();
    EXPECT_EQ(fleet.count_changes(), 0);
    EXPECT_TRUE(again.regions.at(1).usd_per_month_at_rest.has_value());
    EXPECT_GT(again.regions.at(1).usd_per_month_at_rest.value_or(0), 0);

    fleet.forget_calls();
    ObserveOptions check = options;
    check.for_check = true;
    const Plan checked = plan_apply(spec, observe(deps, spec, check, {}));
    EXPECT_THAT(step_texts(checked), IsEmpty());
    EXPECT_THAT(drift_texts(checked), IsEmpty());
    EXPECT_EQ(fleet.count_region(kAway), GetParam().calls_to_look) << fleet.call_list();

    fleet.forget_calls();
    ObserveOptions clear = options;
    clear.for_clear = true;
    const Observed last = observe(deps, spec, clear, {});
    const ChangeOutcome cleared = testing::change(deps, spec, last, plan_clear(spec, last));
    EXPECT_EQ(cleared.exit_code, 0) << testing::to_text(cleared);
    EXPECT_LE(calls_without_waits(fleet, kAway), 11) << fleet.call_list();
    fleet.sleep(Seconds(3600));
    EXPECT_EQ(testing::account_contents(fleet, spec), before);
  });
}

INSTANTIATE_TEST_SUITE_P(
    Fleets, Journey,
    ::testing::Values(Life{"OfAmazonsImages", ImageSpec::Kind::stock}, Life{"OfCopies", ImageSpec::Kind::copy},
                      Life{"WithSchedules", ImageSpec::Kind::stock, Deadman::guest_and_scheduler, 5}),
    [](const auto& life) { return std::string(life.param.name); });

// With every look of every wait, where AWS takes its usual time. The reference's scripts make 26 calls to a region that
// is set up and 13 to one that is cleared.
TEST(Journeys, CountsItsLooksWhileItWaits) {
  const Spec spec = testing::copy_spec();
  sim::CloudOptions cloud = testing::empty_cloud();
  cloud.timings.image_copy = {Seconds(120), Seconds(120)};
  cloud.timings.pending = {Seconds(12), Seconds(12)};
  cloud.timings.stopping = {Seconds(12), Seconds(12)};
  cloud.timings.interface_lingers = {Seconds(10), Seconds(10)};
  FleetFixture fleet({.cloud = cloud});
  fleet.run([&](const FleetDeps& deps) {
    testing::home_image(fleet, spec);
    ObserveOptions options;
    options.regions = spec.regions;
    fleet.forget_calls();
    const Observed empty = observe(deps, spec, options, {});
    ASSERT_EQ(testing::change(deps, spec, empty, plan_apply(spec, empty)).exit_code, 0);
    EXPECT_LE(fleet.count_region(kAway), 22) << fleet.call_list();

    fleet.forget_calls();
    options.for_clear = true;
    const Observed last = observe(deps, spec, options, {});
    const Monotonic begin = deps.clock.monotonic();
    ASSERT_EQ(testing::change(deps, spec, last, plan_clear(spec, last)).exit_code, 0);
    EXPECT_LE(fleet.count_region(kAway), 11) << fleet.call_list();
    EXPECT_LE(deps.clock.monotonic() - begin, Seconds(28));
  });
}

// What no listing shows: asked for machine by machine.
void change_attributes(FleetFixture& fleet, const std::string& machine) {
  const auto modify = [&](const char* member, const std::string& value) {
    fleet.by_hand(kAway, "ModifyInstanceAttribute",
                  Json::object({{"InstanceId", machine}, {member, Json::object({{"Value", value}})}}));
  };
  modify("UserData", base64_encode("#!/bin/sh\necho no timer\n"));
  modify("InstanceInitiatedShutdownBehavior", "terminate");
}

TEST(JourneyOfDrift, MendsUserDataAndShutdownBehaviourChangedByHandAndThenAsksForNoChange) {
  const Spec spec = testing::change_spec();
  FleetFixture fleet({.cloud = testing::empty_cloud()});
  fleet.run([&](const FleetDeps& deps) {
    ObserveOptions options;
    options.regions = spec.regions;
    const Observed empty = observe(deps, spec, options, {});
    ASSERT_EQ(testing::change(deps, spec, empty, plan_apply(spec, empty)).exit_code, 0);
    change_attributes(fleet, fleet.machines(kAway).at(0).instance_id);

    options.attributes = Attributes::few;
    fleet.forget_calls();
    const Plan shallow = plan_apply(spec, observe(deps, spec, options, {}));
    EXPECT_THAT(step_texts(shallow), ElementsAre(HasSubstr("its user data were changed by hand")));
    EXPECT_EQ(fleet.count("DescribeInstanceAttribute", kAway), 1) << "no machine runs";

    options.attributes = Attributes::all;
    const Observed seen = observe(deps, spec, options, {});
    const Plan plan = plan_apply(spec, seen);
    EXPECT_TRUE(plan.deep);
    EXPECT_EQ(plan.hash, shallow.hash);
    EXPECT_THAT(step_texts(plan), ElementsAre(HasSubstr("its user data were changed by hand"),
                                              HasSubstr("its shutdown behaviour is 'terminate', not 'stop'")));
    const ChangeOutcome mended = testing::change(deps, spec, seen, plan);
    EXPECT_EQ(mended.exit_code, 0) << testing::to_text(mended);

    fleet.forget_calls();
    const Plan again = plan_apply(spec, observe(deps, spec, options, {}));
    EXPECT_THAT(step_texts(again), IsEmpty());
    EXPECT_THAT(drift_texts(again), IsEmpty());
    EXPECT_EQ(fleet.count_changes(), 0) << fleet.call_list();
    EXPECT_EQ(fleet.count("DescribeInstanceAttribute", kAway), 2);
  });
}

TEST(JourneyOfDrift, AsksForNoAttributesWhereARegionHasManyMachinesUnlessItLooksDeep) {
  Spec spec = testing::change_spec();
  spec.instances_per_region = static_cast<int>(kAttributesAskedMax) + 1;
  FleetFixture fleet({.cloud = testing::empty_cloud()});
  fleet.run([&](const FleetDeps& deps) {
    ObserveOptions options;
    options.regions = {kAway};
    const Observed empty = observe(deps, spec, options, {});
    ASSERT_EQ(testing::change(deps, spec, empty, plan_apply(spec, empty)).exit_code, 0);
    options.attributes = Attributes::few;
    fleet.forget_calls();
    const Observed shallow = observe(deps, spec, options, {});
    EXPECT_EQ(fleet.count("DescribeInstanceAttribute"), 0);
    EXPECT_EQ(shallow.regions[0].attributes_left_out, "user data of 21 machines");
    options.attributes = Attributes::all;
    const Observed deep = observe(deps, spec, options, {});
    EXPECT_EQ(fleet.count("DescribeInstanceAttribute"), 42);
    EXPECT_EQ(deep.regions[0].attributes_left_out, "");
    EXPECT_THAT(step_texts(plan_apply(spec, deep)), IsEmpty());
  });
}

TEST(JourneyOfDrift, SaysThatAttributesCouldNotBeAskedForAndPlansTheRest) {
  const Spec spec = testing::change_spec();
  FleetFixture fleet({.cloud = testing::empty_cloud()});
  fleet.run([&](const FleetDeps& deps) {
    ObserveOptions options;
    options.regions = spec.regions;
    const Observed empty = observe(deps, spec, options, {});
    ASSERT_EQ(testing::change(deps, spec, empty, plan_apply(spec, empty)).exit_code, 0);
    fleet.set_hook([](const sim::Call& call) {
      const bool hit = call.operation == "DescribeInstanceAttribute" && call.region == kAway;
      return sim::Fault{hit ? sim::FaultKind::server_error : sim::FaultKind::none, Micros(0)};
    });
    options.attributes = Attributes::all;
    const Plan plan = plan_apply(spec, observe(deps, spec, options, {}));
    EXPECT_THAT(step_texts(plan), IsEmpty());
    EXPECT_THAT(drift_texts(plan),
                ElementsAre(::testing::AllOf(HasSubstr("eu-west-3: not all user data and shutdown behaviours could be"),
                                             HasSubstr("asking for the shutdown behaviour of i-"))));
  });
}

// What the reference's scripts made is taken over by tags alone, and is a whole fleet then.
TEST(JourneyOfAdoption, TakesOverWhatTheReferenceMade) {
  FleetSetup setup;
  setup.cloud.world = sim::WorldKind::reference;
  setup.cloud.regions = {kHome, kAway};
  FleetFixture fleet(setup);
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = testing::copy_spec();
    spec.key.reset();
    spec.profile = {"AmazonSSMRoleForInstancesQuickSetup", false};
    ObserveOptions options;
    options.regions = spec.regions;
    const Plan refused = plan_apply(spec, observe(deps, spec, options, {}));
    EXPECT_THAT(refused.regions.at(1).problem + drift_texts(refused).at(0), HasSubstr("adopt"));

    options.by_name = true;
    const Observed seen = observe(deps, spec, options, {});
    const Plan plan = plan_adopt(spec, seen);
    ASSERT_FALSE(plan.empty());
    EXPECT_THAT(step_texts(plan), Each(HasSubstr("tag")));
    fleet.forget_calls();
    const ChangeOutcome outcome = testing::change(deps, spec, seen, plan);
    EXPECT_EQ(outcome.exit_code, 0) << testing::to_text(outcome);
    EXPECT_EQ(fleet.count_changes(), fleet.count("CreateTags"));

    options.by_name = false;
    const Observed ours = observe(deps, spec, options, {});
    ASSERT_EQ(ours.regions.at(1).machines.size(), 1U);
    EXPECT_TRUE(is_ours(ours.regions[1].machines[0].instance.tags, spec.fleet));
    EXPECT_EQ(ours.regions[1].calls, 4);
    const Plan rest = plan_apply(spec, ours);
    for (const Step& step : rest.regions.at(1).steps) {
      EXPECT_NE(step.kind, StepKind::launch) << step.text();
      EXPECT_NE(step.kind, StepKind::copy_image) << step.text();
    }
  });
}

}  // namespace
}  // namespace parallax::fleet
