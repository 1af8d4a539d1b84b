#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/plan_test_support.h"

namespace parallax::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RegionSeen full_region(const Spec& spec, const std::string& region = "eu-west-3") {
  RegionSeen seen = healthy_region(spec, region);
  seen.schedules = {{schedule_name("i-1"), "i-1", "ENABLED", ""}};
  seen.volumes = {{"vol-old", "available", "gp3", "", 8, true, ours()}};
  seen.addresses = {{"eipalloc-1", "203.0.113.7", "", ours()}};
  return seen;
}

TEST(ClearPlan, DeletesEverythingOfOursInTheOrderOfDependence) {
  const Spec spec = test_spec();
  const Plan plan = plan_clear(spec, observed(spec, {full_region(spec)}));
  EXPECT_EQ(kinds(plan),
            "delete-schedule terminate delete-image delete-snapshot delete-volume release-address delete-key "
            "delete-group");
  EXPECT_EQ(kinds(plan.steps), "delete-profile delete-role");
  EXPECT_EQ(plan.regions[0].usd_per_month_at_rest, 0);
  EXPECT_LT(plan.regions[0].steps[1].usd_per_month.value_or(0), 0);
  EXPECT_THAT(plan.regions[0].kept, IsEmpty());
}

TEST(ClearPlan, SaysWhatAMachineDoesThatItWouldTerminate) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.machines[0].instance.state = InstanceState::running;
  region.machines[0].instance.tags[kLeaseTag] = "01JD host:7 2026-11-22T10:00:00Z";
  const Plan plan = plan_clear(spec, observed(spec, {region}));
  EXPECT_THAT(plan.regions[0].steps[0].details, ElementsAre("running", "lease of host:7 until 2026-11-22T10:00:00Z"));
}

TEST(ClearPlan, F17TakesTheSnapshotsOfOurImagesThatBearNoTag) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.snapshots[0].tags.clear();
  region.images[0].snapshots.emplace_back("snap-unseen");
  const Plan plan = plan_clear(spec, observed(spec, {region}));
  EXPECT_EQ(kinds(plan), "terminate delete-image delete-snapshot delete-snapshot delete-key delete-group");
}

TEST(ClearPlan, F17FindsImageAndSnapshotsWithoutAMachine) {
  const Spec spec = test_spec();
  RegionSeen region = healthy_region(spec);
  region.machines.clear();
  EXPECT_EQ(kinds(plan_clear(spec, observed(spec, {region}))), "delete-image delete-snapshot delete-key delete-group");
}

TEST(ClearPlan, NeverTouchesWhatIsNotOurs) {
  const Spec spec = test_spec();
  RegionSeen region = full_region(spec);
  region.schedules.clear();
  const Tags name = {{"Name", "NAVO"}};
  const Tags other = {{kFleetTag, "other"}};
  region.machines[0].instance.tags = name;
  region.images[0].tags = name;
  region.snapshots[0].tags = other;
  region.volumes[0].tags = name;
  region.addresses[0].tags = name;
  region.keys[0].tags = name;
  region.groups[0].tags = name;
  const Plan plan = plan_clear(spec, observed(spec, {region}));
  EXPECT_EQ(kinds(plan), "");
  EXPECT_EQ(plan.regions[0].kept.size(), 6U);
  EXPECT_EQ(plan.regions[0].kept[0],
            "instance NAVO (i-1): it has no tag of ours; 'parallax fleet adopt' would take it over");
}

TEST(ClearPlan, NeverDeletesHomesOriginals) {
  Spec spec = test_spec();
  spec.regions = {"us-west-2"};
  spec.group.like_home = "Original";
  RegionSeen home = healthy_region(spec, "us-west-2");
  GroupSeen original = group();
  original.id = "sg-original";
  original.name = "Original";
  home.groups.push_back(original);
  home.keys[0].tags[kOriginalTag] = "true";
  const Plan plan = plan_clear(spec, observed(spec, {home}));
  EXPECT_EQ(kinds(plan), "terminate delete-group");
  EXPECT_EQ(plan.regions[0].steps[1].id, "sg-1");
  EXPECT_THAT(plan.regions[0].kept,
              ElementsAre("image NAVO (ami-copy): home's original", "key pair NAVO (key-1): home's original",
                          "security group Original (sg-original): home's original"));
}

TEST(ClearPlan, KeepsWhatAForeignMachineHolds) {
  const Spec spec = test_spec();
  RegionSeen region = full_region(spec);
  region.volumes[0].attached_to = "i-foreign";
  region.addresses[0].attached_to = "i-1";
  const Plan plan = plan_clear(spec, observed(spec, {region}));
  EXPECT_THAT(plan.regions[0].kept, ElementsAre("volume vol-old: attached to i-foreign, which stays"));
  EXPECT_THAT(kinds(plan), HasSubstr("release-address"));
}

