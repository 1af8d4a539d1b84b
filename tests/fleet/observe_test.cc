#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fleet/lease.h"
#include "fleet/observed.h"
#include "tests/fleet/fleet_fixture.h"

namespace parallax::fleet {
namespace {

using testing::FleetFixture;
using testing::FleetSetup;
using testing::Key;

const std::vector<std::string> kRegions = {"us-west-2", "eu-west-3"};
constexpr const char* kFar = "eu-west-3";

Spec spec_of_copies() {
  Spec spec;
  spec.fleet = "NAVO";
  spec.profile.name = fleet::our_profile(spec.fleet);
  spec.home = "us-west-2";
  spec.regions = kRegions;
  spec.instance_types = {"t3.micro", "t2.micro"};
  spec.image = {ImageSpec::Kind::copy, "NAVO"};
  spec.group.name = "NAVO";
  return spec;
}

FleetSetup world_of(sim::WorldKind kind) {
  FleetSetup setup;
  setup.cloud.world = kind;
  setup.cloud.regions = kRegions;
  setup.cloud.timings.pending = {Seconds(5), Seconds(5)};
  return setup;
}

ObserveOptions both() {
  ObserveOptions options;
  options.regions = kRegions;
  return options;
}

Json tag_list(const Tags& tags) {
  JsonArray list;
  for (const auto& [key, value] : tags) {
    list.push_back(Json::object({{"Key", key}, {"Value", value}}));
  }
  return Json(std::move(list));
}

Json tag_specification(const std::string& type, const Tags& tags) {
  return Json::array({Json::object({{"ResourceType", type}, {"Tags", tag_list(tags)}})});
}

Json filters(const std::string& name, const std::string& value) {
  return Json::object({{"Filters", Json::array({Json::object({{"Name", name}, {"Values", Json::array({value})}})})}});
}

const Tags kOurs = {{"Name", "NAVO"}, {kFleetTag, "NAVO"}};

std::string text_of(const std::optional<Error>& error) {
  return error ? error->text() : "";
}

TEST(Observe, SeesAHealthyFleetWithFourCallsARegion) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const Spec spec = spec_of_copies();
    const Observed seen = observe(deps, spec, both(), {});
    EXPECT_EQ(text_of(seen.problem), "");
    EXPECT_EQ(seen.account, sim::kSimulatedAccount);
    EXPECT_EQ(seen.partition, "aws");
    ASSERT_EQ(seen.regions.size(), 2U);
    const RegionSeen& far = seen.regions[1];
    EXPECT_EQ(far.region, kFar);
    EXPECT_EQ(text_of(far.problem), "");
    EXPECT_EQ(far.calls, 4);
    EXPECT_EQ(fleet.count_region(kFar), 4) << fleet.call_list();
    EXPECT_EQ(fleet.count_changes(), 0) << fleet.call_list();
    ASSERT_EQ(far.machines.size(), 1U);
    const MachineSeen& machine = far.machines[0];
    EXPECT_EQ(machine.instance.state, InstanceState::stopped);
    EXPECT_EQ(machine.profile, "parallax-NAVO");
    EXPECT_EQ(machine.key_name, "NAVO");
    EXPECT_TRUE(machine.imds_v2_required);
    EXPECT_EQ(machine.volumes.size(), 1U);
    EXPECT_EQ(machine.gib, 8);
    EXPECT_EQ(machine.volume_type, "gp3");
    ASSERT_EQ(far.images.size(), 1U);
    EXPECT_EQ(far.images[0].state, "available");
    EXPECT_EQ(machine.image, far.images[0].id);
    ASSERT_EQ(far.snapshots.size(), 1U);
    EXPECT_EQ(far.snapshots[0].id, far.images[0].snapshots.at(0));
    EXPECT_EQ(far.snapshots[0].gib, 8);
    EXPECT_TRUE(is_ours(far.snapshots[0].tags, "NAVO"));
    ASSERT_EQ(far.groups.size(), 1U);
    EXPECT_EQ(machine.groups, std::vector<std::string>{far.groups[0].id});
    EXPECT_TRUE(far.volumes.empty()) << "that of the machine is no leftover";
    EXPECT_FALSE(far.places.has_value()) << "nothing has to be made";
    ASSERT_TRUE(seen.home_image.has_value());
    EXPECT_EQ(seen.home_image->id, seen.regions[0].images.at(0).id);
    ASSERT_TRUE(seen.profile.has_value()) << text_of(seen.profile_problem);
    EXPECT_TRUE(seen.profile->role_in_profile);
  });
}

