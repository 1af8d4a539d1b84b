#include "fleet/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/hash.h"
#include "fleet/plan_test_support.h"

namespace parallax::fleet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Plan apply_of(const Spec& spec, const RegionSeen& region) {
  return plan_apply(spec, observed(spec, {region}));
}

TEST(Plan, MakesEverythingOfAFreshRegionInTheOrderOfNeed) {
  const Spec spec = test_spec();
  const Plan plan = apply_of(spec, empty_region());
  EXPECT_EQ(plan.problem, "");
  EXPECT_EQ(plan.regions[0].problem, "");
  EXPECT_EQ(kinds(plan), "copy-image wait-image import-key make-group launch stop");
  EXPECT_EQ(drift_of(plan), "");
  const std::vector<Step>& steps = plan.regions[0].steps;
  EXPECT_EQ(steps[0].text(), "copy image NAVO: there is none");
  EXPECT_THAT(steps[0].details, ElementsAre("from ami-home in us-west-2", "8 GiB"));
  EXPECT_THAT(steps[2].details, ElementsAre("ed25519, " + spec.key->digest));
  EXPECT_THAT(steps[3].add, ElementsAre(rule_all_out()));
  EXPECT_THAT(steps[3].remove, IsEmpty());
  EXPECT_THAT(steps[4].details[0], HasSubstr("t3.micro in eu-west-3a or eu-west-3b, else t2.micro"));
  EXPECT_THAT(steps[4].details[3], HasSubstr("encrypted volume of 8 GiB, boot timer 20 min"));
}

TEST(Plan, MakesRoleAndProfileBeforeAllRegions) {
  const Spec spec = test_spec();
  Observed seen = observed(spec, {empty_region()});
  seen.profile = ProfileSeen();
  const Plan plan = plan_apply(spec, seen);
  EXPECT_EQ(kinds(plan.steps), "make-role make-profile fill-profile");
  EXPECT_EQ(plan.regions[0].problem, "");
}

TEST(Plan, ChangesNothingOfAHealthyRegion) {
  const Spec spec = test_spec();
  const Plan plan = apply_of(spec, healthy_region(spec));
  EXPECT_TRUE(plan.empty()) << kinds(plan);
  EXPECT_EQ(drift_of(plan), "");
  EXPECT_EQ(leftovers_of(plan), "");
  EXPECT_EQ(plan.drift.size(), 0U);
}

TEST(Plan, F11NeverStopsAMachineThatItDidNotLaunch) {
  Spec spec = test_spec();
  spec.instances_per_region = 2;
  for (const InstanceState state : {InstanceState::running, InstanceState::pending, InstanceState::stopping}) {
    RegionSeen region = healthy_region(spec);
    region.places = places();
    region.machines[0].instance.state = state;
    const Plan plan = apply_of(spec, region);
    EXPECT_EQ(kinds(plan), "launch stop");
    EXPECT_EQ(plan.regions[0].steps[1].id, "");
    EXPECT_EQ(plan.regions[0].steps[1].slot, 1);
  }
}

TEST(Plan, F10CountsEveryLivingMachineOfOurs) {
  Spec spec = test_spec();
  spec.instances_per_region = 3;
  RegionSeen region = healthy_region(spec);
  region.machines = {machine("i-3", spec), machine("i-1", spec), machine("i-2", spec)};
  EXPECT_EQ(kinds(apply_of(spec, region)), "");
}

TEST(Plan, LaunchesTheSlotThatIsFree) {
  Spec spec = test_spec();
  spec.instances_per_region = 3;
  RegionSeen region = healthy_region(spec);
  region.places = places();
  region.machines = {machine("i-1", spec), machine("i-2", spec)};
  region.machines[0].instance.tags[kSlotTag] = "2";
  region.machines[1].instance.tags[kSlotTag] = "0";
  const Plan plan = apply_of(spec, region);
  ASSERT_EQ(kinds(plan), "launch stop");
  EXPECT_EQ(plan.regions[0].steps[0].slot, 1);
}

