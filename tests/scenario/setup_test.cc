// What the reference's scripts get wrong while they set up, check and clear, as scenarios of the whole system: F3, F4,
// F5, F10, F11, F15 to F19, F21 to F24. In all of them the invariants hold that every seed is held to, and the good end
// sets up, finds nothing more to do, measures, and clears everything.
#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/lease.h"
#include "tests/scenario/by_hand.h"
#include "tests/scenario/test_support.h"

namespace parallax::scenario {
namespace {

using std::chrono::minutes;
using ::testing::HasSubstr;

ScenarioOptions set_up_world(std::uint64_t seed, int regions = 2) {
  ScenarioOptions options = calm(seed, regions);
  options.set_up = true;
  options.cones = 1;
  return options;
}

Json filtered(const std::string& name, const std::string& value) {
  return Json::object({{"Filters", Json::array({Json::object({{"Name", name}, {"Values", Json::array({value})}})})}});
}

std::string all_problems(const ChangeResult& result) {
  std::string text = result.plan.problem;
  for (const fleet::RegionPlan& region : result.plan.regions) {
    text += "\n" + region.problem;
  }
  for (const fleet::RegionChange& region : result.outcome.regions) {
    text += "\n" + region.region + ": " + region.problem;
    for (const fleet::StepOutcome& step : region.steps) {
      text += step.error ? "\n" + step.error->text() : "";
    }
  }
  return text;
}

std::string all_notes(const ChangeResult& result) {
  std::string text;
  for (const fleet::RegionChange& region : result.outcome.regions) {
    for (const fleet::StepOutcome& step : region.steps) {
      text += step.note + "\n";
    }
  }
  return text;
}

std::string all_leftovers(const fleet::Plan& plan) {
  std::string text;
  for (const fleet::RegionPlan& region : plan.regions) {
    for (const fleet::Leftover& leftover : region.leftovers) {
      text += leftover.id + (leftover.usd_per_month.value_or(0) > 0 ? " costs" : "") + "\n";
    }
  }
  return text;
}

std::vector<sim::InstanceView> living(const FleetWorld& fleet, const std::string& region = "") {
  std::vector<sim::InstanceView> ours = fleet.fleet_instances();
  std::erase_if(ours, [&](const sim::InstanceView& view) {
    return view.state == "terminated" || view.state == "shutting-down" || (!region.empty() && view.region != region);
  });
  return ours;
}

// The machine as DescribeInstances shows it.
Json described(FleetWorld& fleet, const sim::InstanceView& view) {
  const Json answer =
      fleet.by_hand(view.region, "DescribeInstances", Json::object({{"InstanceIds", Json::array({view.instance_id})}}));
  return answer.list("Reservations").at(0).list("Instances").at(0);
}

int count_of(FleetWorld& fleet, const std::string& kind, const std::string& region) {
  int count = 0;
  for (const sim::ResourceView& view : fleet.cloud().resources({region})) {
    const auto tag = view.tags.find(fleet::kFleetTag);
    count += view.region == region && view.kind == kind && tag != view.tags.end() && tag->second == "NAVO" ? 1 : 0;
  }
  return count;
}

ChangeResult clear(FleetWorld& fleet) {
  ChangePlan plan;
  plan.change = Change::clear;
  return fleet.change(plan);
}

ChangeResult check(FleetWorld& fleet) {
  ChangePlan plan;
  plan.change = Change::check;
  return fleet.change(plan);
}

TEST(Scenario, F3GivesTheProfileAtLaunchAndLeavesNothingRunningWhenItIsRefused) {
  ScenarioOptions options = set_up_world(3);
  options.own_profile = true;  // made a moment ago: EC2 learns of it with a delay
  tell(options, [](FleetWorld& fleet) {
    ChangePlan plan;
    plan.specify = [](fleet::Spec& spec) { spec.profile = {"no-such-profile", false}; };
    const ChangeResult refused = fleet.change(plan);
    EXPECT_NE(refused.outcome.exit_code, 0);
    EXPECT_THAT(all_problems(refused), HasSubstr("no-such-profile"));
    EXPECT_TRUE(living(fleet, fleet.regions()[1]).empty());
    const ChangeResult good = fleet.change({});
    EXPECT_EQ(good.outcome.exit_code, 0) << all_problems(good);
    for (const sim::InstanceView& view : living(fleet)) {
      EXPECT_THAT(described(fleet, view).find("IamInstanceProfile")->text("Arn"), HasSubstr("navo-probe"));
    }
  });
}

TEST(Scenario, F4TagsAreInTheLaunchItselfAndALostAnswerMakesNoSecondMachine) {
  ScenarioOptions options = set_up_world(4);
  tell(options, [](FleetWorld& fleet) {
    int launches = 0;
    fleet.cloud().set_fault_hook([&](const std::string&, const std::string&, const std::string& operation) {
      if (operation == "CreateTags" || operation == "ModifyInstanceAttribute") {
        return sim::Fault{sim::FaultKind::server_error, Micros(0)};  // the reference needs both after the launch
      }
      const bool lost = operation == "RunInstances" && ++launches <= 2;
      return sim::Fault{lost ? sim::FaultKind::answer_lost : sim::FaultKind::none, Micros(0)};
    });
    const std::string region = fleet.regions()[1];  // home's machine has no timer yet and would need both
    ChangePlan plan;
    plan.regions = {region};
    const ChangeResult result = fleet.change(plan);
    fleet.cloud().set_fault_hook(nullptr);
    EXPECT_EQ(result.outcome.exit_code, 0) << all_problems(result);
    EXPECT_GE(launches, 3);
    EXPECT_EQ(living(fleet, region).size(), 1U);
  });
}

TEST(Scenario, F5AFailedStepEndsItsRegionBeforeAnythingThatCostsMoney) {
  tell(set_up_world(5, 3), [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[1];
    fleet.cloud().set_fault_hook(fail_operation(region, "CreateSecurityGroup", sim::FaultKind::server_error));
    const ChangeResult result = fleet.change({});
    fleet.cloud().set_fault_hook(nullptr);
    EXPECT_EQ(result.outcome.exit_code, 3);
    EXPECT_THAT(all_problems(result), HasSubstr("CreateSecurityGroup"));
    EXPECT_TRUE(living(fleet, region).empty());
    EXPECT_EQ(living(fleet, fleet.regions()[2]).size(), 1U);
  });
}

TEST(Scenario, F10MakesOneMachineHoweverOftenItIsSetUpAndCleared) {
  tell(set_up_world(10), [](FleetWorld& fleet) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
      EXPECT_EQ(living(fleet).size(), 2U);
      EXPECT_EQ(clear(fleet).outcome.exit_code, 0);
      EXPECT_TRUE(living(fleet).empty());
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    }
    EXPECT_EQ(living(fleet).size(), 2U);  // beside those that are terminated and still shown
  });
}