TEST(Observe, AsksIamForNothingInACheckOfWhatIsThere) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    ObserveOptions options = both();
    options.for_check = true;
    const Observed seen = observe(deps, spec_of_copies(), options, {});
    EXPECT_FALSE(seen.profile.has_value());
    EXPECT_EQ(fleet.count_region(kFar), 4) << fleet.call_list();
    EXPECT_EQ(fleet.count("GetInstanceProfile"), 0);
  });
}

TEST(Observe, TakesFourCallsForAFleetOfAmazonsImagesAndSizesItsMachinesByTheirVolumes) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = spec_of_copies();
    spec.image = {};
    ObserveOptions options = both();
    options.for_check = true;
    const Observed seen = observe(deps, spec, options, {});
    const RegionSeen& far = seen.regions[1];
    EXPECT_EQ(far.machines.at(0).gib, 8);
    EXPECT_EQ(far.images.size(), 1U) << "the copy of before has our tag and costs";
    // The image with our tag and the volumes take a call each; without such a leftover there are four.
    EXPECT_EQ(fleet.count_region(kFar), 5) << fleet.call_list();
    const std::string image = far.images.at(0).id;
    const std::string snapshot = far.snapshots.at(0).id;
    fleet.by_hand(kFar, "DeleteTags", Json::object({{"Resources", Json::array({image, snapshot})}}));
    fleet.forget_calls();
    const Observed again = observe(deps, spec, options, {});
    EXPECT_EQ(again.regions[1].calls, 4);
    EXPECT_EQ(fleet.count_region(kFar), 4) << fleet.call_list();
  });
}

TEST(Observe, SeesInAnEmptyRegionWhereMachinesCanBeMade) {
  FleetFixture fleet(world_of(sim::WorldKind::empty));
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = spec_of_copies();
    spec.image = {};
    const Observed seen = observe(deps, spec, both(), {});
    const RegionSeen& far = seen.regions[1];
    EXPECT_EQ(text_of(far.problem), "");
    EXPECT_TRUE(far.machines.empty());
    EXPECT_TRUE(far.groups.empty()) << "the default group is nobody's";
    ASSERT_TRUE(far.places.has_value());
    EXPECT_EQ(far.places->vpc_problem, "");
    EXPECT_TRUE(far.places->vpc.starts_with("vpc-"));
    EXPECT_EQ(far.places->types_problem, "");
    EXPECT_FALSE(far.places->zones_of.at("t3.micro").empty());
    EXPECT_EQ(far.places->stock_problem, "");
    ASSERT_TRUE(far.places->stock.has_value());
    EXPECT_EQ(far.places->stock->id, far.places->stock_image);
    EXPECT_EQ(far.places->stock->architecture, "x86_64");
    Spec arm = spec;
    arm.instance_types = {"t4g.micro"};
    const Observed seen_for_arm = observe(deps, arm, both(), {});
    ASSERT_TRUE(seen_for_arm.regions[1].places && seen_for_arm.regions[1].places->stock);
    EXPECT_EQ(seen_for_arm.regions[1].places->stock->architecture, "arm64");
    EXPECT_FALSE(far.places->stock->root_device.empty());
    EXPECT_GT(far.places->stock->gib, 0);
    EXPECT_LE(far.calls, 9) << fleet.call_list();
    ASSERT_TRUE(seen.profile.has_value()) << text_of(seen.profile_problem);
    EXPECT_FALSE(seen.profile->profile_exists);
    EXPECT_FALSE(seen.profile->role_exists);
  });
}