TEST(Plan, TellsSurplusMachinesAndNeverTerminatesThem) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.machines = {machine("i-2", spec), machine("i-1", spec), machine("i-3", spec)};
  region.machines[0].instance.tags[kSlotTag] = "0";
  const Plan plan = apply_of(spec, region);
  EXPECT_TRUE(plan.empty());
  EXPECT_EQ(leftovers_of(plan),
            "instance i-1: surplus: the configuration asks for 1 machine\n"
            "instance i-3: surplus: the configuration asks for 1 machine\n");
}

TEST(Plan, F15WaitsForACopyThatIsOnItsWay) {
  const Spec spec = test_spec();
  RegionSeen region = empty_region();
  region.images = {image("ami-copy", "pending")};
  EXPECT_EQ(kinds(apply_of(spec, region)), "wait-image import-key make-group launch stop");
}

TEST(Plan, F15ReplacesAFailedCopyAndSaysSo) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.images[0].state = "failed";
  region.images[0].state_reason = "snapshot could not be copied";
  const Plan plan = apply_of(spec, region);
  EXPECT_EQ(kinds(plan), "delete-image copy-image wait-image");
  EXPECT_EQ(plan.regions[0].steps[0].text(),
            "delete image NAVO (ami-copy): its copy is failed (snapshot could not be copied)");
  EXPECT_THAT(drift_of(plan), HasSubstr("+ami-copy image NAVO is failed (snapshot could not be copied)"));
}

TEST(Plan, KeepsAFailedCopyWhereHomeHasNothingToReplaceItWith) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.images[0].state = "failed";
  Observed seen = observed(spec, {region});
  seen.home_image.reset();
  const Plan plan = plan_apply(spec, seen);
  EXPECT_TRUE(plan.empty());
  EXPECT_THAT(drift_of(plan), HasSubstr("-ami-copy image NAVO is failed"));
}

TEST(Plan, F16HandlesEachResourceByItself) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.places = places();
  region.images.clear();  // some snapshot is left
  region.keys.clear();
  region.groups.clear();
  const Plan plan = apply_of(spec, region);
  EXPECT_EQ(kinds(plan), "copy-image wait-image import-key make-group set-groups");
  EXPECT_EQ(leftovers_of(plan), "snapshot snap-of-ami-copy: of no image\n");
}

TEST(Plan, F22TellsOfAMachineInAnotherSubnetThanTheConfigurationNames) {
  Spec spec = test_spec();
  spec.subnets["eu-west-3"] = "subnet-1";
  RegionSeen region = healthy_region(spec);
  region.machines[0].subnet = "subnet-1";
  EXPECT_EQ(drift_of(apply_of(spec, region)), "");
  region.machines[0].subnet = "subnet-2";
  const Plan plan = apply_of(spec, region);
  EXPECT_EQ(kinds(plan), "");
  EXPECT_EQ(drift_of(plan), "-i-1 it is in subnet-2, the configuration names subnet-1\n");
}

TEST(Plan, F22SaysWhatALaunchNeedsInASubnetWithoutPublicAddresses) {
  Spec spec = test_spec();
  spec.subnets["eu-west-3"] = "subnet-1";
  RegionSeen region = empty_region();
  const auto details = [&] {
    const Plan plan = apply_of(spec, region);
    const auto& steps = plan.regions.at(0).steps;
    const auto launch =
        std::find_if(steps.begin(), steps.end(), [](const Step& s) { return s.kind == StepKind::launch; });
    return launch == steps.end() ? std::vector<std::string>() : launch->details;
  };
  EXPECT_THAT(details(), Contains("in subnet-1 of vpc-1"));
  EXPECT_THAT(details(), Not(Contains(HasSubstr("no public address"))));
  region.places->public_addresses = false;
  EXPECT_THAT(details(), Contains(HasSubstr("no public address: its agent needs a NAT gateway")));
}