TEST(Scenario, F11ASecondApplyChangesNothingUnderARunningJobEither) {
  tell(set_up_world(11), [](FleetWorld& fleet) {
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    ChangeResult second;
    const auto beside = fleet.world().executor().spawn("apply", [&](const std::stop_token& /*stop*/) {
      while (fleet.guest().jobs().empty()) {
        fleet.sleep(Seconds(1));
      }
      ChangePlan plan;
      plan.visit.controller = "second";
      second = fleet.change(plan);
    });
    const RoundResult round = fleet.round({});
    beside->join();
    EXPECT_EQ(round.outcome.exit_code, 0);
    EXPECT_EQ(second.outcome.exit_code, 0);
    EXPECT_EQ(second.end.changes, 0);
    EXPECT_TRUE(second.plan.empty());
  });
}

TEST(Scenario, F15WaitsForAnImageAsLongAsItTakesAndTakesNoPendingOneForReady) {
  ScenarioOptions options = set_up_world(15);
  options.copy_image = true;
  options.image_copy = minutes(25);
  tell(options, [](FleetWorld& fleet) {
    ChangePlan plan;
    plan.visit.interrupt_after = minutes(5);
    EXPECT_EQ(fleet.change(plan).outcome.exit_code, 130);
    const std::string region = fleet.regions()[1];
    EXPECT_EQ(count_of(fleet, "image", region), 1);
    EXPECT_TRUE(living(fleet, region).empty());
    const Monotonic begin = fleet.world().now();
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    EXPECT_GE(fleet.world().now() - begin, minutes(19));
    EXPECT_EQ(count_of(fleet, "image", region), 1);  // the same one
    EXPECT_EQ(living(fleet, region).size(), 1U);
  });
}

