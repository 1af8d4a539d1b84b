#include "aws/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/test_support.h"

namespace parallax::aws {
namespace {

using testing::Bench;
using testing::ec2_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kStart = R"({"InstanceIds":["i-1"]})";
constexpr const char* kStarted =
    "<StartInstancesResponse><instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>"
    "</StartInstancesResponse>";
constexpr const char* kSend = R"({"DocumentName":"AWS-RunShellScript","InstanceIds":["i-1"]})";

TEST(Client, SendsASignedRequestAndReadsTheAnswer) {
  Bench bench;
  bench.http.answer(200, kStarted);
  const Result<Json> result = bench.call("ec2", "StartInstances", kStart);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->list("StartingInstances").at(0).text("InstanceId"), "i-1");
  const http::Request& request = bench.http.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://ec2.eu-west-3.amazonaws.com/");
  EXPECT_EQ(request.body, "Action=StartInstances&Version=2016-11-15&InstanceId.1=i-1");
  EXPECT_EQ(request.headers.get("X-Amz-Date"), "20261122T101640Z");
  EXPECT_EQ(request.headers.get("amz-sdk-request"), "attempt=1; max=3");
  EXPECT_EQ(request.headers.get("User-Agent"), "parallax");
  EXPECT_THAT(request.headers.get("Authorization"), HasSubstr("Credential=AKID/20261122/eu-west-3/ec2/aws4_request"));
  EXPECT_EQ(bench.http.sent.at(0).body_bytes_max, 64U << 20U);
}

TEST(Client, SignsIamForItsOwnRegion) {
  Bench bench;
  bench.http.answer(200, "<R><GetRoleResult><Role><RoleName>r</RoleName></Role></GetRoleResult></R>");
  ASSERT_TRUE(bench.call("iam", "GetRole", R"({"RoleName":"r"})").has_value());
  EXPECT_EQ(bench.http.requests.at(0).url, "https://iam.amazonaws.com/");
  EXPECT_THAT(bench.http.requests.at(0).headers.get("Authorization"), HasSubstr("/us-east-1/iam/aws4_request"));
}

TEST(Client, SendsNothingThatTheModelRefuses) {
  Bench bench;
  const Error error = bench.call("ec2", "StartInstances", R"({"InstanceId":"i-1"})").error();
  EXPECT_EQ(error.kind, ErrorKind::invalid);
  EXPECT_EQ(error.text(),
            "InstanceIds: is required; InstanceId: unknown parameter; did you mean 'InstanceIds'? "
            "(calling ec2:StartInstances in eu-west-3)");
  EXPECT_THAT(bench.http.requests, IsEmpty());
}

TEST(Client, SuggestsTheOperationThatWasMeant) {
  Bench bench;
  EXPECT_THAT(bench.call("ec2", "startinstances", "{}").error().message, HasSubstr("did you mean 'StartInstances'?"));
  EXPECT_THAT(bench.call("ec2", "StartInstance", "{}").error().message, HasSubstr("did you mean 'StartInstances'?"));
  EXPECT_EQ(bench.call("s3", "ListBuckets", "{}").error().message,
            "unknown service 's3'; --models DIR adds what a botocore data folder has");
}

TEST(Client, RetriesAThrottledAnswerAndSignsAnew) {
  Bench bench;
  bench.http.answer(503, ec2_error("RequestLimitExceeded")).answer(503, ec2_error("Unavailable")).answer(200, kStarted);
  ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
  // Half a second of back-off and what the limiter waits after a throttled answer; then a second of back-off.
  EXPECT_THAT(bench.clock.waits, ElementsAre(Millis(500), Micros(552'632), Seconds(1), Micros(42'632)));
  const auto header = [&](std::size_t i, const char* name) { return bench.http.requests.at(i).headers.get(name); };
  EXPECT_EQ(header(2, "amz-sdk-request"), "attempt=3; max=3");
  EXPECT_EQ(header(0, "amz-sdk-invocation-id"), header(2, "amz-sdk-invocation-id"));
  EXPECT_EQ(header(2, "X-Amz-Date"), "20261122T101642Z");
  EXPECT_NE(header(0, "Authorization"), header(2, "Authorization"));
}

TEST(Client, GivesUpAfterThreeAttempts) {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.http.answer(503, ec2_error("RequestLimitExceeded"));
  }
  const Error error = bench.call("ec2", "StartInstances", kStart).error();
  EXPECT_EQ(error.kind, ErrorKind::throttled);
  EXPECT_EQ(error.request_id, "r");
  EXPECT_THAT(error.context, ElementsAre("calling ec2:StartInstances in eu-west-3"));
  EXPECT_TRUE(bench.http.is_done());
}