TEST(Plan, F17TellsWhatCostsMoneyWithoutAUse) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.snapshots.push_back(snapshot("snap-old"));
  region.volumes = {{"vol-old", "available", "gp3", "", 8, true, ours()}};
  region.addresses = {{"eipalloc-1", "203.0.113.7", "", ours()}};
  const Plan plan = apply_of(spec, region);
  EXPECT_TRUE(plan.empty());
  EXPECT_EQ(
      leftovers_of(plan),
      "snapshot snap-old: of no image\nvolume vol-old: attached to nothing\naddress eipalloc-1: attached to nothing\n");
  EXPECT_NEAR(plan.regions[0].leftovers[2].usd_per_month.value_or(0), 3.65, 0.001);
}

struct DriftRow {
  const char* name;
  void (*change)(RegionSeen& region);
  const char* steps;
  const char* drift;  // a part of what is told
};

class PlanDrift : public ::testing::TestWithParam<DriftRow> {};

TEST_P(PlanDrift, IsToldAndMendedWhereItCanBe) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  GetParam().change(region);
  const Plan plan = apply_of(spec, region);
  EXPECT_EQ(kinds(plan), GetParam().steps);
  EXPECT_THAT(drift_of(plan), HasSubstr(GetParam().drift));
  EXPECT_EQ(plan.regions[0].problem, "");
}