TEST(Scenario, F15ReplacesACopyThatFailedAndSaysSo) {
  ScenarioOptions options = set_up_world(16);
  options.copy_image = true;
  tell(options, [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[1];
    sim::RegionFaults faults;
    faults.copy_fails = 1;
    fleet.cloud().set_faults(region, faults);
    const auto mend = fleet.world().executor().spawn("mend", [&](const std::stop_token& /*stop*/) {
      fleet.sleep(Seconds(60));  // the first copy has begun, and its fate is sealed
      fleet.cloud().set_faults(region, {});
    });
    const ChangeResult result = fleet.change({});
    mend->join();
    EXPECT_EQ(result.outcome.exit_code, 0) << all_problems(result);
    EXPECT_THAT(all_notes(result), HasSubstr("failed"));
    EXPECT_EQ(count_of(fleet, "image", region), 1);
    EXPECT_EQ(living(fleet, region).size(), 1U);
  });
}

TEST(Scenario, F16ASnapshotWithoutAnImageIsToldAndHindersNothing) {
  ScenarioOptions options = set_up_world(17);
  options.copy_image = true;
  options.with_key = true;
  tell(options, [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[1];
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    drift_by_hand(fleet, region, Drift::image_deregistered);
    drift_by_hand(fleet, region, Drift::key_deleted);
    EXPECT_EQ(count_of(fleet, "snapshot", region), 1);
    EXPECT_THAT(all_leftovers(check(fleet).plan), HasSubstr("snap-"));
    fleet.sleep(minutes(3));  // EC2 holds an image's name for a while
    const ChangeResult result = fleet.change({});
    EXPECT_EQ(result.outcome.exit_code, 0) << all_problems(result);
    EXPECT_EQ(count_of(fleet, "key pair", region), 1);
    EXPECT_EQ(count_of(fleet, "image", region), 1);
  });
}

TEST(Scenario, F17ClearsImageAndSnapshotWithoutAMachineAndCheckTellsWhatIsLeftAndItsCost) {
  ScenarioOptions options = set_up_world(18);
  options.copy_image = true;
  tell(options, [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[1];
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    drift_by_hand(fleet, region, Drift::machine_terminated);
    const Json tags = Json::array({Json::object({{"Key", fleet::kFleetTag}, {"Value", "NAVO"}}),
                                   Json::object({{"Key", "Name"}, {"Value", "NAVO"}})});
    const Json volume = fleet.by_hand(
        region, "CreateVolume",
        Json::object(
            {{"AvailabilityZone", region + "a"},
             {"Size", 8},
             {"TagSpecifications", Json::array({Json::object({{"ResourceType", "volume"}, {"Tags", tags}})})}}));
    fleet.sleep(minutes(2));
    const ChangeResult checked = check(fleet);
    EXPECT_THAT(all_leftovers(checked.plan), HasSubstr(volume.text("VolumeId") + " costs"));
    EXPECT_EQ(checked.end.changes, 0);
    const ChangeResult cleared = clear(fleet);
    EXPECT_EQ(cleared.outcome.exit_code, 0) << all_problems(cleared);
    for (const std::string kind : {"image", "snapshot", "volume", "key pair", "security group"}) {
      EXPECT_EQ(count_of(fleet, kind, region), 0) << kind;
    }
    // The neighbour's snapshot, whose description names home's image, is watched by invariant 3.
  });
}

