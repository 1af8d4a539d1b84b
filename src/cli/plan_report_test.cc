#include "cli/plan_report.h"

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

fleet::Step step(fleet::StepKind kind, fleet::ResourceKind resource, std::string why, std::optional<double> usd = 0) {
  fleet::Step made;
  made.kind = kind;
  made.resource = resource;
  made.region = "eu-west-3";
  made.name = "NAVO";
  made.why = std::move(why);
  made.usd_per_month = usd;
  return made;
}

fleet::Plan plan_of(std::vector<fleet::Step> steps) {
  fleet::Plan plan;
  plan.account = "000000000000";
  plan.fleet = "NAVO";
  fleet::RegionPlan region;
  region.region = "eu-west-3";
  region.steps = std::move(steps);
  region.usd_per_month_at_rest = 0.64;
  region.usd_per_month_running = 1.5;
  plan.regions.push_back(region);
  return plan;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(PlanReport, SaysInTheFirstLineHowMuchIsToDo) {
  EXPECT_EQ(plan_headline(plan_of({})), "fleet NAVO, account 000000000000: nothing to change");
  fleet::Plan plan = plan_of({step(fleet::StepKind::make_group, fleet::ResourceKind::security_group, "there is none")});
  EXPECT_EQ(plan_headline(plan), "fleet NAVO, account 000000000000: 1 step in 1 region");
  plan.steps.push_back(step(fleet::StepKind::make_role, fleet::ResourceKind::role, "there is none"));
  EXPECT_EQ(plan_headline(plan), "fleet NAVO, account 000000000000: 2 steps in 1 region and the account");
  plan.problem = "no rights";
  EXPECT_EQ(plan_text(plan, {}), "fleet NAVO, account 000000000000: nothing can be planned\nno rights\n");
}

TEST(PlanReport, ShowsEachStepWithItsReasonDetailsAndCost) {
  fleet::Step launch = step(fleet::StepKind::launch, fleet::ResourceKind::instance, "there is none", 0.64);
  launch.details = {"t3.micro, else t2.micro"};
  fleet::Step gone = step(fleet::StepKind::delete_snapshot, fleet::ResourceKind::snapshot, "its image goes", -0.4);
  fleet::Step unknown = step(fleet::StepKind::copy_image, fleet::ResourceKind::image, "there is none", std::nullopt);
  fleet::Step free = step(fleet::StepKind::repair_rules, fleet::ResourceKind::security_group, "its rules differ");
  const std::string text = plan_text(plan_of({launch, gone, unknown, free}), {});
  EXPECT_TRUE(contains(text, "  + " + launch.text())) << text;
  EXPECT_TRUE(contains(text, "      t3.micro, else t2.micro\n")) << text;
  EXPECT_TRUE(contains(text, "$0.64\n")) << text;
  EXPECT_TRUE(contains(text, "  - " + gone.text())) << text;
  EXPECT_TRUE(contains(text, "saves $0.40\n")) << text;
  EXPECT_TRUE(contains(text, "  unknown\n")) << text;
  EXPECT_TRUE(contains(text, "  ~ " + free.text() + "\n")) << text;
}

TEST(PlanReport, SumsUpManyStepsOfOneKind) {
  const auto launch = step(fleet::StepKind::launch, fleet::ResourceKind::instance, "there is none", 0.5);
  const std::string text = plan_text(plan_of(std::vector<fleet::Step>(1000, launch)), {});
  EXPECT_TRUE(contains(text, "... and 997 more of the kind 'launch'; --output json lists them all")) << text;
  EXPECT_TRUE(contains(text, "$500.00 together")) << text;
  EXPECT_LT(text.size(), 2000U);
  const std::string all = plan_text(plan_of(std::vector<fleet::Step>(kStepsShownMax, launch)), {});
  EXPECT_FALSE(contains(all, "more of the kind")) << all;
}

TEST(PlanReport, ComparesTheSumWithTheBudget) {
  fleet::Plan plan = plan_of({});
  EXPECT_TRUE(contains(plan_text(plan, {10}),
                       "all              $0.64   $1.50     $2.14\nwithin the budget of $10.00 a month\n"))
      << plan_text(plan, {10});
  EXPECT_TRUE(contains(plan_text(plan, {2}), "over the budget of $2.00 a month by $0.14\n"));
  plan.regions.front().usd_per_month_running.reset();
  const std::string text = plan_text(plan, {10});
  EXPECT_TRUE(contains(text, "unknown  $0.64 + unknown\nas far as known within the budget of $10.00 a month\n"))
      << text;
  EXPECT_TRUE(contains(plan_text(plan, {0.5}), "over the budget of $0.50 a month by $0.14 at least\n"));
}

TEST(PlanReport, TellsWhatStaysAndWhatHinders) {
  fleet::Plan plan = plan_of({});
  plan.regions.resize(2);
  fleet::RegionPlan& region = plan.regions.front();
  region.kept = {"image ami-1: home's original"};
  region.leftovers.push_back({fleet::ResourceKind::volume, "eu-west-3", "vol-1", "", "attached to nothing", 0.7});
  region.drift.push_back({"eu-west-3", "i-1", "its type is t2.small", false});
  region.drift.push_back({"eu-west-3", "sg-1", "a rule was added", true});
  plan.regions.back().region = "sa-east-1";
  plan.regions.back().problem = "no default VPC";
  const std::string text = plan_text(plan, {});
  EXPECT_TRUE(contains(text, "  = stays: image ami-1: home's original\n")) << text;
  EXPECT_TRUE(contains(text, "vol-1: attached to nothing ($0.70 a month)\n")) << text;
  EXPECT_TRUE(contains(text, "  ! differs and stays: i-1: its type is t2.small\n")) << text;
  EXPECT_FALSE(contains(text, "a rule was added")) << "a step tells of it: " << text;
  EXPECT_TRUE(contains(text, "sa-east-1\n  x cannot be planned: no default VPC\n")) << text;
  EXPECT_EQ(plan_problems(plan), std::vector<std::string>{"sa-east-1: no default VPC"});
  EXPECT_EQ(plan_exit_code(plan), 3);
  region.problem = "unreachable";
  EXPECT_EQ(plan_exit_code(plan), 1);
}

TEST(PlanReport, IsSafeForATerminal) {
  fleet::Plan plan = plan_of({step(fleet::StepKind::tag, fleet::ResourceKind::instance, "\x1b[2Jred")});
  plan.regions.front().kept = {"\x1b]0;x\a"};
  EXPECT_EQ(plan_text(plan, {}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace parallax::cli
