#include "vo/uws_poll.h"

#include <vector>

#include <gtest/gtest.h>

namespace parallax::vo {
namespace {

TEST(PollSchedule, WaitsThirtySecondsAtATimeOnAServerThatBlocks) {
  PollSchedule schedule{PollLimits{}};
  for (int i = 0; i < 5; ++i) {
    const Poll poll = schedule.next(UwsPhase::executing, Seconds(600)).value();
    EXPECT_EQ(poll.sleep, Micros(0));
    EXPECT_EQ(poll.wait_seconds, 30);
    schedule.answered(Seconds(30), UwsPhase::executing);
  }
}

TEST(PollSchedule, StaysWithinTheBudgetAndTheTimeoutOfARequest) {
  PollLimits limits;
  limits.request_timeout = Seconds(20);
  EXPECT_EQ(PollSchedule(limits).next(UwsPhase::queued, Seconds(600))->wait_seconds, 15);
  EXPECT_EQ(PollSchedule(limits).next(UwsPhase::queued, Millis(7900))->wait_seconds, 7);
  limits.request_timeout = Seconds(4);
  EXPECT_EQ(PollSchedule(limits).next(UwsPhase::queued, Seconds(600))->wait_seconds, 0);
  EXPECT_FALSE(PollSchedule(limits).next(UwsPhase::queued, Micros(0)).has_value());
}

TEST(PollSchedule, AsksLessAndLessOftenWhereWaitIsIgnored) {
  PollSchedule schedule{PollLimits{}};
  Micros spent{0};
  std::vector<Micros> gaps;
  while (const auto poll = schedule.next(UwsPhase::executing, Seconds(60) - spent)) {
    EXPECT_LE(spent + poll->sleep, Seconds(60));
    gaps.push_back(poll->sleep);
    spent += poll->sleep + Millis(10);
    schedule.answered(Millis(10), UwsPhase::executing);
  }
  ASSERT_GE(gaps.size(), 8U);
  EXPECT_EQ(std::vector<Micros>(gaps.begin(), gaps.begin() + 8),
            (std::vector<Micros>{Micros(0), Millis(250), Millis(500), Seconds(1), Seconds(2), Seconds(4), Seconds(5),
                                 Seconds(5)}));
  EXPECT_LT(gaps.size(), 20U);  // a minute in fewer than twenty polls
}

TEST(PollSchedule, AsksAtOnceAgainWhenThePhaseHasChanged) {
  PollSchedule schedule{PollLimits{}};
  EXPECT_EQ(schedule.next(UwsPhase::pending, Seconds(60))->sleep, Micros(0));
  schedule.answered(Millis(10), UwsPhase::pending);
  EXPECT_EQ(schedule.next(UwsPhase::pending, Seconds(60))->sleep, Millis(250));
  schedule.answered(Millis(10), UwsPhase::executing);
  EXPECT_EQ(schedule.next(UwsPhase::executing, Seconds(60))->sleep, Micros(0));
}

TEST(PollSchedule, SendsNoWaitWhereTheServerWouldNotBlock) {
  for (const UwsPhase phase : {UwsPhase::held, UwsPhase::suspended, UwsPhase::unknown, UwsPhase::other}) {
    PollSchedule schedule{PollLimits{}};
    const Poll first = schedule.next(phase, Seconds(60)).value();
    EXPECT_EQ(first.wait_seconds, 0);
    EXPECT_EQ(first.sleep, Millis(250));
    schedule.answered(Seconds(40), phase);  // slow, but not blocking
    EXPECT_EQ(schedule.next(phase, Seconds(60))->sleep, Millis(500));
  }
}

TEST(PollSchedule, EndsAfterSoManyPolls) {
  PollLimits limits;
  limits.polls_max = 3;
  PollSchedule schedule(limits);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(schedule.next(UwsPhase::queued, Seconds(600)).has_value());
    schedule.answered(Millis(1), UwsPhase::queued);
  }
  EXPECT_FALSE(schedule.next(UwsPhase::queued, Seconds(600)).has_value());
  EXPECT_EQ(schedule.polls(), 3);
}

}  // namespace
}  // namespace parallax::vo