TEST(Scenario, F17CheckTellsTheCostOfAddressesAndOfSnapshotsWhoseImageWasDeregisteredAndClearTakesThem) {
  ScenarioOptions options = set_up_world(28);
  options.copy_image = true;
  tell(options, [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[1];
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    const Json tags = Json::array({Json::object({{"Key", fleet::kFleetTag}, {"Value", "NAVO"}})});
    const Json address = fleet.by_hand(
        region, "AllocateAddress",
        Json::object(
            {{"Domain", "vpc"},
             {"TagSpecifications", Json::array({Json::object({{"ResourceType", "elastic-ip"}, {"Tags", tags}})})}}));
    drift_by_hand(fleet, region, Drift::image_deregistered);
    fleet.sleep(minutes(3));
    const ChangeResult checked = check(fleet);
    EXPECT_THAT(all_leftovers(checked.plan), HasSubstr(address.text("AllocationId") + " costs"));
    EXPECT_THAT(all_leftovers(checked.plan), ::testing::ContainsRegex("snap-[0-9a-f]+ costs"));
    EXPECT_EQ(checked.end.changes, 0);
    const ChangeResult cleared = clear(fleet);
    EXPECT_EQ(cleared.outcome.exit_code, 0) << all_problems(cleared);
    EXPECT_EQ(count_of(fleet, "snapshot", region), 0);
    const Json left = fleet.by_hand(region, "DescribeAddresses", filtered("tag-key", fleet::kFleetTag));
    EXPECT_TRUE(left.list("Addresses").empty());
  });
}

TEST(Scenario, F18AGroupWithoutItsRulesIsRepaired) {
  ScenarioOptions options = set_up_world(19);
  options.like_home = true;
  tell(options, [](FleetWorld& fleet) {
    const std::string region = fleet.regions()[1];
    fleet.cloud().set_fault_hook(fail_operation(region, "AuthorizeSecurityGroupIngress", sim::FaultKind::server_error));
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 3);
    fleet.cloud().set_fault_hook(nullptr);
    EXPECT_TRUE(living(fleet, region).empty());
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    drift_by_hand(fleet, region, Drift::rule_added);  // SSH for the whole world
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    const Json groups = fleet.by_hand(region, "DescribeSecurityGroups", filtered("group-name", "NAVO"));
    const Json& group = groups.list("SecurityGroups").at(0);
    ASSERT_EQ(group.list("IpPermissions").size(), 1U);
    EXPECT_EQ(group.list("IpPermissions").at(0).integer("FromPort", 0), 443);
  });
}

TEST(Scenario, F19ADeniedOrFailedLookIsNoProofThatNothingIsThere) {
  ScenarioOptions options = set_up_world(20);
  options.copy_image = true;
  options.withdrawn.emplace();  // the controllers' user can be denied things
  tell(options, [](FleetWorld& fleet) {
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    for (const std::string action : {"ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeTags",
                                     "ec2:DescribeSecurityGroups", "ec2:Describe*"}) {
      withdraw_by_hand(fleet, {action});
      const ChangeResult denied = fleet.change({});
      EXPECT_NE(denied.outcome.exit_code, 0) << action;
      EXPECT_EQ(denied.end.changes, 0) << action;
      EXPECT_THAT(all_problems(denied), HasSubstr("ec2:Describe")) << action;
    }
    withdraw_by_hand(fleet, {});
    EXPECT_EQ(count_of(fleet, "image", fleet.regions()[1]), 1);
    EXPECT_EQ(living(fleet).size(), 2U);
  });
}

TEST(Scenario, F21HomesOriginalsAreNeverClearedAndANetworkThatIsDownIsNoSuccess) {
  ScenarioOptions options = set_up_world(21);
  options.copy_image = true;
  options.like_home = true;
  tell(options, [](FleetWorld& fleet) {
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    fleet.network().set_cut_off("controller", true);
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 1);
    EXPECT_EQ(clear(fleet).outcome.exit_code, 1);
    fleet.network().set_cut_off("controller", false);
    const ChangeResult cleared = clear(fleet);
    EXPECT_EQ(cleared.outcome.exit_code, 0) << all_problems(cleared);
    EXPECT_EQ(cleared.plan.regions.at(0).region, fleet.regions()[0]);
    EXPECT_FALSE(cleared.plan.regions.at(0).kept.empty());  // and says so; invariant 3 watches them
  });
}

