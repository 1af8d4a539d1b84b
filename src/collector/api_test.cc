#include "collector/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/collector_test_support.h"

namespace parallax::collector {
namespace {

using test::at;
using test::Bench;
using test::error_code;
using test::measurement;
using test::ndjson;
using test::run_id;
using ::testing::HasSubstr;

// Two vantages of one fleet, one run of another fleet.
struct Filled : Bench {
  explicit Filled(
      CollectorOptions options = {.reading_open = true, .allowed_hosts = {}, .build = "", .body = {}, .rate = {}})
      : Bench(std::move(options)) {
    Measurement elsewhere = measurement(2, 0);
    elsewhere.vantage = "eu-west-3";
    Measurement failed = measurement(1, 1);
    failed.verdict = Verdict::timeout;
    post_measurements(token(Role::controller), ndjson({measurement(1, 0), failed, elsewhere}));
    TokenPayload other = claims(Role::controller);
    other.fleet = "OTHER";
    Measurement foreign = measurement(3, 0);
    foreign.fleet = "OTHER";
    post_measurements(token(other), ndjson({foreign}));
  }

  std::size_t count(const std::string& query, const std::string& token = "") {
    return get_json("/api/v1/measurements?" + query, token).list("measurements").size();
  }
};

TEST(Api, FiltersMeasurements) {
  Filled bench;
  EXPECT_EQ(bench.count(""), 4U);
  EXPECT_EQ(bench.count("fleet=NAVO"), 3U);
  EXPECT_EQ(bench.count("vantage=eu-west-3"), 1U);
  EXPECT_EQ(bench.count("run_id=" + run_id(1)), 2U);
  EXPECT_EQ(bench.count("verdict=timeout"), 1U);
  EXPECT_EQ(bench.count("verdict=failed"), 1U);
  EXPECT_EQ(bench.count("since=" + to_iso8601(at(1))), 1U);
  EXPECT_EQ(bench.count("until=2026-11-22T10:00:01Z&fleet=NAVO"), 2U);
}

TEST(Api, PagesWithACursor) {
  Filled bench;
  const Json first = bench.get_json("/api/v1/measurements?limit=3");
  EXPECT_EQ(first.list("measurements").size(), 3U);
  const Json second = bench.get_json("/api/v1/measurements?limit=3&cursor=" + first.text("next"));
  EXPECT_EQ(second.list("measurements").size(), 1U);
  EXPECT_TRUE(second.find("next")->is_null());
}

TEST(Api, SumsUp) {
  Filled bench;
  const Json json = bench.get_json("/api/v1/summary?fleet=NAVO");
  ASSERT_EQ(json.list("rows").size(), 2U);
  const Json& row = json.list("rows").at(1);
  EXPECT_EQ(row.text("vantage"), "us-west-2");
  EXPECT_EQ(row.integer("count", 0), 2);
  EXPECT_EQ(row.integer("successes", 0), 1);
  EXPECT_EQ(row.find("verdicts")->dump(), R"({"ok":1,"timeout":1})");
  EXPECT_EQ(row.integer("median_total_us", 0), 1000);
}

TEST(Api, NamesAParameterThatItDoesNotKnow) {
  Filled bench;
  const http::Response response = bench.get("/api/v1/measurements?vantag=x");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("parameter 'vantag' is not known here; did you mean 'vantage'?"));
}

TEST(Api, RefusesParametersThatMakeNoSense) {
  Filled bench;
  for (const char* query : {"limit=0", "limit=10001", "limit=1x", "limit=", "since=yesterday", "verdict=fine",
                            "vantage=a&vantage=b", "cursor=-1", "vantage=%zz"}) {
    EXPECT_EQ(bench.get(std::string("/api/v1/measurements?") + query).status, 400) << query;
  }
}

TEST(Api, BindsAReaderToTheFleetOfItsToken) {
  Filled bench({.reading_open = false, .allowed_hosts = {}, .build = "", .body = {}, .rate = {}});
  const std::string token = bench.token(Role::read);
  EXPECT_EQ(bench.count("", token), 3U);
  EXPECT_EQ(bench.get("/api/v1/measurements?fleet=OTHER", token).status, 403);
  EXPECT_EQ(bench.get("/api/v1/summary?fleet=OTHER", token).status, 403);
  EXPECT_EQ(bench.get("/api/v1/runs?fleet=OTHER", token).status, 403);
  TokenPayload all = bench.claims(Role::admin);
  all.fleet = "";
  EXPECT_EQ(bench.count("", bench.token(all)), 4U);
}

TEST(Api, SaysWhichMethodsAPathTakes) {
  Bench bench;
  http::Request request;
  request.method = "DELETE";
  request.url = "/api/v1/runs";
  const http::Response response = bench.send(request);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.get("Allow"), "GET, POST");
  EXPECT_EQ(bench.post("/", bench.token(Role::admin), "").status, 405);
  EXPECT_EQ(bench.get("/nowhere").status, 404);
  EXPECT_EQ(error_code(bench.get("/api/v1/runs/../../etc/passwd")), "not-found");
}

TEST(Api, ProtectsEveryAnswer) {
  Bench bench;
  for (const char* target : {"/", "/api/v1/runs", "/nowhere", "/assets/style.css", "/healthz"}) {
    const http::Response response = bench.get(target);
    EXPECT_THAT(response.headers.get("Content-Security-Policy"), HasSubstr("default-src 'none'")) << target;
    EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(response.headers.get("Referrer-Policy"), "no-referrer") << target;
    EXPECT_EQ(response.headers.find("Access-Control-Allow-Origin"), nullptr) << target;
  }
  EXPECT_EQ(bench.get("/api/v1/runs").headers.get("Cache-Control"), "no-store");
}

TEST(Api, SaysThatItIsHealthy) {
  Bench bench;
  EXPECT_EQ(bench.get_json("/healthz").text("status"), "ok");
  EXPECT_EQ(bench.get_json("/healthz").text("build"), "test");
}

}  // namespace
}  // namespace parallax::collector
