#include "fleet/trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

using ::testing::HasSubstr;

// A call of a second that ends at second `end`, of a caller that gives up at second 300.
CallTimes call_until(int end) {
  const Instant start = parse_iso8601("2026-11-22T12:01:00Z").value();
  return CallTimes{Monotonic(Seconds(end - 1)), Monotonic(Seconds(end)), start + Seconds(end), Monotonic(Seconds(300))};
}

TEST(Trouble, IsToldOnceWhenItLastsAndOnceWhenItIsOver) {
  Trouble trouble("EC2");
  const Error error = make_error(ErrorKind::unavailable, "connection refused");
  EXPECT_FALSE(trouble.failed(error, call_until(1)));
  EXPECT_EQ(trouble.failed(error, call_until(10)).value_or(""),
            "EC2 cannot be reached since 12:01:00, trying until 12:06:00 UTC: connection refused");
  EXPECT_FALSE(trouble.failed(error, call_until(20)));
  EXPECT_EQ(trouble.answered(call_until(43)).value_or(""), "EC2 answers again after 43.0 s");
  EXPECT_FALSE(trouble.answered(call_until(44)));
}

TEST(Trouble, IsToldAnewWhenItChangesItsKind) {
  Trouble trouble("SSM");
  Error error = make_error(ErrorKind::unavailable, "HTTP 503");
  error.status = 503;
  EXPECT_THAT(trouble.failed(error, call_until(1)).value_or("nothing"), HasSubstr("nothing"));
  EXPECT_THAT(trouble.failed(error, call_until(7)).value_or(""), HasSubstr("SSM answers with errors since 12:01:00"));
  EXPECT_THAT(trouble.failed(make_error(ErrorKind::throttled, "slow"), call_until(9)).value_or(""),
              HasSubstr("SSM asks us to slow down since 12:01:00"));
}

TEST(Trouble, ABriefOneIsNotWorthALine) {
  Trouble trouble("EC2");
  EXPECT_FALSE(trouble.failed(make_error(ErrorKind::timeout, "lost"), call_until(1)));
  EXPECT_FALSE(trouble.answered(call_until(3)));
  EXPECT_FALSE(trouble.failed(make_error(ErrorKind::timeout, "lost"), call_until(60)));
}

TEST(Trouble, AnAnswerThatSaysNoIsNoTrouble) {
  Trouble trouble("SSM");
  for (int second = 1; second < 100; ++second) {
    EXPECT_FALSE(trouble.failed(make_error(ErrorKind::conflict, "InvalidInstanceId"), call_until(second)));
    EXPECT_FALSE(trouble.failed(make_error(ErrorKind::cancelled, "stopped"), call_until(second)));
  }
}

}  // namespace
}  // namespace parallax::fleet