TEST(Scenario, F22LaunchesInTheDefaultVpcWithItsGroupAndSaysWhereThereIsNone) {
  ScenarioOptions options = set_up_world(22, 3);
  options.without_default_vpc = {"us-east-1"};
  FleetWorld world(options, sim::default_strand_kind(), false);
  const Result<> outcome = world.run([](FleetWorld& fleet) {
    const ChangeResult result = fleet.change({});
    EXPECT_EQ(result.outcome.exit_code, 3);
    EXPECT_THAT(all_problems(result), HasSubstr("default VPC"));
    EXPECT_TRUE(living(fleet, "us-east-1").empty());
    EXPECT_EQ(count_of(fleet, "security group", "us-east-1"), 0);
    const Json machine = described(fleet, living(fleet, "sa-east-1").at(0));
    ASSERT_EQ(machine.list("SecurityGroups").size(), 1U);
    EXPECT_EQ(machine.list("SecurityGroups").at(0).text("GroupName"), "NAVO");
  });
  EXPECT_TRUE(outcome) << outcome.error().text();
}

// EC2 makes a default group with it, which is nobody's.
std::string vpc_by_hand(FleetWorld& fleet, const std::string& region) {
  const Json made = fleet.by_hand(region, "CreateVpc", Json::object({{"CidrBlock", "10.0.0.0/16"}}));
  std::string id = made.find("Vpc")->text("VpcId");
  const Json groups = fleet.by_hand(region, "DescribeSecurityGroups", filtered("vpc-id", id));
  const std::string group = groups.list("SecurityGroups").at(0).text("GroupId");
  fleet.resources().disown(group);
  const Json rules = fleet.by_hand(region, "DescribeSecurityGroupRules", filtered("group-id", group));
  for (const Json& rule : rules.list("SecurityGroupRules")) {
    fleet.resources().disown(rule.text("SecurityGroupRuleId"));
  }
  return id;
}