INSTANTIATE_TEST_SUITE_P(
    F18, PlanDrift,
    ::testing::Values(
        DriftRow{"RuleAdded", [](RegionSeen& r) { r.groups[0].rules.insert(rule_in(22, "0.0.0.0/0")); }, "repair-rules",
                 "+sg-1 the rules of security group NAVO differ; too many: in tcp 22 from 0.0.0.0/0"},
        DriftRow{"RuleLost", [](RegionSeen& r) { r.groups[0].rules.clear(); }, "repair-rules",
                 "+sg-1 the rules of security group NAVO differ; missing: out all to 0.0.0.0/0"},
        DriftRow{"Profile", [](RegionSeen& r) { r.machines[0].profile = ""; }, "set-profile",
                 "+i-1 its instance profile is none, not parallax"},
        DriftRow{"Groups", [](RegionSeen& r) { r.machines[0].groups = {"sg-default"}; }, "set-groups",
                 "+i-1 its security groups are sg-default, not sg-1"},
        DriftRow{"GroupsOfAnotherVpc",
                 [](RegionSeen& r) {
                   r.machines[0].groups = {"sg-default"};
                   r.machines[0].vpc = "vpc-2";
                 },
                 "", "-i-1 its security groups are sg-default, not sg-1; it is in vpc-2 and the group in vpc-1"},
        DriftRow{"Imds", [](RegionSeen& r) { r.machines[0].imds_v2_required = false; }, "require-imds-v2", "+i-1 its"},
        DriftRow{"BootTimer", [](RegionSeen& r) { r.machines[0].instance.tags[kBootTimerTag] = "5m-0"; },
                 "set-user-data", "+i-1 its boot timer is 5m-0, not 20m-"},
        DriftRow{"NoBootTimer", [](RegionSeen& r) { r.machines[0].instance.tags.erase(kBootTimerTag); },
                 "set-user-data", "+i-1 it has no boot timer; its user data is replaced"},
        DriftRow{"UserDataBehindTheTag", [](RegionSeen& r) { r.machines[0].user_data_digest = sha256_hex("other"); },
                 "set-user-data", "+i-1 its user data were changed by hand, so its boot timer may be gone"},
        DriftRow{"UserDataBehindTheTagOfOneThatRuns",
                 [](RegionSeen& r) {
                   r.machines[0].user_data_digest = sha256_hex("other");
                   r.machines[0].instance.state = InstanceState::running;
                 },
                 "", "-i-1 its user data were changed by hand, so its boot timer may be gone; it is running: apply"},
        DriftRow{"ShutdownBehaviour",
                 [](RegionSeen& r) {
                   r.machines[0].shutdown_behaviour = "terminate";
                   r.machines[0].instance.state = InstanceState::running;
                 },
                 "set-shutdown-behaviour", "+i-1 its shutdown behaviour is 'terminate', not 'stop': a run is refused"},
        DriftRow{"AttributesNotSeen", [](RegionSeen& r) { r.attributes_problem = "denied"; }, "",
                 "- not all user data and shutdown behaviours could be looked at: denied"},
        DriftRow{"RunningIsLeftAlone",
                 [](RegionSeen& r) {
                   r.machines[0].instance.state = InstanceState::running;
                   r.machines[0].imds_v2_required = false;
                   r.machines[0].instance.tags.erase(kBootTimerTag);
                 },
                 "",
                 "-i-1 it has no boot timer; its user data is replaced; it is running: apply again when it is stopped"},
        DriftRow{"Type", [](RegionSeen& r) { r.machines[0].instance.type = "m5.large"; }, "",
                 "-i-1 its type is m5.large, none of the configuration's"},
        DriftRow{"KeyOfMachine", [](RegionSeen& r) { r.machines[0].key_name = ""; }, "",
                 "-i-1 it was launched with no key pair, not NAVO"},
        DriftRow{"ImageOfMachine", [](RegionSeen& r) { r.machines[0].image = "ami-old"; }, "",
                 "-i-1 it was made from ami-old, this region's image is ami-copy"},
        DriftRow{"OldSource", [](RegionSeen& r) { r.images[0].source_image = "ami-before"; }, "",
                 "-ami-copy image NAVO is a copy of ami-before, home's is ami-home now"},
        DriftRow{"UntaggedSnapshot", [](RegionSeen& r) { r.snapshots[0].tags.clear(); }, "",
                 "-snap-of-ami-copy snapshot of image NAVO has no tag of ours"},
        DriftRow{"KeyWithoutDigest", [](RegionSeen& r) { r.keys = {key(kTestKey)}; }, "tag",
                 "+key-1 key pair NAVO lacks the tag parallax:public-key"},
        DriftRow{"KeyOfOtherMaterial", [](RegionSeen& r) { r.keys = {key(kOtherKey)}; }, "",
                 "-key-1 key pair NAVO holds another key than SHA256:O9Oh4+HiO+6Uj4PbsuOwEOcW/x84CxKnalco0IiGSUs; 1 "
                 "machine launched with it"},
        DriftRow{"KeyOfOtherMaterialThatNoMachineUses",
                 [](RegionSeen& r) {
                   r.keys = {key(kOtherKey)};
                   r.machines[0].key_name = "other";
                 },
                 "delete-key import-key", "+key-1 key pair NAVO holds another key than"},
        DriftRow{"KeyThatCannotBeTold",
                 [](RegionSeen& r) {
                   r.keys = {key()};
                   r.machines[0].key_name = "other";
                 },
                 "", "-key-1 whether key pair NAVO holds"},
        DriftRow{"KeyByFingerprint",
                 [](RegionSeen& r) {
                   r.keys = {key()};
                   r.keys[0].fingerprint = "O9Oh4+HiO+6Uj4PbsuOwEOcW/x84CxKnalco0IiGSUs=";
                 },
                 "tag", "+key-1 key pair NAVO lacks the tag"}),
    [](const ::testing::TestParamInfo<DriftRow>& row) { return row.param.name; });

TEST(Plan, ToleratesTheRuleThatEc2GivesWhereAVpcHasIpv6) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.groups[0].rules.insert({true, "-1", {}, {}, "::/0", ""});
  EXPECT_TRUE(apply_of(spec, region).empty());
}

TEST(Plan, CopiesTheRulesOfHomesGroupThatMeanSomethingElsewhere) {
  Spec spec = test_spec();
  spec.group.like_home = "NAVO-home";
  Observed seen = observed(spec, {empty_region()});
  GroupSeen home = group({});
  home.name = "NAVO-home";
  home.rules = {rule_in(22, "203.0.113.0/24"), rule_in(80, "sg-9"), rule_in(81, "pl-9")};
  seen.home_group = home;
  const Plan plan = plan_apply(spec, seen);
  const Step& made = plan.regions[0].steps.at(3);
  ASSERT_EQ(made.kind, StepKind::make_group);
  EXPECT_THAT(made.add, ElementsAre(rule_in(22, "203.0.113.0/24")));
  EXPECT_EQ(made.remove.size(), 2U);  // nothing goes out of home's
  EXPECT_THAT(made.details, ElementsAre("in tcp 22 from 203.0.113.0/24", "in vpc-1",
                                        "not copied: in tcp 80 from sg-9, which names a security group of us-west-2",
                                        "not copied: in tcp 81 from pl-9, which names a prefix list of us-west-2"));
}