TEST(Observe, SaysThatThereIsNoDefaultVpcAndTakesTheConfiguredSubnet) {
  FleetSetup setup = world_of(sim::WorldKind::empty);
  setup.cloud.without_default_vpc = {kFar};
  FleetFixture fleet(setup);
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = spec_of_copies();
    const Observed without = observe(deps, spec, both(), {});
    EXPECT_NE(without.regions[1].places.value().vpc_problem.find("no default VPC"), std::string::npos);

    const Json vpc = fleet.by_hand(kFar, "CreateVpc", Json::object({{"CidrBlock", "10.0.0.0/16"}}));
    const std::string vpc_id = vpc.find("Vpc")->text("VpcId");
    const Json subnet = fleet.by_hand(
        kFar, "CreateSubnet",
        Json::object({{"VpcId", vpc_id}, {"CidrBlock", "10.0.1.0/24"}, {"AvailabilityZone", "eu-west-3b"}}));
    spec.subnets[kFar] = subnet.find("Subnet")->text("SubnetId");
    const Observed with = observe(deps, spec, both(), {});
    EXPECT_EQ(with.regions[1].places.value().vpc_problem, "");
    EXPECT_EQ(with.regions[1].places->vpc, vpc_id);
    EXPECT_EQ(with.regions[1].places->zones_of.at("t3.micro"), std::set<std::string>{"eu-west-3b"});

    spec.subnets[kFar] = "subnet-0123456789abcdef0";
    const Observed wrong = observe(deps, spec, both(), {});
    EXPECT_NE(wrong.regions[1].places.value().vpc_problem.find("does not exist"), std::string::npos);
  });
}

TEST(Observe, SeesWhatBearsTheNameAndNoFleetsTag) {
  FleetFixture fleet(world_of(sim::WorldKind::reference));
  fleet.run([&](const FleetDeps& deps) {
    for (const bool by_name : {false, true}) {
      ObserveOptions options = both();
      options.by_name = by_name;
      Spec spec = spec_of_copies();
      spec.key = KeySpec{"NAVO", "ed25519", "ssh-ed25519 AAAA", "SHA256:other"};
      const Observed seen = observe(deps, spec, options, {});
      const RegionSeen& far = seen.regions[1];
      ASSERT_EQ(text_of(far.problem), "");
      ASSERT_EQ(far.machines.size(), 1U);
      EXPECT_FALSE(is_ours(far.machines[0].instance.tags, "NAVO"));
      ASSERT_EQ(far.images.size(), 1U);
      EXPECT_FALSE(is_ours(far.images[0].tags, "NAVO"));
      EXPECT_EQ(far.snapshots.size(), 1U);
      ASSERT_EQ(far.groups.size(), 1U);
      ASSERT_EQ(far.keys.size(), 1U);
      EXPECT_TRUE(far.keys[0].public_key.starts_with("ssh-ed25519 ")) << far.keys[0].public_key;
      EXPECT_EQ(far.places.has_value(), !by_name);
    }
  });
}

TEST(Observe, LeavesAnotherFleetsThingsOfTheSameNameAlone) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const Json all = fleet.by_hand(kFar, "DescribeTags", filters("key", "Name"));
    for (const Json& tag : all.list("Tags")) {
      fleet.by_hand(kFar, "CreateTags",
                    Json::object({{"Resources", Json::array({tag.text("ResourceId")})},
                                  {"Tags", tag_list({{kFleetTag, "OTHER"}})}}));
    }
    ObserveOptions options = both();
    options.by_name = true;
    const RegionSeen far = observe(deps, spec_of_copies(), options, {}).regions[1];
    EXPECT_TRUE(far.machines.empty());
    EXPECT_TRUE(far.images.empty());
    EXPECT_TRUE(far.groups.empty());
    EXPECT_TRUE(far.keys.empty());
    EXPECT_TRUE(far.volumes.empty());
    EXPECT_TRUE(far.snapshots.empty());
  });
}