TEST(Scenario, F22LaunchesInTheConfiguredSubnetWithAGroupOfItsVpcAndMakesNothingForOneThatIsNotThere) {
  ScenarioOptions options = set_up_world(29);
  options.without_default_vpc = {"us-east-1"};
  FleetWorld world(options, sim::default_strand_kind(), false);
  const Result<> outcome = world.run([](FleetWorld& fleet) {
    const std::string region = "us-east-1";
    const std::string vpc_id = vpc_by_hand(fleet, region);
    const Json made =
        fleet.by_hand(region, "CreateSubnet", Json::object({{"VpcId", vpc_id}, {"CidrBlock", "10.0.1.0/24"}}));
    const std::string subnet_id = made.find("Subnet")->text("SubnetId");
    ChangePlan wrong;
    wrong.specify = [&](fleet::Spec& spec) { spec.subnets[region] = "subnet-0123456789abcdef0"; };
    const ChangeResult refused = fleet.change(wrong);
    EXPECT_EQ(refused.outcome.exit_code, 3);
    EXPECT_THAT(all_problems(refused), HasSubstr("subnet-0123456789abcdef0 that [fleet] subnets names does not exist"));
    EXPECT_EQ(count_of(fleet, "security group", region), 0);
    ChangePlan right;
    right.specify = [&](fleet::Spec& spec) { spec.subnets[region] = subnet_id; };
    const ChangeResult result = fleet.change(right);
    EXPECT_EQ(result.outcome.exit_code, 0) << all_problems(result);
    const Json machine = described(fleet, living(fleet, region).at(0));
    EXPECT_EQ(machine.text("SubnetId"), subnet_id);
    const Json groups = fleet.by_hand(region, "DescribeSecurityGroups", filtered("vpc-id", vpc_id));
    const Json& own = machine.list("SecurityGroups").at(0);
    EXPECT_EQ(own.text("GroupName"), "NAVO");
    EXPECT_THAT(groups.dump(), HasSubstr(own.text("GroupId")));
    const ChangeResult again = fleet.change(right);
    EXPECT_EQ(again.end.changes, 0);
    EXPECT_TRUE(again.plan.empty());
  });
  EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST(Scenario, F23TakesTheFirstTypeThatIsOfferedAndTheNextZoneAndTypeWithRoom) {
  ScenarioOptions options = set_up_world(23);
  options.region_names = {"us-west-2", "eu-north-1"};  // the second has no t2.micro
  options.capacity = {{"eu-north-1a/t3.micro", 0}};
  tell(options, [](FleetWorld& fleet) {
    ChangePlan plan;
    plan.specify = [](fleet::Spec& spec) { spec.instance_types = {"t2.micro", "t3.micro"}; };
    const ChangeResult result = fleet.change(plan);
    EXPECT_EQ(result.outcome.exit_code, 0) << all_problems(result);
    const Json machine = described(fleet, living(fleet, "eu-north-1").at(0));
    EXPECT_EQ(machine.text("InstanceType"), "t3.micro");
    EXPECT_EQ(machine.find("Placement")->text("AvailabilityZone"), "eu-north-1b");
    EXPECT_THAT(all_notes(result), HasSubstr("eu-north-1a"));
  });
}

TEST(Scenario, F23FallsThroughToTheNextTypeWhereNoZoneHasRoom) {
  ScenarioOptions options = set_up_world(24, 2);
  options.capacity = {{"us-east-1a/t3.micro", 0}, {"us-east-1b/t3.micro", 0}, {"us-east-1c/t3.micro", 0},
                      {"us-east-1d/t3.micro", 0}, {"us-east-1e/t3.micro", 0}, {"us-east-1f/t3.micro", 0}};
  options.without_default_vpc = {};
  FleetWorld world(options, sim::default_strand_kind(), false);
  const Result<> outcome = world.run([](FleetWorld& fleet) {
    const ChangeResult result = fleet.change({});
    EXPECT_EQ(result.outcome.exit_code, 0) << all_problems(result);
    const Json machine = described(fleet, living(fleet, "us-east-1").at(0));
    EXPECT_EQ(machine.text("InstanceType"), "t2.micro");
    EXPECT_THAT(all_notes(result), HasSubstr("t3.micro"));
  });
  EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST(Scenario, F24OpensNoPortRequiresImdsV2EncryptsVolumesAndBringsNoKeyOfItsOwn) {
  tell(set_up_world(25), [](FleetWorld& fleet) {
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    const std::string region = fleet.regions()[1];
    const Json groups = fleet.by_hand(region, "DescribeSecurityGroups", filtered("group-name", "NAVO"));
    EXPECT_TRUE(groups.list("SecurityGroups").at(0).list("IpPermissions").empty());
    const sim::InstanceView view = living(fleet, region).at(0);
    const Json machine = described(fleet, view);
    EXPECT_EQ(machine.find("MetadataOptions")->text("HttpTokens"), "required");
    EXPECT_EQ(machine.text("KeyName"), "");
    EXPECT_EQ(count_of(fleet, "key pair", region), 0);
    const Json volumes = fleet.by_hand(region, "DescribeVolumes", filtered("attachment.instance-id", view.instance_id));
    ASSERT_EQ(volumes.list("Volumes").size(), 1U);
    EXPECT_TRUE(volumes.list("Volumes").at(0).boolean("Encrypted", false));
  });
}

TEST(Scenario, AMachineWhoseControllerDiesBeforeTheFirstOrderIsEndedByItsBootTimer) {
  tell(set_up_world(27, 1), [](FleetWorld& fleet) {
    EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    const std::vector<sim::InstanceView> ours = living(fleet);
    fleet.by_hand(ours[0].region, "StartInstances",
                  Json::object({{"InstanceIds", Json::array({ours[0].instance_id})}}));
    fleet.sleep(minutes(2));
    EXPECT_TRUE(all_in_state(fleet, "running"));
    fleet.sleep(fleet.spec().boot_timer);
    EXPECT_TRUE(all_in_state(fleet, "stopped"));
  });
}

TEST(Scenario, TwoSetUpsAtOnceMakeOneMachineARegion) {
  for (std::uint64_t seed = 600; seed < 606; ++seed) {
    ScenarioOptions options = set_up_world(seed);
    options.own_profile = seed % 2 == 0;
    options.machines = seed % 3 == 0 ? 2 : 1;
    tell(options, [&](FleetWorld& fleet) {
      const auto beside = fleet.world().executor().spawn("second", [&](const std::stop_token& /*stop*/) {
        fleet.sleep(Micros(static_cast<std::int64_t>(fleet.world().rng("test").below(20'000'000))));
        ChangePlan plan;
        plan.visit.controller = "second";
        const ChangeResult other = fleet.change(plan);
        EXPECT_EQ(other.outcome.exit_code, 0) << all_problems(other);
      });
      const ChangeResult one = fleet.change({});
      EXPECT_EQ(one.outcome.exit_code, 0) << seed << all_problems(one);
      beside->join();
      EXPECT_EQ(living(fleet).size(), 2U * static_cast<std::size_t>(options.machines));
    });
  }
}

// Kills the controller of that change at each of its steps, one world a step. Odd ones are started again at once.
// Every 23rd step, which takes seconds; with PARALLAX_EVERY_STEP in the environment every one, which takes minutes.
void kill_at_each_step(const ScenarioOptions& options, Change change) {
  const std::uint64_t stride = std::getenv("PARALLAX_EVERY_STEP") != nullptr ? 1 : kSlowdown == 1 ? 23 : 197;
  const auto before = [&](FleetWorld& fleet) {
    if (change == Change::clear) {
      EXPECT_EQ(fleet.change({}).outcome.exit_code, 0);
    }
  };
  std::uint64_t points = 0;
  ChangePlan plan;
  plan.change = change;
  tell(options, [&](FleetWorld& fleet) {
    before(fleet);
    points = fleet.change(plan).end.points;
  });
  ASSERT_GT(points, 50U);
  ::testing::Test::RecordProperty("points", static_cast<int>(points));
  for (std::uint64_t point = 1; point <= points && !::testing::Test::HasFailure(); point += stride) {
    tell(options, [&](FleetWorld& fleet) {
      before(fleet);
      plan.visit.kill_at = point;
      EXPECT_TRUE(fleet.change(plan).end.died) << point;
      if (point % 2 == 1) {
        plan.visit.kill_at = 0;
        const ChangeResult again = fleet.change(plan);
        EXPECT_EQ(again.outcome.exit_code, 0) << all_problems(again);
      } else {
        fleet.wait_for_timers();
        for (const sim::InstanceView& view : living(fleet)) {
          EXPECT_EQ(view.state, "stopped");
        }
      }
    });
    EXPECT_FALSE(::testing::Test::HasFailure()) << "killed at point " << point << " of " << points;
  }
}

ScenarioOptions everything(std::uint64_t seed) {
  ScenarioOptions options = set_up_world(seed);
  options.own_profile = true;
  options.with_key = true;
  options.scheduler = true;
  return options;
}

TEST(Scenario, ASetUpKilledAtAnyStepLeavesNothingRunningAndNothingUntagged) {
  kill_at_each_step(everything(700), Change::apply);
}

TEST(Scenario, ASetUpThatCopiesAnImageKilledAtAnyStepLeavesNothingRunningAndNothingUntagged) {
  ScenarioOptions options = everything(701);
  options.copy_image = true;
  options.like_home = true;
  options.image_copy = Seconds(60);
  kill_at_each_step(options, Change::apply);
}

TEST(Scenario, AClearKilledAtAnyStepCanBeRepeated) {
  ScenarioOptions options = everything(702);
  options.copy_image = true;
  options.image_copy = Seconds(60);
  kill_at_each_step(options, Change::clear);
}

}  // namespace
}  // namespace parallax::scenario