TEST(Plan, LeavesTheRulesAloneWhereHomesGroupCannotBeSeen) {
  Spec spec = test_spec();
  spec.group.like_home = "NAVO-home";
  Observed seen = observed(spec, {healthy_region(spec), empty_region("sa-east-1")});
  seen.home_problem = make_error(ErrorKind::denied, "not authorized");
  const Plan plan = plan_apply(spec, seen);
  EXPECT_EQ(kinds(plan), "");
  EXPECT_THAT(drift_of(plan), HasSubstr("-sg-1 whether the rules of NAVO are those of home's NAVO-home is not known"));
  EXPECT_THAT(plan.regions[1].problem, HasSubstr("could not be looked at: not authorized"));
  EXPECT_THAT(plan.regions[1].steps, IsEmpty());
}

TEST(Plan, UsesHomesOriginalsInHomeAndMakesTheRest) {
  Spec spec = test_spec();
  spec.regions = {"us-west-2"};
  spec.group.like_home = "NAVO";
  RegionSeen home = empty_region("us-west-2");
  Observed seen = observed(spec, {});
  GroupSeen original = group({});
  original.rules.insert(rule_in(22, "0.0.0.0/0"));
  home.images = {*seen.home_image};
  home.groups = {original};
  home.snapshots = {snapshot("snap-of-ami-home", {})};
  seen.home_group = original;
  seen.regions = {home};
  const Plan plan = plan_apply(spec, seen);
  EXPECT_EQ(plan.regions[0].problem, "");
  EXPECT_EQ(kinds(plan), "import-key launch stop");
  EXPECT_EQ(leftovers_of(plan), "");
  EXPECT_THAT(plan.regions[0].steps[1].details[2], HasSubstr("from ami-home"));
}

TEST(Plan, MakesAGroupOfItsOwnInHomeWhereTheNamesDiffer) {
  Spec spec = test_spec();
  spec.regions = {"us-west-2"};
  EXPECT_EQ(kinds(apply_of(spec, empty_region("us-west-2"))), "import-key make-group launch stop");
}

TEST(Plan, TakesAmazonsImageWithoutACopy) {
  Spec spec = test_spec();
  spec.image = ImageSpec();
  spec.key.reset();
  RegionSeen region = empty_region();
  region.places->stock_image = "ami-al2023";
  region.places->stock = image("ami-al2023");
  const Plan plan = apply_of(spec, region);
  EXPECT_EQ(kinds(plan), "make-group launch stop");
  EXPECT_THAT(plan.regions[0].steps[1].details[2], HasSubstr("from ami-al2023"));
}

struct BlockRow {
  const char* name;
  void (*change)(Spec& spec, Observed& seen);
  const char* problem;
};

class PlanBlocked : public ::testing::TestWithParam<BlockRow> {};

