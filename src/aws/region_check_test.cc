#include "aws/region_check.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/test_support.h"

namespace parallax::aws {
namespace {

using testing::Bench;
using testing::ec2_error;
using ::testing::HasSubstr;

constexpr const char* kRefused =
    "<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able to validate the provided access "
    "credentials</Message></Error></Errors><RequestID>r-9</RequestID></Response>";
constexpr const char* kWho =
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult>"
    "</GetCallerIdentityResponse>";
constexpr const char* kRegions =
    "<DescribeRegionsResponse><regionInfo>"
    "<item><regionName>ap-east-1</regionName><optInStatus>not-opted-in</optInStatus></item>"
    "<item><regionName>af-south-1</regionName><optInStatus>opted-in</optInStatus></item>"
    "</regionInfo></DescribeRegionsResponse>";
constexpr const char* kNoPermission =
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>";

Error describe(Bench& bench, Client& client, const std::string& region) {
  const Result<Json> result = client.call({"ec2", region}, "DescribeImages", Json::object(), bench.within(Seconds(60)));
  return result ? Error() : result.error();
}

std::string host(const Bench& bench, std::size_t i) {
  return bench.http.requests.at(i).url;
}

TEST(RegionCheck, TellsARegionThatIsNotEnabled) {
  Bench bench;
  bench.http.answer(401, kRefused).answer(200, kWho).answer(200, kRegions);
  const Error error = describe(bench, bench.client, "ap-east-1");
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_EQ(error.code, "region-disabled");
  EXPECT_EQ(error.status, 401);
  EXPECT_EQ(error.request_id, "r-9");
  EXPECT_EQ(error.message,
            "region ap-east-1 is not enabled for this account (the same credentials work in us-east-1): enable it with "
            "`aws account enable-region --region-name ap-east-1`, which takes minutes to hours, or remove it from the "
            "list of regions. The service said: AuthFailure: AWS was not able to validate the provided access "
            "credentials");
  EXPECT_EQ(host(bench, 1), "https://sts.us-east-1.amazonaws.com/");
  EXPECT_EQ(host(bench, 2), "https://ec2.us-east-1.amazonaws.com/");
}

TEST(RegionCheck, AsksOnceForAllRegions) {
  Bench bench;
  bench.http.answer(401, kRefused).answer(200, kWho).answer(200, kRegions).answer(401, kRefused).answer(401, kRefused);
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "region-disabled");
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "region-disabled");
  const Error unknown = describe(bench, bench.client, "ap-east-9");
  EXPECT_EQ(unknown.code, "region-disabled");
  EXPECT_THAT(unknown.message, HasSubstr("most likely not enabled"));
  EXPECT_TRUE(bench.http.is_done());
}

TEST(RegionCheck, LeavesBadCredentialsWhatTheyAre) {
  Bench bench;
  const std::string bad = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";
  bench.http.answer(401, kRefused).answer(403, bad).answer(401, kRefused).answer(401, kRefused);
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "AuthFailure");
  EXPECT_EQ(describe(bench, bench.client, "af-south-1").code, "AuthFailure");
  // In the main region there is nothing to compare with.
  EXPECT_EQ(describe(bench, bench.client, "us-east-1").code, "AuthFailure");
  EXPECT_TRUE(bench.http.is_done());
}

TEST(RegionCheck, BelievesASuccessElsewhere) {
  Bench bench;
  bench.http.answer(200, "<R/>").answer(401, kRefused).answer(403, kNoPermission);
  EXPECT_EQ(describe(bench, bench.client, "eu-west-3").code, "");
  const Error error = describe(bench, bench.client, "ap-east-1");
  EXPECT_EQ(error.code, "region-disabled");
  EXPECT_THAT(error.message, HasSubstr("most likely not enabled"));
  EXPECT_EQ(host(bench, 2), "https://ec2.us-east-1.amazonaws.com/");
}

TEST(RegionCheck, DoesNotDoubtARegionThatWorked) {
  Bench bench;
  bench.http.answer(200, "<R/>").answer(401, kRefused);
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "");
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "AuthFailure");
  EXPECT_TRUE(bench.http.is_done());
}

TEST(RegionCheck, ForgetsAfterSomeMinutes) {
  Bench bench;
  bench.http.answer(401, kRefused).answer(200, kWho).answer(200, kRegions);
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "region-disabled");
  bench.clock.time += Seconds(301);
  bench.http.answer(401, kRefused).answer(200, kWho).answer(200, kRegions);
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "region-disabled");
  EXPECT_TRUE(bench.http.is_done());
}

TEST(RegionCheck, MentionsTokensOfTheGlobalEndpoint) {
  Bench bench;
  StaticCredentials temporary({"ASIA", "secret", "token", std::nullopt});
  Client client({bench.http, bench.clock, bench.rng, temporary}, {});
  bench.http.answer(401, kRefused).answer(200, kWho).answer(200, kRegions).answer(401, kRefused);
  const Error enabled = describe(bench, client, "af-south-1");
  EXPECT_EQ(enabled.code, "AuthFailure");
  EXPECT_THAT(enabled.message, HasSubstr("AWS_STS_REGIONAL_ENDPOINTS=regional"));
  EXPECT_THAT(describe(bench, client, "ap-east-9").message, HasSubstr("global STS endpoint"));
}

TEST(RegionCheck, DoesNotAskAboutOtherRefusals) {
  Bench bench;
  bench.http.answer(401, ec2_error("AuthFailure")).answer(403, ec2_error("UnauthorizedOperation"));
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "AuthFailure");
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "UnauthorizedOperation");
}

TEST(RegionCheck, AsksAgainWhenTheQuestionGotNoAnswer) {
  Bench bench;
  bench.http.answer(401, kRefused);
  for (int i = 0; i < 3; ++i) {
    bench.http.answer(503, "");
  }
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "AuthFailure");
  bench.http.answer(401, kRefused).answer(200, kWho).answer(200, kRegions);
  EXPECT_EQ(describe(bench, bench.client, "ap-east-1").code, "region-disabled");
}

TEST(RegionCheck, LetsOneAskAndTheOthersWait) {
  Bench bench;
  RegionCheck check(bench.clock);
  Error refused = make_error(ErrorKind::denied, "AuthFailure: AWS was not able to validate ...");
  refused.code = "AuthFailure";
  const Credentials used{"AKID", "s", "", std::nullopt};
  const Monotonic deadline = bench.clock.time + Seconds(1);
  int asked = 0;
  const RegionCheck::Ask never = [&](const CallTarget&, std::string_view, const Json&) -> Result<Json> {
    ADD_FAILURE() << "a second one asked";
    return Json();
  };
  const RegionCheck::Ask ask = [&](const CallTarget&, std::string_view, const Json&) -> Result<Json> {
    if (++asked == 1) {
      // While this question is on its way another call comes: it waits until its deadline and has its own error then.
      EXPECT_EQ(check.judge(refused, used, "af-south-1", never, deadline, {}).code, "AuthFailure");
      EXPECT_EQ(bench.clock.waits.size(), 19U);
    }
    return Json::object();
  };
  EXPECT_EQ(check.judge(refused, used, "ap-east-1", ask, deadline, {}).code, "region-disabled");
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace parallax::aws
