#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/plan_test_support.h"

namespace parallax::fleet {
namespace {

using ::testing::HasSubstr;

// A plan of two regions, one fresh and one healthy, and what has moved since.
std::string said_after(void (*change)(Spec& spec, Observed& seen)) {
  Spec spec = test_spec();
  Observed seen = observed(spec, {empty_region(), healthy_region(spec, "sa-east-1")});
  const Result<SavedPlan> saved = read_saved_plan(to_json(plan_apply(spec, seen)).pretty());
  if (!saved) {
    return saved.error().message;
  }
  change(spec, seen);
  const Result<> checked = check_saved_plan(*saved, plan_apply(spec, seen));
  return checked ? "" : checked.error().message;
}

TEST(SavedPlan, IsTakenWhereNothingMoved) {
  EXPECT_EQ(said_after([](Spec&, Observed&) {}), "");
}

struct QuietRow {
  const char* name;
  void (*change)(Spec& spec, Observed& seen);
};

class SavedPlanQuiet : public ::testing::TestWithParam<QuietRow> {};

TEST_P(SavedPlanQuiet, DoesNotMindWhatChangesByItself) {
  EXPECT_EQ(said_after(GetParam().change), "");
}

INSTANTIATE_TEST_SUITE_P(
    Changes, SavedPlanQuiet,
    ::testing::Values(
        QuietRow{"Running",
                 [](Spec&, Observed& seen) { seen.regions[1].machines[0].instance.state = InstanceState::running; }},
        QuietRow{"LaunchTime",
                 [](Spec&, Observed& seen) { seen.regions[1].machines[0].instance.launch_time = Instant(); }},
        QuietRow{"Address",
                 [](Spec&, Observed& seen) { seen.regions[1].machines[0].instance.public_dns = "ec2.example.org"; }},
        QuietRow{"Lease",
                 [](Spec&, Observed& seen) { seen.regions[1].machines[0].instance.tags[kLeaseTag] = "01A me 2026"; }},
        QuietRow{"SomebodysOwnTag",
                 [](Spec&, Observed& seen) { seen.regions[1].machines[0].instance.tags["cost-centre"] = "7"; }},
        QuietRow{"Ping", [](Spec&, Observed& seen) { seen.regions[1].pings["i-1"] = Instant(); }},
        QuietRow{"OrderOfAnswers",
                 [](Spec&, Observed& seen) { std::reverse(seen.regions.begin(), seen.regions.end()); }},
        QuietRow{"Budget", [](Spec& spec, Observed&) { spec.budget_usd_per_month = 1000; }}),
    [](const ::testing::TestParamInfo<QuietRow>& row) { return row.param.name; });

struct MovedRow {
  const char* name;
  void (*change)(Spec& spec, Observed& seen);
  const char* said;
};

class SavedPlanMoved : public ::testing::TestWithParam<MovedRow> {};

TEST_P(SavedPlanMoved, IsRefusedAndSaysWhatMoved) {
  const std::string said = said_after(GetParam().change);
  EXPECT_THAT(said, HasSubstr("this is not what was planned, nothing is done"));
  EXPECT_THAT(said, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Changes, SavedPlanMoved,
    ::testing::Values(
        MovedRow{"SomebodyImportedTheKey",
                 [](Spec& spec, Observed& seen) { seen.regions[0].keys = healthy_region(spec).keys; },
                 "planned, not needed now: eu-west-3: import key pair NAVO: there is none"},
        MovedRow{"AMachineIsGone",
                 [](Spec&, Observed& seen) {
                   seen.regions[1].machines.clear();
                   seen.regions[1].places = places();
                 },
                 "needed now, not planned: sa-east-1: launch instance NAVO: there is none"},
        MovedRow{"ARuleWasAdded",
                 [](Spec&, Observed& seen) { seen.regions[1].groups[0].rules.insert(rule_in(22, "0.0.0.0/0")); },
                 "needed now, not planned: sa-east-1: repair the rules of security group NAVO (sg-1)"},
        MovedRow{"AVolumeAppeared",
                 [](Spec&, Observed& seen) {
                   seen.regions[1].volumes = {{"vol-1", "available", "gp3", "", 8, true, ours()}};
                 },
                 "sa-east-1: its resources are others than at the plan"},
        MovedRow{"AnotherAccount", [](Spec&, Observed& seen) { seen.account = "444455556666"; },
                 "the plan is for the account 111122223333, the credentials are those of 444455556666"},
        MovedRow{"AnotherFleet", [](Spec& spec, Observed&) { spec.fleet = "other"; },
                 "the plan is for the fleet NAVO, the configuration names other"},
        MovedRow{"AnotherType", [](Spec& spec, Observed&) { spec.instance_types = {"t3.micro"}; },
                 "the configuration, home's originals, or role and instance profile have changed"},
        MovedRow{"HomesImageIsAnother", [](Spec&, Observed& seen) { seen.home_image->id = "ami-new"; },
                 "the configuration, home's originals, or role and instance profile have changed"},
        MovedRow{"ARegionLess", [](Spec&, Observed& seen) { seen.regions.pop_back(); },
                 "region only in the plan: sa-east-1"},
        MovedRow{"TheAccountCannotBeAsked",
                 [](Spec&, Observed& seen) { seen.problem = make_error(ErrorKind::denied, "expired"); }, "expired"}),
    [](const ::testing::TestParamInfo<MovedRow>& row) { return row.param.name; });

// The hash is the same, for the machine only stopped; but a repair was not shown then.
TEST(SavedPlan, IsRefusedWhereAStepWasNotShown) {
  const Spec spec = test_spec();
  Observed seen = observed(spec, {healthy_region(spec)});
  MachineSeen& machine = seen.regions[0].machines[0];
  machine.imds_v2_required = false;
  machine.instance.state = InstanceState::running;
  const Plan running = plan_apply(spec, seen);
  const SavedPlan saved = read_saved_plan(to_json(running).dump()).value();
  machine.instance.state = InstanceState::stopped;
  const Plan stopped = plan_apply(spec, seen);
  EXPECT_EQ(running.hash, stopped.hash);
  const Result<> checked = check_saved_plan(saved, stopped);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::conflict);
  EXPECT_THAT(checked.error().message, HasSubstr("needed now, not planned: eu-west-3: require IMDSv2 of instance"));
}

// Nobody needs to wait any more: what is done was shown.
TEST(SavedPlan, IsTakenWhereACopyHasBecomeAvailable) {
  const Spec spec = test_spec();
  RegionSeen region = empty_region();
  region.images = {image("ami-copy", "pending")};
  region.images[0].snapshots.clear();
  const Plan before = plan_apply(spec, observed(spec, {region}));
  region.images[0] = image("ami-copy");
  region.snapshots = {snapshot("snap-of-ami-copy")};
  const Plan after = plan_apply(spec, observed(spec, {region}));
  EXPECT_EQ(before.hash, after.hash);
  const Result<> checked = check_saved_plan(read_saved_plan(to_json(before).dump()).value(), after);
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(SavedPlan, TellsAtMostTenDifferences) {
  Spec spec = test_spec();
  const SavedPlan saved =
      read_saved_plan(to_json(plan_apply(spec, observed(spec, {healthy_region(spec)}))).dump()).value();
  spec.instances_per_region = 100;
  RegionSeen region = healthy_region(spec);
  region.places = places();
  const Result<> checked = check_saved_plan(saved, plan_apply(spec, observed(spec, {region})));
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("and 189 more"));
}

TEST(SavedPlan, IsRefusedWhereItIsNone) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"", "this is no saved plan"},
      {"[]", "its schema is not parallax.plan.v1; make one with 'parallax fleet plan --out FILE'"},
      {R"({"schema":"parallax.plan.v1","kind":"destroy","hash":"1"})", "its kind is 'destroy'"},
      {R"({"schema":"parallax.plan.v1","kind":"apply"})", "it has no hash"},
      {R"({"schema":"parallax.plan.v1","kind":"apply","hash":"1","config":{"path":"a.toml"}})", "no sha256"},
      {R"({"schema":"parallax.plan.v1","kind":"apply","hash":"1","config":7})", "no path"},
  };
  for (const auto& [text, said] : rows) {
    const Result<SavedPlan> plan = read_saved_plan(text);
    ASSERT_FALSE(plan) << text;
    EXPECT_EQ(plan.error().kind, ErrorKind::invalid);
    EXPECT_THAT(plan.error().message, HasSubstr(said));
  }
}