// F5: nothing is made that costs money where a machine could not be launched in the end.
TEST_P(PlanBlocked, SaysWhyAndDoesNothingInThatRegionAlone) {
  Spec spec = test_spec();
  Observed seen = observed(spec, {empty_region(), healthy_region(spec, "sa-east-1")});
  GetParam().change(spec, seen);
  const Plan plan = plan_apply(spec, seen);
  EXPECT_THAT(plan.regions[0].problem, HasSubstr(GetParam().problem));
  EXPECT_THAT(plan.regions[0].steps, IsEmpty());
  EXPECT_EQ(plan.regions[1].problem, "");
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, PlanBlocked,
    ::testing::Values(
        BlockRow{"F22NoDefaultVpc",
                 [](Spec&, Observed& seen) {
                   seen.regions[0].places->vpc = "";
                   seen.regions[0].places->zones_of.clear();
                 },
                 "eu-west-3 has no default VPC; name a subnet in [fleet] subnets"},
        BlockRow{"F22TheObserversReason",
                 [](Spec&, Observed& seen) {
                   seen.regions[0].places->vpc = "";
                   seen.regions[0].places->vpc_problem = "the subnet subnet-1 does not exist";
                 },
                 "the subnet subnet-1 does not exist"},
        BlockRow{"F23NoTypeIsOffered", [](Spec&, Observed& seen) { seen.regions[0].places->zones_of.clear(); },
                 "eu-west-3 offers none of t3.micro, t2.micro where machines can be launched"},
        BlockRow{"F19TypesCouldNotBeAsked",
                 [](Spec&, Observed& seen) { seen.regions[0].places->types_problem = "not authorized"; },
                 "which types eu-west-3 offers could not be asked: not authorized"},
        BlockRow{"AnImageForOtherProcessors",
                 [](Spec& spec, Observed& seen) {
                   spec.instance_types = {"t3.micro", "t4g.micro"};
                   seen.home_image->architecture = "x86_64";
                 },
                 "the image ami-home is for x86_64, but not t4g.micro in [fleet] instance_types"},
        BlockRow{"AStockImageForOtherProcessors",
                 [](Spec& spec, Observed& seen) {
                   spec.image = {ImageSpec::Kind::stock, "/own/image"};
                   seen.regions[0].places->stock_image = "ami-stock";
                   seen.regions[0].places->stock = image("ami-stock");
                   seen.regions[0].places->stock->architecture = "arm64";
                 },
                 "the image ami-stock is for arm64, but not t3.micro, t2.micro in [fleet] instance_types"},
        BlockRow{"NoHomeImage", [](Spec&, Observed& seen) { seen.home_image.reset(); },
                 "us-west-2 has no image named NAVO; make it with 'parallax fleet image create'"},
        BlockRow{"HomeImagePending", [](Spec&, Observed& seen) { seen.home_image->state = "pending"; },
                 "home's image ami-home is pending; apply again when it is available"},
        BlockRow{"F19HomeCouldNotBeAsked",
                 [](Spec&, Observed& seen) { seen.home_problem = make_error(ErrorKind::denied, "not authorized"); },
                 "home's image could not be looked at: not authorized"},
        BlockRow{"ImageWithoutOurTag",
                 [](Spec&, Observed& seen) {
                   seen.regions[0].images = {image("ami-theirs")};
                   seen.regions[0].images[0].tags.clear();
                 },
                 "image NAVO (ami-theirs) bears the name and not our tag: take it over with 'parallax fleet adopt'"},
        BlockRow{"KeyWithoutOurTag", [](Spec&, Observed& seen) { seen.regions[0].keys = {key(kTestKey, {})}; },
                 "key pair NAVO (key-1) bears the name and not our tag"},
        BlockRow{"GroupWithoutOurTag", [](Spec&, Observed& seen) { seen.regions[0].groups = {group({})}; },
                 "security group NAVO (sg-1) bears the name and not our tag"},
        BlockRow{"F4MachineWithoutOurTag",
                 [](Spec& spec, Observed& seen) {
                   seen.regions[0].machines = {machine("i-theirs", spec)};
                   seen.regions[0].machines[0].instance.tags = {{"Name", "NAVO"}};
                 },
                 "i-theirs bears the Name NAVO and not our tag: take it over with 'parallax fleet adopt', or give it "
                 "another name"},
        BlockRow{"NoHomeGroup", [](Spec& spec, Observed&) { spec.group.like_home = "Original"; },
                 "us-west-2 has no security group named Original"},
        BlockRow{"NoNamedProfile",
                 [](Spec& spec, Observed& seen) {
                   spec.profile = {"theirs", false};
                   seen.profile = ProfileSeen();
                 },
                 "there is no instance profile theirs"},
        BlockRow{"F19IamCouldNotBeAsked",
                 [](Spec&, Observed& seen) {
                   seen.profile.reset();
                   seen.profile_problem = make_error(ErrorKind::denied, "not authorized");
                 },
                 "role and instance profile could not be looked at: not authorized"},
        BlockRow{"RoleWithoutOurTag", [](Spec&, Observed& seen) { seen.profile->role_tags.clear(); },
                 "the role parallax exists without our tag"},
        BlockRow{"F26RegionCouldNotBeSeen",
                 [](Spec&, Observed& seen) { seen.regions[0].problem = make_error(ErrorKind::timeout, "no answer"); },
                 "eu-west-3 could not be looked at: no answer"}),
    [](const ::testing::TestParamInfo<BlockRow>& row) { return row.param.name; });