TEST(Observe, ReadsEveryPageOfManyMachines) {
  FleetSetup setup = world_of(sim::WorldKind::adopted);
  setup.cloud.instances_per_region = 1150;
  setup.cloud.regions = {kFar};
  FleetFixture fleet(setup);
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = spec_of_copies();
    spec.instances_per_region = 1150;
    ObserveOptions options;
    options.regions = {kFar};
    options.for_check = true;
    const Observed seen = observe(deps, spec, options, {});
    EXPECT_EQ(seen.regions[0].machines.size(), 1150U);
    EXPECT_TRUE(seen.regions[0].volumes.empty());
    EXPECT_EQ(fleet.count("DescribeInstances"), 3) << "500 a page";
    EXPECT_EQ(seen.regions[0].calls, static_cast<int>(fleet.count("DescribeTags")) + 5) << fleet.call_list();
  });
}

TEST(Observe, TellsADeniedCallAsTheRegionsProblemAndNotAsAbsence) {
  FleetSetup setup = world_of(sim::WorldKind::adopted);
  setup.key = Key::limited;
  setup.cloud.policy = R"({"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": ["ec2:DescribeTags", "ec2:DescribeInstances", "ec2:DescribeSecurityGroups"],
       "Resource": "*"}]})";
  FleetFixture fleet(setup);
  fleet.run([&](const FleetDeps& deps) {
    const Observed seen = observe(deps, spec_of_copies(), both(), {});
    EXPECT_EQ(text_of(seen.problem), "") << "everybody may ask who he is";
    for (const RegionSeen& region : seen.regions) {
      ASSERT_TRUE(region.problem.has_value());
      EXPECT_EQ(region.problem->kind, ErrorKind::denied);
      EXPECT_NE(region.problem->text().find("DescribeImages"), std::string::npos) << region.problem->text();
      EXPECT_TRUE(region.machines.empty()) << "half of a region is no basis for a plan";
    }
    ASSERT_TRUE(seen.profile_problem.has_value());
    EXPECT_EQ(seen.profile_problem->kind, ErrorKind::denied);
    EXPECT_FALSE(seen.profile.has_value());
    EXPECT_EQ(seen.home_problem.value().kind, ErrorKind::denied);
  });
}

TEST(Observe, KeepsOneRegionsTroubleFromTheOthersAndAsksAgainWhileThrottled) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  int refusals = 0;
  fleet.set_hook([&](const sim::Call& call) {
    const bool strikes = call.region == kFar && call.operation == "DescribeImages" && ++refusals <= 12;
    return sim::Fault{strikes ? sim::FaultKind::throttle : sim::FaultKind::none, Micros(0)};
  });
  fleet.play([&] {
    fleet.control([&](const FleetDeps& deps) {
      std::vector<std::string> told;
      const Observed seen =
          observe(deps, spec_of_copies(), both(), {},
                  [&](const std::string& region, const std::string& text) { told.push_back(region + ": " + text); });
      EXPECT_EQ(text_of(seen.regions[0].problem), "");
      EXPECT_EQ(text_of(seen.regions[1].problem), "");
      EXPECT_EQ(seen.regions[1].images.size(), 1U);
      ASSERT_FALSE(told.empty());
      EXPECT_NE(told[0].find("asks us to slow down"), std::string::npos) << told[0];
    });
    fleet.set_hook(FleetFixture::throttle(kFar, "DescribeSecurityGroups"));
    fleet.control([&](const FleetDeps& deps) {
      ObserveOptions options = both();
      options.timeout = Seconds(30);
      const Instant before = deps.clock.now();
      const Observed seen = observe(deps, spec_of_copies(), options, {});
      EXPECT_LE(deps.clock.now() - before, Seconds(31));
      EXPECT_EQ(text_of(seen.regions[0].problem), "");
      ASSERT_TRUE(seen.regions[1].problem.has_value());
      EXPECT_EQ(seen.regions[1].problem->kind, ErrorKind::throttled);
    });
  });
}

