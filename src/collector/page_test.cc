#include "collector/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/collector_test_support.h"
#include "collector/page_parts.h"

namespace parallax::collector {
namespace {

using test::at;
using test::Bench;
using test::measurement;
using test::ndjson;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(Bench& bench, const std::string& target = "/") {
  const http::Response response = bench.get(target);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/html; charset=utf-8");
  return response.body;
}

TEST(Page, SaysThatThereIsNothingYet) {
  Bench bench;
  EXPECT_THAT(page_of(bench), HasSubstr("No measurements yet."));
}

TEST(Page, ShowsServicesByVantageWithMediansAndVerdicts) {
  Bench bench;
  Measurement late = measurement(1, 2);
  late.verdict = Verdict::timeout;
  Measurement elsewhere = measurement(2, 0);
  elsewhere.vantage = "eu-west-3";
  elsewhere.total_us = 850'000;
  bench.post_measurements(bench.token(Role::controller),
                          ndjson({measurement(1, 0), measurement(1, 1), late, elsewhere}));
  const std::string page = page_of(bench);
  EXPECT_THAT(page, HasSubstr("<table id=\"summary\">"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\">eu-west-3</th><th scope=\"col\">us-west-2</th>"));
  EXPECT_THAT(page, HasSubstr("2 ok, 1 timeout"));
  EXPECT_THAT(page, HasSubstr("850 ms"));
  EXPECT_THAT(page, HasSubstr("<td class=\"heat0\">"));
  EXPECT_THAT(page, HasSubstr("<td class=\"heat5\">"));
  EXPECT_THAT(page, Not(HasSubstr("not delayed by the relay")));
}

TEST(Page, SaysThatARelayDoesNotDelayConnects) {
  Bench bench;
  Measurement m = measurement(1, 0);
  m.path = "relay";
  bench.post_measurements(bench.token(Role::vantage), ndjson({m}));
  EXPECT_THAT(page_of(bench), HasSubstr("connect is not delayed by the relay"));
}

TEST(Page, ShowsRunsWithStepsSecondsAndUnknownCosts) {
  Bench bench;
  parallax::Run run = test::run(1, RunState::failed);
  run.timeline = {{at(0), RunState::starting, "claimed"}, {at(12), RunState::failed, ""}};
  run.billed_seconds = 61;
  run.exit_code = 3;
  run.cause = "the agent did not answer";
  run.log_tail = "one\ntwo";
  ASSERT_TRUE(bench.store->upsert_run(run, at(20)));
  const std::string page = page_of(bench);
  EXPECT_THAT(page, HasSubstr("<table id=\"runs\">"));
  EXPECT_THAT(page, HasSubstr("61 s"));
  EXPECT_THAT(page, HasSubstr("unknown"));
  EXPECT_THAT(page, HasSubstr("the agent did not answer"));
  EXPECT_THAT(page, HasSubstr("<pre>one\ntwo</pre>"));
  EXPECT_THAT(page, HasSubstr("title=\"claimed\""));
}

TEST(Page, ShowsHostileTextAsText) {
  Bench bench;
  Measurement m = measurement(1, 0);
  m.service = "<script>alert(1)</script>";
  m.provider = "\"><img src=x onerror=alert(1)>";
  m.verdict = Verdict::service_error;
  m.message = "\x1b[2Jgone";
  m.code = "=cmd|' /C calc'!A0";
  bench.post_measurements(bench.token(Role::vantage), ndjson({m}));
  parallax::Run run = test::run(1, RunState::failed);
  run.cause = run.log_tail = "<script>alert(1)</script>\x1b[2J";
  run.timeline = {{at(0), RunState::starting, "\" onload=\"alert(1)"}};
  ASSERT_TRUE(bench.store->upsert_run(run, at(20)));
  const std::string page = page_of(bench);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr(" onload=\"")));
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("\\x1b[2Jgone"));
  EXPECT_THAT(page, HasSubstr("=cmd|&#39; /C calc&#39;!A0"));
  // JSON gives it back as it came, as JSON and not as a page.
  const http::Response api = bench.get("/api/v1/measurements");
  EXPECT_EQ(api.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(parse_json(api.body).value().list("measurements").at(0).text("message"), "\x1b[2Jgone");
  EXPECT_EQ(api.body.find('\x1b'), std::string::npos);
}

TEST(Page, RefusesParametersThatItDoesNotKnow) {
  Bench bench;
  EXPECT_EQ(bench.get("/?rond=1").status, 400);
}

TEST(Page, ServesItsStyleAndIcon) {
  Bench bench;
  EXPECT_THAT(bench.get("/assets/style.css").body, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(bench.get("/assets/icon.svg").body, HasSubstr("</svg>"));
  EXPECT_EQ(bench.get("/assets/icon.svg").headers.get("Content-Type"), "image/svg+xml");
}

TEST(Page, TintsByTheShareBetweenFastestAndSlowest) {
  EXPECT_EQ(heat(100, 100, 105), 0) << "less than a tenth is no difference";
  EXPECT_EQ(heat(100, 100, 1000), 0);
  EXPECT_EQ(heat(1000, 100, 1000), 5);
  EXPECT_EQ(heat(316, 100, 1000), 2);
  EXPECT_EQ(heat(0, 0, 0), 0);
}

TEST(Page, WritesLargeNumbersWithCommas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace parallax::collector
