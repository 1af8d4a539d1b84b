#include "collector/pauses.h"

#include <gtest/gtest.h>

#include "collector/collector_test_support.h"

namespace parallax::collector {
namespace {

using test::at;
using test::measurement;

Measurement throttled(Instant started, std::optional<std::int64_t> retry_after_us, int status = 429) {
  Measurement m = measurement(1, 0);
  m.fleet = "NAVO";
  m.provider = "P";
  m.http_status = status;
  m.started_at = started;
  m.total_us = 1'000'000;
  m.retry_after_us = retry_after_us;
  return m;
}

std::int64_t wait_us(PauseBoard& board, Instant now, std::string_view fleet = "NAVO") {
  const JsonArray list = board.list(fleet, now);
  return list.empty() ? 0 : list.front().integer("wait_us", -1);
}

TEST(PauseBoard, HoldsForAFleetAsLongAsRetryAfterSaid) {
  PauseBoard board;
  board.note(throttled(at(100), 60'000'000), at(102));
  EXPECT_EQ(wait_us(board, at(102)), 59'000'000);
  EXPECT_EQ(wait_us(board, at(102), ""), 59'000'000);
  EXPECT_EQ(wait_us(board, at(102), "other"), 0);
  board.note(throttled(at(100), 5'000'000), at(102));  // a shorter one ends no longer one
  EXPECT_EQ(wait_us(board, at(102)), 59'000'000);
  EXPECT_EQ(wait_us(board, at(161)), 0);
}

TEST(PauseBoard, BoundsWhatServicesAndClocksSay) {
  PauseBoard board;
  board.note(throttled(at(100), 1'000'000'000'000), at(101));
  EXPECT_EQ(wait_us(board, at(101)), PauseBoard::kPauseMax.count());
  PauseBoard ahead;
  ahead.note(throttled(at(9000), 2'000'000), at(101));
  EXPECT_EQ(wait_us(ahead, at(101)), 2'000'000);
  PauseBoard old;
  old.note(throttled(at(100), 60'000'000), at(1000));
  EXPECT_EQ(wait_us(old, at(1000)), 0);
}

TEST(PauseBoard, TakesAShortPauseWhereNoneWasSaidAndNothingFromGoodAnswers) {
  PauseBoard board;
  board.note(throttled(at(100), std::nullopt, 200), at(101));
  EXPECT_EQ(wait_us(board, at(101)), 0);
  board.note(throttled(at(100), std::nullopt, 503), at(101));
  EXPECT_EQ(wait_us(board, at(101)), PauseBoard::kPauseDefault.count());
}

TEST(PauseBoard, IsFedByIngestAndReadByVantages) {
  test::Bench bench;
  const std::string token = bench.token(Role::vantage);
  Measurement m = throttled(bench.clock.now() - Seconds(1), 60'000'000);
  m.vantage = "us-west-2";
  ASSERT_EQ(bench.post_measurements(token, test::ndjson({m})).status, 200);
  http::Request request;
  request.method = "GET";
  request.url = "/api/v1/pauses";
  request.headers.set("Host", "localhost");
  request.headers.set("Authorization", "Bearer " + token);
  const http::Response answer = bench.send(request);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = parse_json(answer.body).value();
  ASSERT_EQ(json.list("pauses").size(), 1U) << answer.body;
  EXPECT_EQ(json.list("pauses")[0].text("provider"), "P");
  EXPECT_EQ(json.list("pauses")[0].integer("wait_us", 0), 60'000'000);
  // The same record once more adds nothing, also much later.
  bench.clock.passed = Seconds(120);
  ASSERT_EQ(bench.post_measurements(token, test::ndjson({m})).status, 200);
  EXPECT_EQ(parse_json(bench.send(request).body)->list("pauses").size(), 0U);
  request.url = "/api/v1/pauses?fleet=other";
  EXPECT_EQ(bench.send(request).status, 403);
  request.url = "/api/v1/pauses?flet=NAVO";
  EXPECT_EQ(bench.send(request).status, 400);
}

}  // namespace
}  // namespace parallax::collector
