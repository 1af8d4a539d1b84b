#include "probe/provider_queue.h"

#include <gtest/gtest.h>

namespace parallax::probe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Monotonic kBegin{Seconds(1000)};
const Instant kMidnight{std::chrono::sys_days(
    std::chrono::year_month_day(std::chrono::year(2026), std::chrono::March, std::chrono::day(1)))};

ProviderTimetable table_of(std::size_t queries, Provider provider = {.name = "P"}) {
  ProviderTimetable table{std::move(provider), Seconds(1), {}};
  for (std::size_t i = 0; i < queries; ++i) {
    PlannedQuery query;
    query.sequence = static_cast<std::int64_t>(i);
    query.cone = i;
    query.offset = static_cast<std::int64_t>(i) * table.interval;
    table.queries.push_back(query);
  }
  return table;
}

TEST(QuietFor, CountsToTheEndOfTheHoursAlsoOverMidnightAndWhereOneFollowsAnother) {
  const std::vector<QuietHours> night = {{22 * 60, 6 * 60 + 30}};
  EXPECT_EQ(quiet_for(night, kMidnight + hours(12)), Micros(0));
  EXPECT_EQ(quiet_for(night, kMidnight + hours(22)), hours(8) + minutes(30));
  EXPECT_EQ(quiet_for(night, kMidnight + hours(1)), hours(5) + minutes(30));
  EXPECT_EQ(quiet_for(night, kMidnight + hours(6) + minutes(30)), Micros(0));
  EXPECT_EQ(quiet_for({{60, 120}, {120, 180}}, kMidnight + minutes(90)), minutes(90));
  EXPECT_EQ(quiet_for({{23 * 60, 24 * 60}, {0, 60}}, kMidnight + hours(23)), hours(2));
  EXPECT_EQ(quiet_for({{0, 720}, {720, 1440}}, kMidnight + hours(3)), hours(24));
  EXPECT_EQ(quiet_for({}, kMidnight), Micros(0));
}

TEST(ProviderQueue, StartsLieApartAsAgreedWhateverTheWorkersDo) {
  ProviderQueue queue(table_of(3), kBegin, kMidnight, Monotonic::max());
  EXPECT_EQ(queue.next(kBegin)->start, kBegin);
  EXPECT_EQ(queue.next(kBegin + Seconds(5))->start, kBegin + Seconds(5));
  EXPECT_EQ(queue.next(kBegin + Seconds(5))->start, kBegin + Seconds(6));
  EXPECT_FALSE(queue.next(kBegin + Seconds(5)));
}

TEST(ProviderQueue, AnAskedForPauseMovesWhatWasHandedOutAlready) {
  ProviderQueue queue(table_of(3), kBegin, kMidnight, Monotonic::max());
  queue.next(kBegin);
  auto second = *queue.next(kBegin);
  auto third = *queue.next(kBegin);
  queue.throttled(Seconds(60), kBegin + Millis(500));
  EXPECT_TRUE(queue.moved(second, second.start));
  EXPECT_GE(second.start, kBegin + Seconds(60));
  EXPECT_TRUE(queue.moved(third, third.start));
  EXPECT_GE(third.start, second.start + Seconds(2));  // twice the agreed distance
  EXPECT_FALSE(queue.moved(second, second.start));
  EXPECT_EQ(second.missed, nullptr);
}

TEST(ProviderQueue, WithoutRetryAfterThePausesGrowUpToALimitAndEndWithAGoodAnswer) {
  ProviderQueue queue(table_of(100), kBegin, kMidnight, Monotonic::max());
  Monotonic now = kBegin;
  const auto pause = [&] {
    queue.throttled(Micros(0), now);
    const Micros waited = queue.next(now)->start - now;
    now += waited + hours(1);
    return waited;
  };
  EXPECT_EQ(pause(), Seconds(2));
  EXPECT_EQ(pause(), Seconds(4));
  EXPECT_EQ(pause(), Seconds(8));
  for (int i = 0; i < 10; ++i) {
    pause();
  }
  EXPECT_EQ(pause(), ProviderQueue::kBackoffMax);
  queue.answered();
  EXPECT_EQ(pause(), Seconds(2));
}

TEST(ProviderQueue, ComesBackToTheAgreedDistanceAfterManyGoodAnswers) {
  ProviderQueue queue(table_of(1000), kBegin, kMidnight, Monotonic::max());
  queue.throttled(Seconds(5), kBegin);
  queue.throttled(Seconds(5), kBegin);
  const auto distance = [&] {
    const Monotonic later = kBegin + hours(10);
    const Monotonic first = queue.next(later)->start;
    return queue.next(later)->start - first;
  };
  EXPECT_EQ(distance(), Seconds(4));
  for (int i = 0; i < ProviderQueue::kAnswersUntilQuicker; ++i) {
    queue.answered();
  }
  queue.next(kBegin + hours(10));
  EXPECT_EQ(distance(), Seconds(2));
  for (int i = 0; i < 3 * ProviderQueue::kAnswersUntilQuicker; ++i) {
    queue.answered();
  }
  queue.next(kBegin + hours(10));
  EXPECT_EQ(distance(), Seconds(1));
}

TEST(ProviderQueue, AStartInQuietHoursMovesBehindThemWhereTheOrderLastsThatLong) {
  const Provider quiet{.name = "P", .quiet_hours = {{0, 30}}};
  ProviderQueue bounded(table_of(2, quiet), kBegin, kMidnight + minutes(29), kBegin + hours(1));
  const auto first = *bounded.next(kBegin);
  EXPECT_EQ(first.missed, nullptr);
  EXPECT_EQ(first.start, kBegin + minutes(1));
  EXPECT_EQ(bounded.next(kBegin)->start, kBegin + minutes(1) + Seconds(1));

  ProviderQueue short_order(table_of(1, quiet), kBegin, kMidnight + minutes(10), kBegin + minutes(15));
  EXPECT_STREQ(short_order.next(kBegin)->missed, "quiet-hours");
  ProviderQueue endless(table_of(1, quiet), kBegin, kMidnight + minutes(10), Monotonic::max());
  EXPECT_STREQ(endless.next(kBegin)->missed, "quiet-hours");
  ProviderQueue day(table_of(1, quiet), kBegin, kMidnight + minutes(31), Monotonic::max());
  EXPECT_EQ(day.next(kBegin)->missed, nullptr);
}

TEST(ProviderQueue, WhoOptedOutIsNeverAsked) {
  ProviderQueue queue(table_of(2, {.name = "P", .opt_out = true}), kBegin, kMidnight, Monotonic::max());
  EXPECT_STREQ(queue.next(kBegin)->missed, "opted-out");
  EXPECT_STREQ(queue.next(kBegin)->missed, "opted-out");
  EXPECT_FALSE(queue.next(kBegin));
}

TEST(ProviderQueue, APauseBeyondTheDeadlineEndsTheAsking) {
  ProviderQueue queue(table_of(2), kBegin, kMidnight, kBegin + Seconds(30));
  queue.next(kBegin);
  auto second = *queue.next(kBegin);
  queue.pause_until(kBegin + Seconds(40));
  EXPECT_TRUE(queue.moved(second, second.start));
  EXPECT_STREQ(second.missed, "deadline");
}

}  // namespace
}  // namespace parallax::probe