TEST(Client, WaitsForRetryAfterWithinTheDeadline) {
  Bench bench;
  bench.http.answer(503, "", {{"Retry-After", "5"}}).answer(200, kStarted);
  ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
  EXPECT_THAT(bench.clock.waits, ElementsAre(Seconds(5)));

  Bench hasty;
  hasty.http.answer(503, "", {{"Retry-After", "5"}});
  EXPECT_EQ(hasty.call("ec2", "StartInstances", kStart, Seconds(3)).error().kind, ErrorKind::unavailable);
  EXPECT_THAT(hasty.clock.waits, IsEmpty());
}

TEST(Client, DoesNotRepeatACommandWhoseAnswerWasLost) {
  for (const http::Phase phase : {http::Phase::send, http::Phase::first_byte, http::Phase::transfer}) {
    Bench bench;
    bench.http.fail(phase, ErrorKind::unavailable, "connection-reset");
    const Error error = bench.call("ssm", "SendCommand", kSend).error();
    EXPECT_EQ(error.kind, ErrorKind::timeout);
    EXPECT_EQ(error.code, "connection-reset");
    EXPECT_THAT(error.message, HasSubstr("the effect is unknown"));
    EXPECT_THAT(bench.http.requests, SizeIs(1));
  }
}

TEST(Client, RepeatsACommandThatNeverLeft) {
  for (const http::Phase phase : {http::Phase::resolve, http::Phase::connect, http::Phase::tls}) {
    Bench bench;
    bench.http.fail(phase, ErrorKind::timeout, "timeout").answer(200, "{}");
    EXPECT_TRUE(bench.call("ssm", "SendCommand", kSend).has_value());
  }
}

TEST(Client, RepeatsACommandThatWasThrottled) {
  Bench bench;
  bench.http.answer(400, R"({"__type":"ThrottlingException"})").answer(200, "{}");
  EXPECT_TRUE(bench.call("ssm", "SendCommand", kSend).has_value());
}

TEST(Client, RepeatsWhatIsIdempotentAfterALostAnswer) {
  Bench bench;
  bench.http.fail(http::Phase::first_byte, ErrorKind::timeout, "timeout").answer(200, kStarted);
  EXPECT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
}

TEST(Client, TakesTheCallersWordForWhatIsSafe) {
  Bench bench;
  bench.http.fail(http::Phase::first_byte, ErrorKind::timeout, "timeout").answer(200, "{}");
  CallOptions options = bench.within(Seconds(60));
  options.repeat = Repeat::safe;
  EXPECT_TRUE(bench.client.call({"ssm", "eu-west-3"}, "SendCommand", parse_json(kSend).value(), options).has_value());
}

TEST(Client, UsesAFreshConnectionForWhatMustNotBeRepeated) {
  Bench bench;
  bench.http.answer(200, "{}").answer(200, kStarted);
  ASSERT_TRUE(bench.call("ssm", "SendCommand", kSend).has_value());
  ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
  EXPECT_EQ(bench.http.sent.at(0).connection, http::ConnectionPolicy::fresh);
  EXPECT_EQ(bench.http.sent.at(1).connection, http::ConnectionPolicy::reuse);
}