TEST(Observe, DoesNotTakeTerminatedMachinesForMachines) {
  FleetFixture fleet(world_of(sim::WorldKind::reference));
  fleet.run([&](const FleetDeps& deps) {
    const std::string id = fleet.machines(kFar).at(0).instance_id;
    fleet.by_hand(kFar, "TerminateInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fleet.sleep(Seconds(120));
    ASSERT_EQ(fleet.machines(kFar).at(0).state, "terminated") << "still shown";
    ObserveOptions options = both();
    options.by_name = true;
    EXPECT_TRUE(observe(deps, spec_of_copies(), options, {}).regions[1].machines.empty());
  });
}

TEST(Observe, FindsWhatIsLeftOfAFleet) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    Json volume = Json::object({{"AvailabilityZone", "eu-west-3a"},
                                {"Size", 20},
                                {"VolumeType", "gp3"},
                                {"TagSpecifications", tag_specification("volume", kOurs)}});
    const std::string volume_id = fleet.by_hand(kFar, "CreateVolume", volume).text("VolumeId");
    Json snapshot =
        Json::object({{"VolumeId", volume_id}, {"TagSpecifications", tag_specification("snapshot", kOurs)}});
    const std::string snapshot_id = fleet.by_hand(kFar, "CreateSnapshot", snapshot).text("SnapshotId");
    Json address = Json::object({{"Domain", "vpc"}, {"TagSpecifications", tag_specification("elastic-ip", kOurs)}});
    const std::string allocation = fleet.by_hand(kFar, "AllocateAddress", address).text("AllocationId");
    fleet.sleep(Seconds(600));
    const RegionSeen far = observe(deps, spec_of_copies(), both(), {}).regions[1];
    ASSERT_EQ(far.volumes.size(), 1U);
    EXPECT_EQ(far.volumes[0].id, volume_id);
    EXPECT_EQ(far.volumes[0].gib, 20);
    EXPECT_EQ(far.volumes[0].attached_to, "");
    const auto found = std::find_if(far.snapshots.begin(), far.snapshots.end(),
                                    [&](const SnapshotSeen& seen) { return seen.id == snapshot_id; });
    ASSERT_NE(found, far.snapshots.end());
    EXPECT_EQ(found->gib, 20);
    EXPECT_EQ(found->state, "completed");
    ASSERT_EQ(far.addresses.size(), 1U);
    EXPECT_EQ(far.addresses[0].allocation_id, allocation);
    EXPECT_EQ(far.calls, 7) << fleet.call_list();
  });
}

TEST(Observe, ReadsRulesOfAGroupOneForEachPeer) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const std::string group = observe(deps, spec_of_copies(), both(), {}).regions[1].groups.at(0).id;
    const Json range = [](const char* member, const char* cidr) {
      return Json::array({Json::object({{member, cidr}, {"Description", "why"}})});
    }("CidrIp", "203.0.113.0/24");
    const Json permission = Json::object({{"IpProtocol", "tcp"},
                                          {"FromPort", 22},
                                          {"ToPort", 22},
                                          {"IpRanges", range},
                                          {"UserIdGroupPairs", Json::array({Json::object({{"GroupId", group}})})}});
    fleet.by_hand(kFar, "AuthorizeSecurityGroupIngress",
                  Json::object({{"GroupId", group}, {"IpPermissions", Json::array({permission})}}));
    const GroupSeen seen = observe(deps, spec_of_copies(), both(), {}).regions[1].groups.at(0);
    std::vector<std::string> texts;
    for (const Rule& rule : seen.rules) {
      texts.push_back(to_text(rule));
    }
    EXPECT_EQ(texts, (std::vector<std::string>{"in tcp 22 from 203.0.113.0/24", "in tcp 22 from " + group,
                                               "out all to 0.0.0.0/0"}));
  });
}

