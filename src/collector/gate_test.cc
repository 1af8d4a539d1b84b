#include "collector/gate.h"

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
using ::testing::HasSubstr;

struct Refused {
  Bench bench;

  // The code of the answer, whose count must have gone up by one.
  std::string code(const std::string& token) {
    const http::Response response = bench.post_measurements(token, ndjson({measurement(1, 0)}));
    EXPECT_EQ(response.status, 401);
    EXPECT_THAT(response.headers.get("WWW-Authenticate"), HasSubstr("Bearer"));
    const std::string found = error_code(response);
    EXPECT_EQ(bench.counter(found), 1);
    return found;
  }
};

TEST(Gate, NamesAndCountsWhatIsWrongWithAToken) {
  Refused refused;
  Bench& bench = refused.bench;
  EXPECT_EQ(refused.code(""), "token.missing");
  EXPECT_EQ(refused.code("nonsense"), "token.malformed");
  EXPECT_EQ(refused.code(sign_token(bench.claims(Role::vantage), make_signing_key().value()).value()),
            "token.unknown-key");
  // The signature of another token with the same key.
  const std::string mine = bench.token(Role::vantage);
  const std::string other = bench.token(Role::admin);
  EXPECT_EQ(refused.code(mine.substr(0, mine.rfind('.')) + other.substr(other.rfind('.'))), "token.bad-signature");
  TokenPayload late = bench.claims(Role::vantage);
  late.expiry = bench.clock.now() - kClockTolerance - Micros(1);
  late.not_before = late.expiry - Seconds(60);
  EXPECT_EQ(refused.code(bench.token(late)), "token.expired");
  TokenPayload early = bench.claims(Role::vantage);
  early.not_before = bench.clock.now() + kClockTolerance + Micros(1);
  EXPECT_EQ(refused.code(bench.token(early)), "token.not-yet-valid");
  ASSERT_TRUE(bench.store->retire_key(bench.key.key_id, at(0)));
  bench.clock.passed += Seconds(6);
  EXPECT_EQ(refused.code(bench.token(Role::vantage)), "token.retired-key");
  EXPECT_TRUE(bench.get_json("/api/v1/measurements").list("measurements").empty());
}

TEST(Gate, RefusesBeforeTheBodyIsRead) {
  Bench bench;
  http::Request head;
  head.method = "POST";
  head.url = "/api/v1/measurements";
  ASSERT_TRUE(bench.collector.admit(head).answer);
  EXPECT_EQ(bench.collector.admit(head).answer->status, 401);
  head.headers.set("Authorization", "Bearer " + bench.token(Role::vantage));
  EXPECT_FALSE(bench.collector.admit(head).answer);
  EXPECT_EQ(bench.collector.admit(head).body_bytes_max, 8U << 20U);
}

TEST(Gate, LetsNoRoleDoWhatIsNotItsOwn) {
  Bench bench({.reading_open = false, .allowed_hosts = {}, .build = "", .body = {}, .rate = {}});
  EXPECT_EQ(bench.post_measurements(bench.token(Role::read), ndjson({measurement(1, 0)})).status, 403);
  EXPECT_EQ(bench.get("/api/v1/runs", bench.token(Role::vantage)).status, 403);
  EXPECT_EQ(bench.get("/api/v1/runs", bench.token(Role::read)).status, 200);
  EXPECT_EQ(bench.get("/api/v1/runs").status, 401);
  EXPECT_EQ(bench.get("/").status, 401);
  EXPECT_EQ(bench.get("/healthz").status, 200);
}

TEST(Gate, WorksAtOnceWithAKeyThatWasJustAdded) {
  Bench bench;
  const SigningKey fresh = make_signing_key().value();
  const std::string token = sign_token(bench.claims(Role::vantage), fresh).value();
  EXPECT_EQ(bench.post_measurements(token, "").status, 401);
  EXPECT_EQ(add_public_key(*bench.store, to_public_text(fresh), at(0)).value(), fresh.key_id);
  EXPECT_EQ(bench.post_measurements(token, "").status, 200);
}

TEST(RateLimiter, LetsABurstPassAndThenTheRate) {
  RateLimiter limiter({.records_per_second = 10, .burst = 100});
  const Monotonic start{Seconds(1)};
  EXPECT_EQ(limiter.wait("a", start), Micros(0));
  limiter.charge("a", 120, start);
  EXPECT_NEAR(static_cast<double>(limiter.wait("a", start).count()), 2.1e6, 10);
  EXPECT_EQ(limiter.wait("b", start), Micros(0)) << "others are not affected";
  EXPECT_GT(limiter.wait("a", start + Millis(1990)), Micros(0));
  EXPECT_EQ(limiter.wait("a", start + Millis(2010)), Micros(0));
}

TEST(RateLimiter, AnswersTooManyRequestsWithWhenToComeBack) {
  Bench bench({.reading_open = true,
               .allowed_hosts = {},
               .build = "",
               .body = {},
               .rate = {.records_per_second = 10, .burst = 20}});
  const std::string token = bench.token(Role::vantage);
  EXPECT_EQ(bench.post_measurements(token, ndjson({measurement(1, 0)})).status, 200);
  const http::Response response = bench.post_measurements(token, ndjson({measurement(1, 1)}));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.get("Retry-After"), "1");
  bench.clock.passed += Seconds(1);
  EXPECT_EQ(bench.post_measurements(token, ndjson({measurement(1, 1)})).status, 200);
}

TEST(AllowedHost, IsLoopbackOrWhatWasConfigured) {
  for (const char* good : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8321", "127.9.0.1", "[::1]",
                           "[::1]:8321", "collector.example.org:443"}) {
    EXPECT_TRUE(is_allowed_host(good, {"collector.example.org"})) << good;
  }
  for (const char* bad : {"", "evil.example", "127.0.0.1.evil.example", "127.evil.0.1", "localhost.evil.example",
                          "127.0.0.1:80:80", "127.0.0.1:x", "[::1].evil", "::1", "10.0.0.1", "127.0.0.256"}) {
    EXPECT_FALSE(is_allowed_host(bad, {"collector.example.org"})) << bad;
  }
}

TEST(AllowedHost, KeepsAForeignNameForLoopbackOut) {
  Bench bench;
  http::Request request;
  request.url = "/api/v1/runs";
  request.headers.set("Host", "rebound.example:8321");
  EXPECT_EQ(bench.send(request).status, 421);
  request.headers.set("Host", "127.0.0.1:8321");
  EXPECT_EQ(bench.send(request).status, 200);
}

TEST(Counts, ReachTheStoreAtMostOnceASecond) {
  Bench bench;
  bench.post_measurements("", "");
  EXPECT_TRUE(bench.store->counters().value().empty());
  bench.clock.passed += Seconds(1);
  bench.post_measurements("", "");
  EXPECT_EQ(bench.store->counters().value()["token.missing"], 1) << "the second one is still to come";
  EXPECT_EQ(bench.counter("token.missing"), 2);
}

}  // namespace
}  // namespace parallax::collector