TEST(ClearPlan, KeepsRoleAndProfileWhileARegionMayNeedThem) {
  Spec spec = test_spec();
  spec.regions = {"eu-west-3", "sa-east-1"};
  const Plan one = plan_clear(spec, observed(spec, {full_region(spec)}));
  EXPECT_THAT(one.steps, IsEmpty());
  EXPECT_THAT(one.kept, ElementsAre("instance profile parallax: sa-east-1 is not cleared",
                                    "role parallax: sa-east-1 is not cleared"));
  Observed unseen = observed(spec, {full_region(spec), RegionSeen()});
  unseen.regions[1].region = "sa-east-1";
  unseen.regions[1].problem = make_error(ErrorKind::timeout, "no answer");
  const Plan blind = plan_clear(spec, unseen);
  EXPECT_THAT(blind.steps, IsEmpty());
  EXPECT_EQ(blind.regions[1].problem, "sa-east-1 could not be looked at: no answer");
  RegionSeen second;
  second.region = "sa-east-1";
  EXPECT_EQ(kinds(plan_clear(spec, observed(spec, {full_region(spec), second})).steps), "delete-profile delete-role");
}

TEST(ClearPlan, LeavesANamedProfileAlone) {
  Spec spec = test_spec();
  spec.profile = {"parallax", false};
  EXPECT_THAT(plan_clear(spec, observed(spec, {full_region(spec)})).steps, IsEmpty());
}

TEST(ClearPlan, DeletesTheSchedulersRoleToo) {
  Spec spec = test_spec();
  Observed seen = observed(spec, {full_region(spec)});
  seen.scheduler_role = made_role(spec, PolicyFor::scheduler, scheduler_role(spec.fleet));
  const Plan plan = plan_clear(spec, seen);
  ASSERT_EQ(kinds(plan.steps), "delete-profile delete-role delete-role");
  EXPECT_EQ(plan.steps[2].name, scheduler_role(spec.fleet));
}

TEST(ClearPlan, OfNothingIsEmpty) {
  const Spec spec = test_spec();
  Observed seen = observed(spec, {RegionSeen()});
  seen.regions[0].region = "eu-west-3";
  seen.profile = ProfileSeen();
  EXPECT_TRUE(plan_clear(spec, seen).empty());
}

RegionSeen untagged_region(const Spec& spec, const std::string& region = "eu-west-3") {
  RegionSeen seen = healthy_region(spec, region);
  seen.machines[0].instance.tags = {{"Name", "NAVO"}};
  seen.images[0].tags.clear();
  seen.snapshots[0].tags.clear();
  seen.keys = {key(kTestKey, {})};
  seen.groups[0].tags.clear();
  return seen;
}

TEST(AdoptPlan, TagsWhatBearsTheReferencesNamesAndNothingElse) {
  const Spec spec = test_spec();
  const Plan plan = plan_adopt(spec, observed(spec, {untagged_region(spec)}));
  std::string told;
  for (const Step& step : plan.regions[0].steps) {
    EXPECT_EQ(step.kind, StepKind::tag);
    EXPECT_EQ(step.tags.at(kFleetTag), "NAVO");
    EXPECT_FALSE(step.tags.contains(kOriginalTag));
    told += step.text() + "\n";
  }
  EXPECT_EQ(told,
            "tag image NAVO (ami-copy): it bears the name NAVO and no fleet's tag\n"
            "tag snapshot snap-of-ami-copy: it is of our image\n"
            "tag key pair NAVO (key-1): it bears the name NAVO and no fleet's tag\n"
            "tag security group NAVO (sg-1): it bears the name NAVO and no fleet's tag\n"
            "tag instance NAVO (i-1): it bears the name NAVO and no fleet's tag\n"
            "tag volume vol-of-i-1: it is of i-1\n");
  EXPECT_EQ(plan.regions[0].steps[2].tags.at(kPublicKeyTag), spec.key->digest);
  EXPECT_TRUE(plan.steps.empty());
}

TEST(AdoptPlan, MarksHomesOriginals) {
  Spec spec = test_spec();
  spec.regions = {"us-west-2"};
  const Plan plan = plan_adopt(spec, observed(spec, {untagged_region(spec, "us-west-2")}));
  for (const Step& step : plan.regions[0].steps) {
    const bool machine = step.resource == ResourceKind::instance || step.resource == ResourceKind::volume;
    EXPECT_EQ(step.tags.contains(kOriginalTag), !machine) << step.text();
  }
}

TEST(AdoptPlan, LeavesOtherFleetsAndOtherNamesAlone) {
  const Spec spec = test_spec();
  RegionSeen region = untagged_region(spec);
  region.machines[0].instance.tags[kFleetTag] = "other";
  region.images[0].name = "another";
  region.keys[0].name = "another";
  region.groups[0].name = "another";
  EXPECT_TRUE(plan_adopt(spec, observed(spec, {region})).empty());
  EXPECT_TRUE(plan_adopt(spec, observed(spec, {healthy_region(spec)})).empty());
}

TEST(AdoptPlan, LeadsToAFleetThatApplyOnlyMends) {
  const Spec spec = test_spec();
  RegionSeen region = untagged_region(spec);
  const Plan plan = plan_adopt(spec, observed(spec, {region}));
  region.machines[0].instance.tags = ours();
  region.images[0].tags = ours();
  region.snapshots[0].tags = ours();
  region.keys[0].tags = plan.regions[0].steps[2].tags;
  region.groups[0].tags = ours();
  EXPECT_EQ(kinds(plan_apply(spec, observed(spec, {region}))), "set-user-data");
}

}  // namespace
}  // namespace parallax::fleet