TEST(Observe, KnowsAKeyPairByItsTagAndAsksForItWhereTheTagDiffers) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = spec_of_copies();
    spec.key = KeySpec{"NAVO", "ed25519", "ssh-ed25519 AAAA", "SHA256:digest"};
    const RegionSeen unknown = observe(deps, spec, both(), {}).regions[1];
    EXPECT_EQ(unknown.calls, 5) << fleet.call_list();
    ASSERT_EQ(unknown.keys.size(), 1U);
    EXPECT_NE(unknown.keys[0].public_key, "");
    fleet.by_hand(kFar, "CreateTags",
                  Json::object({{"Resources", Json::array({unknown.keys[0].id})},
                                {"Tags", tag_list({{kPublicKeyTag, "SHA256:digest"}})}}));
    const RegionSeen known = observe(deps, spec, both(), {}).regions[1];
    EXPECT_EQ(known.calls, 4);
    ASSERT_EQ(known.keys.size(), 1U);
    EXPECT_EQ(known.keys[0].id, unknown.keys[0].id);
    EXPECT_EQ(known.keys[0].name, "NAVO");
    EXPECT_EQ(known.keys[0].tags.at(kPublicKeyTag), "SHA256:digest");
  });
}

TEST(Observe, TakesTheNewestAvailableImageOfHomeAndSaysThatThereAreSeveral) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    ObserveOptions far_alone;
    far_alone.regions = {kFar};
    const Spec spec = spec_of_copies();
    const Observed one = observe(deps, spec, far_alone, {});
    EXPECT_EQ(one.regions.size(), 1U);
    ASSERT_TRUE(one.home_image.has_value()) << "home is looked at also where it is not asked for";
    EXPECT_EQ(one.home_note, "");
    const std::string machine = fleet.machines("us-west-2").at(0).instance_id;
    // An account cannot have two images of one name by itself; a pending one under way can take the name over.
    fleet.by_hand("us-west-2", "DeregisterImage", Json::object({{"ImageId", one.home_image->id}}));
    fleet.sleep(Seconds(600));
    fleet.by_hand("us-west-2", "CreateImage", Json::object({{"InstanceId", machine}, {"Name", "NAVO"}}));
    const Observed pending = observe(deps, spec, far_alone, {});
    ASSERT_TRUE(pending.home_image.has_value());
    EXPECT_EQ(pending.home_image->state, "pending");
    EXPECT_NE(pending.home_image->id, one.home_image->id);
  });
}

TEST(Observe, SeesThePingsOfRunningMachinesInACheck) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const std::string id = fleet.machines(kFar).at(0).instance_id;
    fleet.by_hand(kFar, "StartInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fleet.sleep(Seconds(300));
    ObserveOptions options = both();
    options.for_check = true;
    const Observed seen = observe(deps, spec_of_copies(), options, {});
    EXPECT_TRUE(seen.regions[1].pings.contains(id));
    EXPECT_TRUE(seen.regions[0].pings.empty());
    EXPECT_EQ(fleet.count("DescribeInstanceInformation"), 1);
  });
}

TEST(Observe, TellsARegionThatIsNotEnabledAsItsProblem) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    ObserveOptions options;
    options.regions = {kFar, "af-south-1"};
    const Observed seen = observe(deps, spec_of_copies(), options, {});
    EXPECT_EQ(text_of(seen.regions[0].problem), "");
    ASSERT_TRUE(seen.regions[1].problem.has_value());
    EXPECT_EQ(seen.regions[1].problem->code, "region-disabled");
  });
}