TEST(Client, KeepsOneClientTokenForAllAttempts) {
  Bench bench;
  bench.http.fail(http::Phase::first_byte, ErrorKind::timeout, "timeout")
      .answer(503, ec2_error("Unavailable"))
      .answer(200, "<RunInstancesResponse/>");
  ASSERT_TRUE(bench.call("ec2", "RunInstances", R"({"MinCount":1,"MaxCount":1})").has_value());
  EXPECT_THAT(bench.http.requests.at(0).body, HasSubstr("ClientToken=80000000-0000-4000-8000-000000000000"));
  EXPECT_EQ(bench.http.requests.at(0).body, bench.http.requests.at(2).body);
}

TEST(Client, KeepsTheCallersToken) {
  Bench bench;
  bench.http.answer(200, "<RunInstancesResponse/>");
  ASSERT_TRUE(bench.call("ec2", "RunInstances", R"({"MinCount":1,"MaxCount":1,"ClientToken":"mine"})").has_value());
  EXPECT_THAT(bench.http.requests.at(0).body, HasSubstr("ClientToken=mine"));
}

TEST(Client, CorrectsItsClockOnceByTheDateOfTheAnswer) {
  Bench bench;
  // Ours says 10:16:40; theirs is 20 minutes ahead.
  bench.http.answer(400, ec2_error("RequestExpired"), {{"Date", "Sun, 22 Nov 2026 10:36:40 GMT"}})
      .answer(200, kStarted);
  ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
  EXPECT_EQ(bench.http.requests.at(1).headers.get("X-Amz-Date"), "20261122T103640Z");
  EXPECT_THAT(bench.clock.waits, IsEmpty());

  bench.http.answer(401, ec2_error("AuthFailure"), {{"Date", "Sun, 22 Nov 2026 10:36:40 GMT"}});
  EXPECT_EQ(bench.call("ec2", "StartInstances", kStart).error().kind, ErrorKind::denied);
  EXPECT_TRUE(bench.http.is_done());
}

TEST(Client, DoesNotChaseAClockThatKeepsChanging) {
  Bench bench;
  bench.http.answer(400, ec2_error("RequestExpired"), {{"Date", "Sun, 22 Nov 2026 11:36:40 GMT"}})
      .answer(400, ec2_error("RequestExpired"), {{"Date", "Sun, 22 Nov 2026 08:36:40 GMT"}});
  EXPECT_EQ(bench.call("ec2", "StartInstances", kStart).error().code, "RequestExpired");
}

TEST(Client, CorrectsTheClockOfACallThatWasOnItsWayDuringACorrection) {
  Bench bench;
  constexpr const char* kDate = "Sun, 22 Nov 2026 10:36:40 GMT";
  bench.http.then([&](const http::Request&) {
    // Meanwhile another call corrects the clock.
    bench.http.answer(400, ec2_error("RequestExpired"), {{"Date", kDate}}).answer(200, kStarted);
    EXPECT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
    bench.http.answer(200, kStarted);
    return testing::FakeHttp::answer_of(400, ec2_error("RequestExpired"), {{"Date", kDate}});
  });
  EXPECT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
}

// Temporary credentials that are made anew when they are said to have expired.
class RenewedCredentials final : public CredentialProvider {
 public:
  Result<Credentials> credentials(Monotonic /*deadline*/, std::stop_token /*stop*/) override {
    return Credentials{"ASIA" + std::to_string(made), "secret", "token" + std::to_string(made), std::nullopt};
  }

  void invalidate(const Credentials& expired) override {
    EXPECT_EQ(expired.session_token, "token" + std::to_string(made));
    made += renews ? 1 : 0;
    ++invalidated;
  }

  int made = 1;
  int invalidated = 0;
  bool renews = true;
};

