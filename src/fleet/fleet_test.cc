#include <gtest/gtest.h>

#include "fleet/job.h"
#include "fleet/lease.h"
#include "fleet/prices.h"
#include "fleet/regions.h"

namespace parallax::fleet {
namespace {

constexpr const char* kRun = "01JD8Y3W0G0123456789ABCDEF";

TEST(Lease, SurvivesItsTextForm) {
  const Lease lease{kRun, "host name:17", parse_iso8601("2026-11-22T10:00:00Z").value()};
  EXPECT_EQ(to_text(lease), std::string(kRun) + " host_name:17 2026-11-22T10:00:00Z");
  EXPECT_EQ(parse_lease(to_text(lease))->run_id, kRun);
  EXPECT_EQ(parse_lease(to_text(lease))->expiry, lease.expiry);
}

TEST(Lease, IsNotReadFromForeignText) {
  for (const char* text : {"", "somebody", "a b c", "a b 2026-11-22", "a b 2026-11-22T10:00:00Z d"}) {
    EXPECT_FALSE(parse_lease(text)) << text;
  }
}

TEST(Prices, UnknownIsNeverZero) {
  EXPECT_DOUBLE_EQ(hourly_price("us-east-1", "t2.micro").value(), 0.0116);
  EXPECT_FALSE(hourly_price("sa-east-1", "t3.micro"));
  EXPECT_FALSE(run_cost("mx-central-1", "t2.micro", 60));
}

TEST(Prices, AStartIsBilledAMinuteAtLeast) {
  EXPECT_EQ(billed_seconds(Seconds(3)), 60);
  EXPECT_EQ(billed_seconds(Seconds(60) + Micros(1)), 61);
  EXPECT_EQ(billed_seconds(Micros(-5)), 60);
  EXPECT_DOUBLE_EQ(run_cost("us-east-1", "t2.micro", 3600).value(), 0.0116);
}

TEST(Regions, KnowsThoseOfTheReference) {
  EXPECT_EQ(find_region("eu-west-3")->name, "Paris");
  EXPECT_TRUE(find_region("af-south-1")->opt_in_required);
  EXPECT_TRUE(check_region("sa-east-1"));
}

TEST(Regions, TellsASlipFromANewRegion) {
  EXPECT_EQ(check_region("us-esat-1").error().message, "unknown region 'us-esat-1'; did you mean 'us-east-1'?");
  EXPECT_TRUE(check_region("ap-southeast-9"));
  EXPECT_FALSE(check_region("Oregon"));
}

RoundSpec sample_round() {
  RoundSpec round;
  round.fleet = "NAVO";
  round.round_id = kRun;
  round.cones.count = 4;
  round.job_timeout = std::chrono::minutes(30);
  round.services = {Service{}, Service{}};
  for (Service& service : round.services) {
    service.name = "it's $HOME `id`";
    service.provider = "P";
    service.url = "http://x/";
  }
  round.providers = {Provider{"P", 2, 1, false}};
  return round;
}

Run sample_run() {
  Run run;
  run.run_id = kRun;
  run.vantage = "eu-west-3";
  run.instance_id = "i-1";
  return run;
}

TEST(JobScript, ArmsTheTimerBeforeAnythingElse) {
  const RoundSpec round = sample_round();
  const std::string script = job_script(round, make_order(round, sample_run(), 0, 1, Instant()).value());
  const std::size_t timer =
      script.find("shutdown -P +33 || { echo 'parallax: the timer could not be armed' >&2; exit 97; }\n");
  ASSERT_NE(timer, std::string::npos) << script;
  EXPECT_EQ(script.find("mktemp") > timer, true);
  EXPECT_EQ(script.substr(0, timer), std::string("#!/bin/sh\n# parallax run ") + kRun + "\n");
}

TEST(JobScript, HandsTheOrderOverAsWritten) {
  const RoundSpec round = sample_round();
  const Order order = make_order(round, sample_run(), 0, 1, Instant()).value();
  const std::string script = job_script(round, order);
  // A quoted marker: the shell expands nothing in between.
  const std::string begin = std::string("<<'PARALLAX_ORDER_") + kRun + "'\n";
  const std::size_t from = script.find(begin) + begin.size();
  const std::size_t to = script.find(std::string("\nPARALLAX_ORDER_") + kRun + "\n");
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(script.substr(from, to - from), to_json(order).dump());
  EXPECT_NE(script.find("umask 077"), std::string::npos);
}

TEST(JobScript, KeepingAMachineMeansATimerAndNothingElse) {
  RoundSpec round = sample_round();
  round.keep_running = true;
  round.job_timeout = std::chrono::minutes(60);
  const std::string script = job_script(round, make_order(round, sample_run(), 0, 1, Instant()).value());
  EXPECT_EQ(script, "#!/bin/sh\n# parallax run " + round.round_id +
                        "\nshutdown -P +60 || { echo 'parallax: the timer could not be armed' >&2; exit 97; }\n");
}

TEST(JobScript, WithoutOrdersIsTheSameForEveryVantage) {
  RoundSpec round = sample_round();
  round.without_order = true;
  round.command = "uptime";
  auto other = sample_run();
  other.run_id = "01JD0000000000000000000009";
  const std::string script = job_script(round, make_order(round, sample_run(), 0, 2, Instant()).value());
  EXPECT_EQ(script, job_script(round, make_order(round, other, 1, 2, Instant()).value()));
  EXPECT_TRUE(script.ends_with("exit 97; }\nuptime\n")) << script;
  EXPECT_EQ(script.find("ORDER"), std::string::npos);
}

TEST(Order, TakesTurnsOnlyWhereAProviderNeedsThem) {
  RoundSpec round = sample_round();
  EXPECT_EQ(turn_length(round, 1), Micros(0));
  // 2 services x 4 cones at 2 a second, and some slack
  EXPECT_EQ(turn_length(round, 6), Seconds(4) + Millis(1500));
  EXPECT_EQ(make_order(round, sample_run(), 2, 6, Instant()).value().begin_at, Instant() + round.begin_after);
  round.providers[0].simultaneous = true;
  EXPECT_EQ(turn_length(round, 6), Micros(0));
  EXPECT_FALSE(make_order(round, sample_run(), 2, 6, Instant()).value().begin_at);
}

TEST(Order, SharesAProvidersLimitsOverTheFleet) {
  RoundSpec round = sample_round();
  round.providers = {Provider{"P", 6, 12, true}, Provider{"Q", 6, 12, false}};
  const Order order = make_order(round, sample_run(), 0, 6, Instant()).value();
  EXPECT_DOUBLE_EQ(order.providers[0].queries_per_second, 1);
  EXPECT_EQ(order.providers[0].parallel, 2);
  // One vantage after another: each has the whole in its turn.
  EXPECT_DOUBLE_EQ(order.providers[1].queries_per_second, 6);
  EXPECT_EQ(order.providers[1].parallel, 12);
}

TEST(Order, CarriesATokenForThisRunAlone) {
  RoundSpec round = sample_round();
  round.signing_key = make_signing_key().value();
  const Instant start = parse_iso8601("2026-11-22T10:00:00Z").value();
  const Order order = make_order(round, sample_run(), 0, 1, start).value();
  const KeyRecord key{round.signing_key->key_id, round.signing_key->public_key, std::nullopt};
  const TokenCheck check = check_token(order.token, start, [&](std::string_view) { return std::optional(key); });
  EXPECT_EQ(check.problem, TokenProblem::none);
  EXPECT_EQ(check.payload.run_id, kRun);
  EXPECT_EQ(check.payload.vantage, "eu-west-3");
  EXPECT_GE(check.payload.expiry, start + round.job_timeout + round.margin);
}

}  // namespace
}  // namespace parallax::fleet