TEST(Observe, SeesOurMachinesSchedulesAndNobodyElses) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const std::string id = fleet.machines(kFar).at(0).instance_id;
    const std::string trust = R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}]})";
    fleet.by_hand("us-east-1", "CreateRole",
                  Json::object({{"RoleName", fleet::scheduler_role("NAVO")}, {"AssumeRolePolicyDocument", trust}}),
                  "iam");
    for (const std::string& instance : {id, std::string("i-0123456789abcdef0")}) {
      const Json target = Json::object(
          {{"Arn", "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"},
           {"RoleArn", fmt::format("arn:aws:iam::{}:role/parallax.scheduler-NAVO", sim::kSimulatedAccount)},
           {"Input", fmt::format(R"({{"InstanceIds":["{}"]}})", instance)}});
      fleet.by_hand(kFar, "CreateSchedule",
                    Json::object({{"Name", schedule_name(instance)},
                                  {"ScheduleExpression", schedule_expression()},
                                  {"FlexibleTimeWindow", Json::object({{"Mode", "OFF"}})},
                                  {"Target", target}}),
                    "scheduler");
    }
    Spec spec = spec_of_copies();
    spec.deadman = Deadman::guest_and_scheduler;
    const Observed seen = observe(deps, spec, both(), {});
    ASSERT_EQ(text_of(seen.regions[1].problem), "");
    ASSERT_EQ(seen.regions[1].schedules.size(), 1U);
    EXPECT_EQ(seen.regions[1].schedules[0].instance_id, id);
    EXPECT_EQ(seen.regions[1].schedules[0].state, "ENABLED");
    ASSERT_TRUE(seen.scheduler_role.has_value());
    EXPECT_TRUE(seen.scheduler_role->role_exists);
    EXPECT_EQ(seen.scheduler_role->trust, trust);
    EXPECT_TRUE(observe(deps, spec_of_copies(), both(), {}).regions[1].schedules.empty());
  });
}

TEST(Observe, CountsSnapshotsThatWereMadeForAnImageAsItsOwn) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const RegionSeen before = observe(deps, spec_of_copies(), both(), {}).regions[1];
    const std::string image = before.images.at(0).id;
    const auto snapshot = [&](const std::string& text) {
      return fleet
          .by_hand(kFar, "CreateSnapshot",
                   Json::object({{"VolumeId", before.machines.at(0).volumes.at(0)},
                                 {"Description", text},
                                 {"TagSpecifications", tag_specification("snapshot", kOurs)}}))
          .text("SnapshotId");
    };
    // A copy on its way may have none in its block devices yet.
    const std::string of_it = snapshot("Copied for DestinationAmi " + image + " from SourceAmi ami-0 for snap-0.");
    snapshot("Copied for DestinationAmi " + image + "0 from SourceAmi " + image + " for snap-0.");
    fleet.sleep(Seconds(600));
    const RegionSeen far = observe(deps, spec_of_copies(), both(), {}).regions[1];
    ASSERT_EQ(text_of(far.problem), "");
    ASSERT_EQ(far.images.size(), 1U);
    EXPECT_EQ(far.images[0].snapshots, (std::vector<std::string>{before.snapshots.at(0).id, of_it}));
    EXPECT_EQ(far.snapshots.size(), 3U);
  });
}