TEST(Client, RenewsExpiredCredentialsOnce) {
  for (const bool json : {false, true}) {
    Bench bench;
    RenewedCredentials credentials;
    Client client({bench.http, bench.clock, bench.rng, credentials}, {});
    const std::string expired = json ? R"({"__type":"ExpiredTokenException"})" : ec2_error("RequestExpired");
    bench.http.answer(400, expired).answer(200, json ? "{}" : "<R/>");
    const CallTarget target{json ? "ssm" : "ec2", "eu-west-3"};
    const char* operation = json ? "ListCommands" : "DescribeImages";
    EXPECT_TRUE(client.call(target, operation, Json(), bench.within(Seconds(60))).has_value());
    EXPECT_EQ(bench.http.requests.at(1).headers.get("X-Amz-Security-Token"), "token2");
    EXPECT_THAT(bench.clock.waits, IsEmpty());

    bench.http.answer(400, expired).answer(400, expired);
    EXPECT_EQ(client.call(target, operation, Json(), bench.within(Seconds(60))).error().kind, ErrorKind::denied);
    EXPECT_EQ(credentials.invalidated, 2);
  }
}

TEST(Client, DoesNotRepeatWithTheSameExpiredToken) {
  Bench bench;
  RenewedCredentials credentials;
  credentials.renews = false;
  Client client({bench.http, bench.clock, bench.rng, credentials}, {});
  bench.http.answer(403, R"({"__type":"ExpiredTokenException","message":"late"})");
  const Error error = client.call({"ssm", "eu-west-3"}, "ListCommands", Json(), bench.within(Seconds(60))).error();
  EXPECT_EQ(error.message, "ExpiredTokenException: late (the temporary credentials have expired: renew them)");

  // Long-term keys do not expire: the date of the request does.
  bench.http.answer(400, ec2_error("RequestExpired"));
  EXPECT_EQ(bench.call("ec2", "StartInstances", kStart).error().code, "RequestExpired");
}

TEST(Client, SaysWhatToDoWhereThereIsNoCapacity) {
  for (const char* code : {"InsufficientInstanceCapacity", "InsufficientHostCapacity"}) {
    Bench bench;
    bench.http.answer(500, ec2_error(code));
    const Error error = bench.call("ec2", "StartInstances", kStart).error();
    EXPECT_EQ(error.kind, ErrorKind::unavailable);
    EXPECT_EQ(error.code, code);
    EXPECT_THAT(error.message, HasSubstr("try again in some minutes, in another availability zone"));
    EXPECT_THAT(bench.clock.waits, IsEmpty());
  }
}

TEST(Client, DoesNotRepeatIamsQuotaError) {
  Bench bench;
  bench.http.answer(409, "<ErrorResponse><Error><Code>LimitExceeded</Code></Error></ErrorResponse>");
  EXPECT_EQ(bench.call("iam", "GetRole", R"({"RoleName":"r"})").error().kind, ErrorKind::conflict);
}

TEST(Client, KeepsAnOutageOfOneRegionFromTheRetriesOfOthers) {
  Bench bench;
  const auto call = [&](const char* region) {
    return bench.client.call({"iam", region}, "GetRole", Json::object({{"RoleName", "r"}}), bench.within(Seconds(60)));
  };
  // 100 retries are all there are; the bucket of IAM here holds as many calls.
  for (int i = 0; i < 150; ++i) {
    bench.http.answer(503, "");
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(call("us-east-1").has_value());
  }
  bench.http.answer(503, "");
  EXPECT_FALSE(call("us-east-1").has_value());
  EXPECT_TRUE(bench.http.is_done());
  bench.http.answer(503, "").answer(200, "<R><GetRoleResult/></R>");
  EXPECT_TRUE(call("cn-north-1").has_value());
}

TEST(Client, WaitsForItsTurnBeforeItSigns) {
  Bench bench;
  for (int i = 0; i < 5; ++i) {
    bench.http.answer(200, kStarted);
    ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
  }
  // 4.75 tokens and 1.9 more a second, 10 ms for each call before.
  ASSERT_THAT(bench.clock.waits, SizeIs(1));
  EXPECT_NEAR(static_cast<double>(bench.clock.waits[0].count()), 0.25 / 1.9 * 1e6 - 40'000, 2);
}

TEST(Client, SlowsDownAfterAThrottledAnswer) {
  Bench bench;
  bench.http.answer(503, ec2_error("RequestLimitExceeded"), {{"x-amz-retry-after", "100"}}).answer(200, kStarted);
  ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart).has_value());
  // The back-off, then the rest of the second that half of the rate needs for a token.
  ASSERT_THAT(bench.clock.waits, SizeIs(2));
  EXPECT_EQ(bench.clock.waits[0], Millis(500));
  EXPECT_NEAR(static_cast<double>(bench.clock.waits[1].count()), 1 / 0.95 * 1e6 - 500'000, 2);
}

