#include "store/run_merge.h"

#include <gtest/gtest.h>

namespace parallax::store {
namespace {

Instant at(int second) {
  return Instant(Seconds(1'800'000'000 + second));
}

parallax::Run run_in(RunState state) {
  parallax::Run run;
  run.run_id = "01HZZZZZZZ0123456789ABCDEF";
  run.fleet = "NAVO";
  run.vantage = "us-west-2";
  run.state = state;
  return run;
}

TEST(MergeRun, TakesTheStateThatIsFurtherAlong) {
  EXPECT_EQ(merge_run(run_in(RunState::starting), run_in(RunState::running)).state, RunState::running);
  EXPECT_EQ(merge_run(run_in(RunState::running), run_in(RunState::starting)).state, RunState::running);
}

TEST(MergeRun, NeverReopensARunThatHasEnded) {
  EXPECT_EQ(merge_run(run_in(RunState::failed), run_in(RunState::running)).state, RunState::failed);
  EXPECT_EQ(merge_run(run_in(RunState::failed), run_in(RunState::done)).state, RunState::failed);
  EXPECT_EQ(merge_run(run_in(RunState::done), run_in(RunState::failed)).state, RunState::done);
}

TEST(MergeRun, LetsOlderNewsFillGapsAlone) {
  parallax::Run known = run_in(RunState::done);
  known.cause = "";
  known.billed_seconds = 74;
  parallax::Run news = run_in(RunState::running);
  news.billed_seconds = 12;
  news.instance_id = "i-0123";
  const parallax::Run merged = merge_run(known, news);
  EXPECT_EQ(merged.billed_seconds, 74);
  EXPECT_EQ(merged.instance_id, "i-0123");
}

TEST(MergeRun, LetsTheSameStateCorrectWhatWasKnown) {
  parallax::Run known = run_in(RunState::done);
  known.billed_seconds = 74;
  parallax::Run news = run_in(RunState::done);
  news.billed_seconds = 75;
  news.cost_usd = 0.001;
  const parallax::Run merged = merge_run(known, news);
  EXPECT_EQ(merged.billed_seconds, 75);
  EXPECT_EQ(merged.cost_usd, 0.001);
}

TEST(MergeRun, JoinsTimelinesInOrderOfTimeWithoutRepeats) {
  parallax::Run known = run_in(RunState::running);
  known.timeline = {{at(0), RunState::issued, ""}, {at(9), RunState::running, ""}};
  parallax::Run news = run_in(RunState::running);
  news.timeline = {{at(3), RunState::starting, "claimed"}, {at(9), RunState::running, ""}};
  const parallax::Run merged = merge_run(known, news);
  ASSERT_EQ(merged.timeline.size(), 3U);
  EXPECT_EQ(merged.timeline[0].state, RunState::issued);
  EXPECT_EQ(merged.timeline[1].note, "claimed");
  EXPECT_EQ(merged.timeline[2].state, RunState::running);
}

TEST(MergeRun, KeepsMembersThatItDoesNotKnow) {
  parallax::Run known = run_in(RunState::running);
  known.extra.set("spot", true);
  parallax::Run news = run_in(RunState::starting);
  news.extra.set("spot", false);
  news.extra.set("zone", "a");
  const parallax::Run merged = merge_run(known, news);
  EXPECT_EQ(*merged.extra.find("spot"), Json(true));
  EXPECT_EQ(*merged.extra.find("zone"), Json("a"));
}

}  // namespace
}  // namespace parallax::store