TEST(Observe, SeesForClearWhatMayHaveToBeDeletedAndNothingOfWhatIsNeededToMakeThings) {
  FleetSetup setup = world_of(sim::WorldKind::adopted);
  setup.cloud.without_default_vpc = {kFar};
  FleetFixture fleet(setup);
  fleet.run([&](const FleetDeps& deps) {
    const std::string id = fleet.machines(kFar).at(0).instance_id;
    fleet.by_hand(kFar, "TerminateInstances", Json::object({{"InstanceIds", Json::array({id})}}));
    fleet.sleep(Seconds(120));
    ObserveOptions options;
    options.regions = {kFar};
    options.for_clear = true;
    const Observed seen = observe(deps, spec_of_copies(), options, {});
    const RegionSeen& far = seen.regions[0];
    ASSERT_EQ(text_of(far.problem), "");
    EXPECT_TRUE(far.machines.empty());
    EXPECT_EQ(far.images.size(), 1U);
    EXPECT_EQ(far.snapshots.size(), 1U);
    EXPECT_EQ(far.groups.size(), 1U);
    ASSERT_EQ(far.keys.size(), 1U) << "also where the specification names none";
    EXPECT_EQ(far.keys[0].name, "NAVO");
    EXPECT_FALSE(far.places.has_value());
    EXPECT_EQ(fleet.count_region("us-west-2"), 1) << "home is asked who we are, and nothing else";
    EXPECT_TRUE(seen.profile.has_value());
    ASSERT_TRUE(seen.scheduler_role.has_value());
    EXPECT_FALSE(seen.scheduler_role->role_exists);
  });
}

TEST(Observe, EndsSoonWhenItIsToStop) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.set_hook(FleetFixture::throttle("", ""));
  fleet.run([&](const FleetDeps& deps) {
    std::stop_source stop;
    const auto stopper = deps.executor.spawn("stopper", [&](const std::stop_token& /*own*/) {
      deps.clock.sleep_for(Seconds(10), {});
      stop.request_stop();
    });
    const Instant began = deps.clock.now();
    const Observed seen = observe(deps, spec_of_copies(), both(), stop.get_token());
    EXPECT_LE(deps.clock.now() - began, Seconds(12));
    EXPECT_TRUE(seen.problem.has_value());
    EXPECT_TRUE(seen.regions[0].problem.has_value());
    EXPECT_TRUE(seen.regions[1].problem.has_value());
  });
}

TEST(Observe, TakesAnExistingProfileAsItIs) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    Spec spec = spec_of_copies();
    spec.profile = {fleet::our_profile("NAVO"), false};
    const Observed seen = observe(deps, spec, both(), {});
    ASSERT_TRUE(seen.profile.has_value()) << text_of(seen.profile_problem);
    EXPECT_TRUE(seen.profile->profile_exists);
    EXPECT_TRUE(seen.profile->role_in_profile);
    EXPECT_EQ(fleet.count("GetRole"), 0) << "its role is none of our business";
    spec.profile = {"nobody", false};
    EXPECT_FALSE(observe(deps, spec, both(), {}).profile.value().profile_exists);
  });
}

TEST(Observe, ReadsTheRolesPoliciesDecoded) {
  FleetFixture fleet(world_of(sim::WorldKind::adopted));
  fleet.run([&](const FleetDeps& deps) {
    const std::string document = R"({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ssm:UpdateInstanceInformation", "Resource": "*"}]})";
    fleet.by_hand("us-east-1", "PutRolePolicy",
                  Json::object({{"RoleName", "parallax-NAVO"}, {"PolicyName", "more"}, {"PolicyDocument", document}}),
                  "iam");
    const Observed seen = observe(deps, spec_of_copies(), both(), {});
    ASSERT_TRUE(seen.profile.has_value()) << text_of(seen.profile_problem);
    EXPECT_EQ(seen.profile->inline_policies.at("more"), document);
    EXPECT_NE(seen.profile->trust.find("\"sts:AssumeRole\""), std::string::npos) << seen.profile->trust;
    EXPECT_EQ(seen.profile->attached_policies.size(), 1U);
    EXPECT_NE(seen.profile->arn.find(":role/parallax-NAVO"), std::string::npos);
    EXPECT_NE(seen.profile->profile_arn.find(":instance-profile/parallax-NAVO"), std::string::npos);
  });
}

}  // namespace
}  // namespace parallax::fleet