TEST(Plan, KnowsTheGroupOfItsMachinesFromOneOfAnotherVpc) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.groups.insert(region.groups.begin(), group());
  region.groups[0].id = "sg-0";
  region.groups[0].vpc = "vpc-0";
  const Plan plan = apply_of(spec, region);
  EXPECT_TRUE(plan.empty());
  EXPECT_EQ(drift_of(plan), "");
  EXPECT_EQ(leftovers_of(plan), "security group sg-0: ours, and not the security group of the configuration\n");
}

TEST(Plan, TellsWhatBearsItsNameAndNeverUsesIt) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  MachineSeen theirs = machine("i-theirs", spec);
  theirs.instance.tags = {{"Name", "NAVO"}};
  region.machines.push_back(theirs);
  region.groups.push_back(group({}));
  region.groups[1].id = "sg-theirs";
  region.groups[1].vpc = "vpc-2";
  const Plan plan = apply_of(spec, region);
  EXPECT_TRUE(plan.empty());
  EXPECT_EQ(leftovers_of(plan),
            "security group sg-theirs: bears the name and not our tag: 'parallax fleet adopt' takes it over\n"
            "instance i-theirs: bears the name and not our tag: 'parallax fleet adopt' takes it over\n");
}

TEST(Plan, LooksAtANamedProfileAndNeverChangesIt) {
  Spec spec = test_spec();
  spec.profile = {"theirs", false};
  Observed seen = observed(spec, {healthy_region(spec)});
  seen.regions[0].machines[0].profile = "theirs";
  seen.profile->role_tags.clear();
  seen.profile->profile_tags.clear();
  seen.profile->inline_policies.clear();
  EXPECT_TRUE(plan_apply(spec, seen).empty());
}

TEST(Plan, ComparesPolicyDocumentsAsValues) {
  const Spec spec = test_spec();
  Observed seen = observed(spec, {healthy_region(spec)});
  seen.profile->trust = trust_document(PolicyFor::machine, "111122223333", "aws").canonical();
  EXPECT_TRUE(plan_apply(spec, seen).empty());
  seen.profile->inline_policies[kRolePolicyName] = "{\"Version\": \"2012-10-17\", \"Statement\": []}";
  seen.profile->attached_policies = {"arn:aws:iam::aws:policy/AdministratorAccess"};
  const Plan plan = plan_apply(spec, seen);
  ASSERT_EQ(kinds(plan.steps), "repair-role");
  EXPECT_EQ(plan.steps[0].why,
            "its policy is not what we wrote; it has arn:aws:iam::aws:policy/AdministratorAccess attached, which is "
            "taken away");
  ASSERT_EQ(plan.drift.size(), 1U);
  EXPECT_TRUE(plan.drift[0].mended);
}

TEST(Plan, FillsAProfileThatHoldsNoRole) {
  const Spec spec = test_spec();
  Observed seen = observed(spec, {healthy_region(spec)});
  seen.profile->role_in_profile = false;
  seen.profile->role_name = "";
  EXPECT_EQ(kinds(plan_apply(spec, seen).steps), "fill-profile");
}

