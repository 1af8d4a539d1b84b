#include "cli/change_report.h"

#include <gtest/gtest.h>

#include "cli/change_progress.h"

namespace parallax::cli {
namespace {

using fleet::StepState;

fleet::StepOutcome outcome_of(fleet::StepKind kind, StepState state, std::string id = "", std::string note = "") {
  fleet::StepOutcome outcome;
  outcome.step.kind = kind;
  outcome.step.resource = fleet::ResourceKind::image;
  outcome.step.region = "eu-west-3";
  outcome.step.name = "NAVO";
  outcome.step.why = "there is none";
  outcome.state = state;
  outcome.id = std::move(id);
  outcome.note = std::move(note);
  outcome.took = Seconds(2);
  return outcome;
}

fleet::ChangeOutcome half_done() {
  fleet::ChangeOutcome outcome;
  outcome.regions.push_back({"eu-west-3",
                             "",
                             {outcome_of(fleet::StepKind::copy_image, StepState::done, "ami-1", "from ami-0"),
                              outcome_of(fleet::StepKind::wait_image, StepState::done)}});
  outcome.regions.push_back({"sa-east-1",
                             "",
                             {outcome_of(fleet::StepKind::copy_image, StepState::failed),
                              outcome_of(fleet::StepKind::launch, StepState::left)}});
  outcome.regions.back().steps.front().error = make_error(ErrorKind::denied, "UnauthorizedOperation: no");
  for (fleet::RegionChange& region : outcome.regions) {
    region.took = Seconds(3);  // less than its steps together: some are done at once
  }
  outcome.exit_code = 3;
  return outcome;
}

TEST(ChangeReport, HasARowForEachRegion) {
  EXPECT_EQ(change_text(half_done()),
            "region     result   steps   took  made\n"
            "eu-west-3  done    2 of 2  3.0 s  ami-1 (from ami-0)\n"
            "sa-east-1  failed  0 of 2  3.0 s\n");
}

TEST(ChangeReport, TellsWhatFailedAndWhatWasNotBegun) {
  fleet::ChangeOutcome outcome = half_done();
  outcome.left_running = {"sa-east-1 i-1: its timer fires at 12:00"};
  const std::vector<std::string> problems = change_problems(outcome);
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0], "sa-east-1: " + outcome.regions[1].steps[0].step.text() + ": UnauthorizedOperation: no");
  EXPECT_EQ(problems[1], "sa-east-1: 1 step of 2 not done; the same command again goes on from there");
  EXPECT_EQ(problems[2], "may still run: sa-east-1 i-1: its timer fires at 12:00");
}

TEST(ChangeReport, GivesEveryStepAsJson) {
  const Json json = change_to_json(half_done());
  EXPECT_EQ(json.text("schema"), "parallax.change.v1");
  EXPECT_EQ(json.integer("exit_code", -1), 3);
  const Json& failed = json.list("regions")[1].list("steps")[0];
  EXPECT_EQ(failed.text("state"), "failed");
  EXPECT_EQ(failed.at("error", "kind")->dump(), R"("denied")");
  EXPECT_EQ(json.list("regions")[1].list("steps")[1].text("state"), "left");
  EXPECT_EQ(json.list("regions")[0].list("steps")[0].integer("took_us", 0), 2'000'000);
}

TEST(ChangeProgress, TellsEachChangeOnceAndNoStepThatWasNotBegun) {
  fleet::Plan plan;
  plan.regions.push_back({});
  plan.regions.back().region = "eu-west-3";
  plan.regions.back().steps = {outcome_of(fleet::StepKind::copy_image, StepState::waiting).step,
                               outcome_of(fleet::StepKind::launch, StepState::waiting).step};
  plan.regions.push_back({});  // nothing to do there: no line
  plan.regions.back().region = "sa-east-1";
  ChangeLines lines(plan);
  const Monotonic begin{Seconds(100)};
  EXPECT_EQ(lines.lines(begin), std::vector<std::string>{"  eu-west-3          0 of 2      0.0 s  waiting"});

  const fleet::StepOutcome doing = outcome_of(fleet::StepKind::copy_image, StepState::doing, "", "pending, 12%");
  const std::string told = lines.update("eu-west-3", doing, begin);
  EXPECT_EQ(told, "eu-west-3        doing   " + doing.step.text() + ": pending, 12%");
  EXPECT_EQ(lines.update("eu-west-3", doing, begin + Seconds(1)), "") << "nothing new";
  EXPECT_EQ(lines.update("eu-west-3", outcome_of(fleet::StepKind::launch, StepState::waiting), begin), "");

  EXPECT_NE(lines.update("eu-west-3", outcome_of(fleet::StepKind::copy_image, StepState::done, "ami-1"), begin), "");
  EXPECT_TRUE(lines.lines(begin + Seconds(9)).front().starts_with("  eu-west-3          1 of 2      9.0 s  "));
  EXPECT_NE(lines.update("eu-west-3", outcome_of(fleet::StepKind::launch, StepState::done), begin + Seconds(10)), "");
  EXPECT_EQ(lines.lines(begin + Seconds(60)).front(), "  eu-west-3          2 of 2     10.0 s  done")
      << "time stands still";
}

TEST(ChangeProgress, KeepsAFailureInSight) {
  fleet::Plan plan;
  plan.regions.push_back({});
  plan.regions.back().region = "eu-west-3";
  plan.regions.back().steps = {outcome_of(fleet::StepKind::copy_image, StepState::waiting).step};
  ChangeLines lines(plan);
  fleet::StepOutcome failed = outcome_of(fleet::StepKind::copy_image, StepState::failed);
  failed.error = make_error(ErrorKind::denied, "no \x1b[31mright");
  const std::string told = lines.update("eu-west-3", failed, Monotonic{});
  EXPECT_TRUE(told.ends_with(": no \\x1b[31mright")) << told;
  EXPECT_NE(lines.lines(Monotonic{}).front().find("failed: "), std::string::npos);
}

}  // namespace
}  // namespace parallax::cli
