#include <gtest/gtest.h>

#include "base/rng.h"
#include "record/measurement.h"
#include "record/order.h"
#include "record/run.h"
#include "record/token.h"

namespace parallax {
namespace {

constexpr const char* kRun = "01JD8Y3W0G0123456789ABCDEF";

Measurement sample() {
  Measurement m;
  m.run_id = kRun;
  m.sequence = 7;
  m.id = measurement_id(m.run_id, m.sequence);
  m.fleet = "NAVO";
  m.vantage = "eu-west-3";
  m.service = "stars";
  m.started_at = Instant(Micros(1'763'805'600'000'001));
  m.times.connect_us = 12;
  m.ra = 1.5;
  m.hop_records = {
      HopRecord{"http://a/", 303, {}, 5, "127.0.0.1:80", {"1.1", "TLSv1.3", "C", "ipv4", "fresh", {}, true}}};
  m.findings = {{"status-missing", "no QUERY_STATUS"}};
  m.late_us = 17;
  m.submit_us = 5000;
  m.polls = 3;
  m.job_started_at = m.started_at;
  m.job_url = "https://tap.example.org/async/1";
  m.content_checksum = "0123456789abcdef";
  m.ra_min = 359.5;
  m.dec_max = -12.25;
  m.cpu_steal = 0.25;
  m.clock_offset_us = -1200;
  m.certificate_expires_at = m.started_at;
  m.connection_reused = false;
  m.verdict = Verdict::service_error;
  return m;
}

TEST(Measurement, KeepsEveryMemberThroughJson) {
  const Json json = to_json(sample());
  EXPECT_EQ(json.text("verdict"), "service-error");
  EXPECT_EQ(json.text("started_at"), "2025-11-22T10:00:00.000001Z");
  EXPECT_TRUE(json.find("tls_us")->is_null());
  EXPECT_EQ(to_json(measurement_from_json(json).value()), json);
}

TEST(Measurement, KeepsUnknownMembers) {
  Json json = to_json(sample());
  json.set("of_tomorrow", 5);
  EXPECT_EQ(to_json(measurement_from_json(json).value()), json);
}

TEST(Measurement, NamesTheMemberThatIsWrong) {
  const auto message = [](const char* name, Json value) {
    Json json = to_json(sample());
    json.set(name, std::move(value));
    const Result<Measurement> read = measurement_from_json(json);
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(message("rows", "three"),
            "measurement: 'rows' must be an integer from 0 to 9223372036854775807, not \"three\"");
  EXPECT_NE(message("id", "01JD8Y3W0G0123456789ABCDEF-8"), "");
  EXPECT_NE(message("run_id", "x"), "");
  EXPECT_NE(message("verdict", "fine"), "");
  EXPECT_NE(message("schema", "other"), "");
  EXPECT_NE(message("started_at", Json()), "");
}

TEST(Service, DefinitionChangesWithWhatIsAskedOnly) {
  Service a;
  a.name = "A";
  a.url = "http://x/?";
  Service b = a;
  b.name = "B";
  b.provider = "P";
  EXPECT_EQ(a.definition(), b.definition());
  b.verb = 2;
  EXPECT_NE(a.definition(), b.definition());
}

TEST(Provider, KeepsEveryMemberThroughJson) {
  Provider provider{.name = "NED", .queries_per_second = 0.5, .async_jobs = 2, .opt_out = true};
  provider.quiet_hours = {parse_quiet_hours("22:00-06:30").value(), parse_quiet_hours("12:00-24:00").value()};
  const Json json = to_json(provider);
  EXPECT_EQ(to_json(provider_from_json(json).value()), json);
  EXPECT_EQ(*json.list("quiet_hours").at(0).string(), "22:00-06:30");
}

TEST(Provider, RefusesHoursThatAreNone) {
  for (const char* text :
       {"", "22:00", "22:00-24:01", "25:00-01:00", "06:00-06:00", "6:00-7:00", "22:60-23:00", "aa:bb-cc:dd"}) {
    EXPECT_FALSE(parse_quiet_hours(text)) << text;
  }
}

TEST(Order, KeepsEveryMemberThroughJson) {
  Order order;
  order.fleet = "NAVO";
  order.run_id = kRun;
  order.vantage = "eu-west-3";
  order.cones.seed = 0xFFFF'FFFF'FFFF'FFFFU;
  order.services = {Service{}};
  order.services[0].name = "A";
  order.services[0].url = "http://x/";
  order.services[0].parameters = {{"of", "xml_main"}};
  order.providers = {Provider{.name = "P", .queries_per_second = 2.5, .parallel = 3, .simultaneous = true}};
  order.deadline = Instant(Micros(5));
  order.begin_at = Instant(Micros(4));
  order.instance_id = "i-1";
  const Json json = to_json(order);
  EXPECT_EQ(to_json(order_from_json(json).value()), json);
}

TEST(Order, RefusesAServiceWhoseHashDoesNotFit) {
  Order order;
  order.fleet = "NAVO";
  order.run_id = kRun;
  order.vantage = "eu-west-3";
  order.services = {Service{}};
  order.services[0].name = "A";
  order.services[0].url = "http://x/";
  Json json = to_json(order);
  json.members()->find("services")->items()->at(0).set("url", "http://y/");
  EXPECT_FALSE(order_from_json(json));
}

TEST(Run, KeepsEveryMemberThroughJson) {
  parallax::Run run;
  run.run_id = kRun;
  run.fleet = "NAVO";
  run.vantage = "sa-east-1";
  run.state = RunState::waiting_for_agent;
  run.timeline = {{Instant(Micros(1)), RunState::starting, "claimed"}};
  run.billed_seconds = 61;
  run.cost_usd = 0.0125;
  run.extra.append("future", Json(1));
  const Json json = to_json(run);
  EXPECT_EQ(to_json(run_from_json(json).value()), json);
}

class Tokens : public testing::Test {
 protected:
  TokenCheck check(std::string_view token, Instant now) {
    return check_token(token, now,
                       [&](std::string_view id) { return id == key_.key_id ? std::optional(record_) : std::nullopt; });
  }

  std::string sign(TokenPayload payload) { return sign_token(payload, key_).value(); }

  SigningKey key_ = make_signing_key().value();
  KeyRecord record_{key_.key_id, key_.public_key, std::nullopt};
  Instant now_ = Instant(Micros(1'763'805'600'000'000));
  TokenPayload payload_{Role::vantage, "NAVO", "eu-west-3", kRun, now_, now_ + std::chrono::hours(1)};
};

TEST_F(Tokens, AcceptsItsOwnUntilExpiryAndTolerance) {
  const std::string token = sign(payload_);
  const TokenCheck good = check(token, now_ + Seconds(5));
  EXPECT_EQ(good.problem, TokenProblem::none);
  EXPECT_EQ(good.payload.vantage, "eu-west-3");
  EXPECT_EQ(good.payload.run_id, kRun);
  EXPECT_EQ(check(token, payload_.expiry + std::chrono::minutes(5)).problem, TokenProblem::none);
  EXPECT_EQ(check(token, payload_.expiry + std::chrono::minutes(5) + Micros(1)).problem, TokenProblem::expired);
  EXPECT_EQ(check(token, now_ - std::chrono::minutes(6)).problem, TokenProblem::not_yet_valid);
}

TEST_F(Tokens, RefusesForeignChangedAndBrokenOnes) {
  const std::string token = sign(payload_);
  const SigningKey other = make_signing_key().value();
  EXPECT_EQ(check(sign_token(payload_, other).value(), now_).problem, TokenProblem::unknown_key);
  SigningKey liar = other;
  liar.key_id = key_.key_id;
  EXPECT_EQ(check(sign_token(payload_, liar).value(), now_).problem, TokenProblem::bad_signature);
  std::string changed = token;
  changed[30] = changed[30] == 'A' ? 'B' : 'A';
  EXPECT_EQ(check(changed, now_).problem, TokenProblem::bad_signature);
  EXPECT_EQ(check("", now_).problem, TokenProblem::missing);
  EXPECT_EQ(check("v1.x", now_).problem, TokenProblem::malformed);
  EXPECT_EQ(check("v2" + token.substr(2), now_).problem, TokenProblem::malformed);
}

TEST_F(Tokens, RetiredKeyVerifiesOnlyWhatItSignedBefore) {
  record_.retired_at = now_ + Seconds(10);
  EXPECT_EQ(check(sign(payload_), now_ + std::chrono::minutes(30)).problem, TokenProblem::none);
  payload_.not_before = now_ + Seconds(11);
  EXPECT_EQ(check(sign(payload_), now_ + std::chrono::minutes(30)).problem, TokenProblem::retired_key);
}

TEST_F(Tokens, ExpiredTokenStillProvesThatItWasIssued) {
  const auto find = [&](std::string_view id) { return id == key_.key_id ? std::optional(record_) : std::nullopt; };
  const std::string token = sign(payload_);
  const TokenCheck issued = check_issued(token, find);
  EXPECT_EQ(issued.problem, TokenProblem::none);
  EXPECT_EQ(issued.payload.run_id, kRun);
  const SigningKey other = make_signing_key().value();
  EXPECT_EQ(check_issued(sign_token(payload_, other).value(), find).problem, TokenProblem::unknown_key);
}

TEST_F(Tokens, KeysSurviveTheirTextForm) {
  EXPECT_EQ(signing_key_from_text(to_private_text(key_))->public_key, key_.public_key);
  EXPECT_EQ(public_key_from_text(to_public_text(key_))->key_id, key_.key_id);
  EXPECT_FALSE(signing_key_from_text(to_public_text(key_)));
  EXPECT_FALSE(public_key_from_text("parallax-public-key-v1 0000000000000000 AAAA"));
}

}  // namespace
}  // namespace parallax