TEST(Plan, GivesEachMachineAStopRuleWhereTheConfigurationSaysSo) {
  Spec spec = test_spec();
  spec.deadman = Deadman::guest_and_scheduler;
  spec.instances_per_region = 4;
  RegionSeen region = healthy_region(spec);
  region.places = places();
  region.machines = {machine("i-1", spec), machine("i-2", spec), machine("i-3", spec)};
  region.schedules = {{schedule_name("i-1"), "i-1", "ENABLED", schedule_expression()},
                      {schedule_name("i-2"), "i-2", "DISABLED", ""},
                      {schedule_name("i-9"), "i-9", "ENABLED", ""}};
  Observed seen = observed(spec, {region});
  seen.scheduler_role = ProfileSeen();
  const Plan plan = plan_apply(spec, seen);
  EXPECT_EQ(kinds(plan.steps), "make-scheduler-role");
  EXPECT_EQ(kinds(plan), "launch make-schedule make-schedule make-schedule stop");
  EXPECT_EQ(drift_of(plan), "+i-2 its stop rule is disabled\n+i-3 it has no stop rule\n");
  EXPECT_EQ(leftovers_of(plan), "schedule parallax-stop-i-9: of i-9, which is no more\n");
}

TEST(Plan, TellsWhatItCostsAndThatABudgetIsExceeded) {
  Spec spec = test_spec();
  spec.budget_usd_per_month = 1;
  const Plan fresh = apply_of(spec, empty_region());
  const RegionPlan& region = fresh.regions[0];
  ASSERT_TRUE(region.steps[0].usd_per_month && region.steps[4].usd_per_month && region.usd_per_month_at_rest);
  EXPECT_NEAR(*region.usd_per_month_at_rest, *region.steps[0].usd_per_month + *region.steps[4].usd_per_month, 1e-9);
  EXPECT_EQ(region.steps[3].usd_per_month, 0);
  EXPECT_EQ(apply_of(spec, healthy_region(spec)).regions[0].usd_per_month_at_rest, region.usd_per_month_at_rest);
  ASSERT_EQ(fresh.drift.size(), 1U);
  EXPECT_THAT(fresh.drift[0].text, HasSubstr("the budget is $1.00 a month, and this costs up to $"));
  spec.budget_usd_per_month = 100;
  EXPECT_THAT(apply_of(spec, empty_region()).drift, IsEmpty());
}

TEST(Plan, NeverCountsAnUnknownPriceAsNothing) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.machines[0].gib = 0;
  EXPECT_FALSE(apply_of(spec, region).regions[0].usd_per_month_at_rest);
}

TEST(Plan, HasAProblemWhereTheAccountCannotBeAsked) {
  const Spec spec = test_spec();
  Observed seen = observed(spec, {empty_region()});
  seen.problem = make_error(ErrorKind::denied, "credentials have expired");
  for (const Plan& plan : {plan_apply(spec, seen), plan_clear(spec, seen), plan_adopt(spec, seen)}) {
    EXPECT_THAT(plan.problem, HasSubstr("credentials have expired"));
    EXPECT_TRUE(plan.empty());
  }
}

TEST(Plan, IsTheSameByteForByteForTheSameObservation) {
  Spec spec = test_spec();
  spec.instances_per_region = 20;
  Observed seen = observed(spec, {empty_region(), healthy_region(spec, "sa-east-1")});
  EXPECT_EQ(to_json(plan_apply(spec, seen)).dump(), to_json(plan_apply(spec, seen)).dump());
}

TEST(Plan, TakesLinearTimeForThousandsOfMachines) {
  Spec spec = test_spec();
  spec.instances_per_region = 20'000;
  RegionSeen region = healthy_region(spec);
  region.places = places();
  region.machines.clear();
  for (int i = 0; i < 10'000; ++i) {
    region.machines.push_back(machine(fmt::format("i-{:05}", i), spec));
  }
  const Plan plan = apply_of(spec, region);
  EXPECT_EQ(plan.count_steps(), 20'000U);  // 10,000 launches, and each is stopped
  EXPECT_THAT(plan.regions[0].steps.back().slot, 19'999);
}

}  // namespace
}  // namespace parallax::fleet