TEST(SavedPlan, RemembersTheConfigurationItWasMadeFrom) {
  const Spec spec = test_spec();
  const Plan plan = plan_apply(spec, observed(spec, {healthy_region(spec)}));
  EXPECT_FALSE(read_saved_plan(to_json(plan).pretty()).value().source.has_value());
  const SavedPlan saved = read_saved_plan(to_json(plan, {"fleets/navo.toml", "0a1b"}).pretty()).value();
  ASSERT_TRUE(saved.source.has_value());
  EXPECT_EQ(saved.source->path, "fleets/navo.toml");
  EXPECT_EQ(saved.source->sha256, "0a1b");
  EXPECT_EQ(saved.hash, plan.hash);
}

TEST(SavedPlan, KeepsWhatTheJsonSays) {
  const Spec spec = test_spec();
  const Plan plan = plan_clear(spec, observed(spec, {healthy_region(spec)}));
  const SavedPlan saved = read_saved_plan(to_json(plan).pretty()).value();
  EXPECT_EQ(saved.kind, PlanKind::clear);
  EXPECT_EQ(saved.account, "111122223333");
  EXPECT_EQ(saved.fleet, "NAVO");
  EXPECT_EQ(saved.hash, plan.hash);
  EXPECT_EQ(saved.regions, std::vector<std::string>{"eu-west-3"});
  EXPECT_EQ(saved.steps.size(), plan.count_steps());
  EXPECT_EQ(saved.steps.front(), "account: delete instance profile parallax");
}

}  // namespace
}  // namespace parallax::fleet
