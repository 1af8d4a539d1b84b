#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/queue.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/time.h"

namespace parallax {
namespace {

TEST(Time, WritesSixDigitsAndZ) {
  EXPECT_EQ(to_iso8601(Instant(Micros(1'763'805'600'000'123))), "2025-11-22T10:00:00.000123Z");
}

TEST(Time, ReadsWhatItWrites) {
  for (const std::int64_t us : {0LL, 1LL, 951'782'400'000'000LL, 1'763'805'600'999'999LL}) {
    const Result<Instant> read = parse_iso8601(to_iso8601(Instant(Micros(us))));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->time_since_epoch().count(), us);
  }
}

TEST(Time, ReadsBlankSeparatorAndShortFractions) {
  EXPECT_EQ(to_iso8601(parse_iso8601("2025-11-22 10:00:00.5").value()), "2025-11-22T10:00:00.500000Z");
  EXPECT_EQ(to_iso8601(parse_iso8601("2025-11-22T10:00:00+00:00").value()), "2025-11-22T10:00:00.000000Z");
}

TEST(Time, RefusesWhatIsNoInstant) {
  for (const char* text : {"", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-22",
                           "2025-11-22T10:00:00+01:00", "2025-11-22T10:00:00.Z", "2025-11-22T24:00:00Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

TEST(Time, ReadsAndWritesHttpDates) {
  const Result<Instant> read = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(read);
  EXPECT_EQ(to_http_date(*read), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(parse_http_date("06 Nov 1994 08:49:37"));
}

TEST(Time, ReadsDurationsWithUnitsOnly) {
  EXPECT_EQ(parse_duration("1h30m").value(), Micros(5'400'000'000));
  EXPECT_EQ(parse_duration("250ms").value(), Micros(250'000));
  for (const char* text : {"", "30", "-3s", "3x", "s", "999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Ids, UlidKeepsItsTimeAndSorts) {
  Xoshiro rng(1);
  const Instant now = parse_iso8601("2026-11-22T10:00:00.123Z").value();
  const std::string early = make_ulid(now, rng);
  const std::string late = make_ulid(now + Millis(1), rng);
  EXPECT_EQ(early.size(), 26U);
  EXPECT_LT(early, late);
  EXPECT_EQ(ulid_time(early).value(), now);
  EXPECT_FALSE(ulid_time("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(ulid_time("short"));
}

TEST(Rng, GivesThePublishedSequence) {
  // The widely published first outputs for a state filled by SplitMix64(0).
  Xoshiro rng(0);
  EXPECT_EQ(rng.next(), 0x99EC5F36CB75F2B4U);
  EXPECT_EQ(rng.next(), 0xBF6E1F784956452AU);
}

TEST(Text, ShowsControlCharactersAsHex) {
  EXPECT_EQ(terminal_safe("a\x1b[31m\xc2\x9b\xff\n"), "a\\x1b[31m\\xc2\\x9b\\xff\\x0a");
  EXPECT_EQ(terminal_safe("caf\xc3\xa9"), "caf\xc3\xa9");
}

TEST(Text, PointsAtThePlace) {
  EXPECT_EQ(point_at("a.toml", "x = 1\nregions = [\"us-esat-1\"]\n", 2, 12, "unknown region 'us-esat-1'"),
            "a.toml:2:12: unknown region 'us-esat-1'\n  regions = [\"us-esat-1\"]\n             ^");
}

TEST(Text, SuggestsTheNearestWord) {
  EXPECT_EQ(suggest("us-esat-1", {"us-west-2", "us-east-1", "eu-west-3"}), "us-east-1");
  EXPECT_EQ(suggest("zzz", {"us-west-2"}), "");
}

TEST(BoundedQueue, HandsOverInOrderAndStopsWhenClosed) {
  const auto executor = make_thread_executor();
  const auto clock = make_system_clock();
  BoundedQueue<int> queue(*executor, 2);
  const Monotonic deadline = clock->monotonic() + Seconds(20);
  const auto producer = executor->spawn("producer", [&](const std::stop_token& stop) {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(queue.push(i, deadline, stop));
    }
    queue.close();
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(queue.pop(deadline, {}), i);
  }
  EXPECT_EQ(queue.pop(deadline, {}), std::nullopt);
}

TEST(BoundedQueue, GivesUpAtTheDeadline) {
  const auto executor = make_thread_executor();
  const auto clock = make_system_clock();
  BoundedQueue<int> queue(*executor, 1);
  EXPECT_EQ(queue.pop(clock->monotonic() + Millis(5), {}), std::nullopt);
  EXPECT_TRUE(queue.push(1, clock->monotonic() + Millis(5), {}));
  EXPECT_FALSE(queue.push(2, clock->monotonic() + Millis(5), {}));
}

}  // namespace
}  // namespace parallax