TEST(Client, TellsThatAnAttemptWasLostRatherThanThatThereIsNoTimeForAnother) {
  Bench bench;
  Limiter limiter(bench.clock);
  Client client({bench.http, bench.clock, bench.rng, bench.credentials, &limiter}, {});
  const LimitedCall start = limited_call("ec2", "eu-west-3", "StartInstances", Json::object());
  bench.http.then([&](const http::Request&) {
    for (int i = 0; i < 20; ++i) {
      limiter.throttled(start);
    }
    http::Exchange exchange;
    exchange.error = make_error(ErrorKind::unavailable, "cut off");
    exchange.failed_phase = http::Phase::first_byte;
    return exchange;
  });
  const Error error =
      client.call({"ec2", "eu-west-3"}, "StartInstances", parse_json(kStart).value(), bench.within(Seconds(5))).error();
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_THAT(error.message, HasSubstr("the effect is unknown"));
}

TEST(Client, StopsWhenItIsAskedTo) {
  Bench bench;
  bench.http.then([&](const http::Request&) {
    bench.stop.request_stop();
    return testing::FakeHttp::answer_of(503, ec2_error("Unavailable"));
  });
  EXPECT_EQ(bench.call("ec2", "StartInstances", kStart).error().kind, ErrorKind::cancelled);
  EXPECT_EQ(bench.call("ec2", "StartInstances", kStart).error().kind, ErrorKind::cancelled);
}

TEST(Client, SendsNothingAfterTheDeadline) {
  Bench bench;
  const Error error = bench.call("ec2", "StartInstances", kStart, Seconds(0)).error();
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_EQ(error.code, "deadline");
}

TEST(Client, LimitsAnAttemptToTheTimeThatIsLeft) {
  Bench bench;
  bench.http.answer(200, kStarted);
  ASSERT_TRUE(bench.call("ec2", "StartInstances", kStart, Seconds(7)).has_value());
  EXPECT_EQ(bench.http.sent.at(0).limits.total, Seconds(7));
}

TEST(Client, HandsOnWhatTheCredentialsSay) {
  Bench bench;
  EnvironmentCredentials none([](std::string_view) { return std::nullopt; });
  Client client({bench.http, bench.clock, bench.rng, none}, {});
  const Result<Json> result = client.call({"ec2", "eu-west-3"}, "DescribeRegions", Json(), bench.within(Seconds(60)));
  EXPECT_EQ(result.error().code, "no-credentials");
}

TEST(IsRepeatable, KnowsWhatMayBeSentTwice) {
  const auto repeat = [](std::string_view service, std::string_view operation) {
    return is_repeatable(*find_service(service)->find_operation(operation));
  };
  for (const auto* name : {"DescribeInstances", "GetConsoleOutput", "StartInstances", "StopInstances", "CreateTags",
                           "TerminateInstances", "RunInstances", "CopyImage"}) {
    EXPECT_EQ(repeat("ec2", name), Repeat::safe) << name;
  }
  for (const auto* name :
       {"CreateSecurityGroup", "ImportKeyPair", "AuthorizeSecurityGroupIngress", "DeregisterImage"}) {
    EXPECT_EQ(repeat("ec2", name), Repeat::unsafe) << name;
  }
  EXPECT_EQ(repeat("ssm", "SendCommand"), Repeat::unsafe);
  EXPECT_EQ(repeat("ssm", "CancelCommand"), Repeat::safe);
}

TEST(MakeUuid, HasVersionAndVariant) {
  Xoshiro rng(7);
  const std::string first = make_uuid(rng);
  EXPECT_THAT(first, ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(first, make_uuid(rng));
}

}  // namespace
}  // namespace parallax::aws
