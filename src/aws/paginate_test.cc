#include "aws/paginate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/test_support.h"

namespace parallax::aws {
namespace {

using testing::Bench;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string commands(const std::string& ids, const std::string& token) {
  return R"({"Commands":[)" + ids + "]" + (token.empty() ? "" : R"(,"NextToken":")" + token + "\"") + "}";
}

Result<Json> collect(Bench& bench, const std::string& service, std::string_view operation, const Json& params = {}) {
  return collect_pages(bench.client, {service, "eu-west-3"}, operation, params, bench.within(Seconds(60)));
}

TEST(Paginate, MergesThePagesInOrder) {
  Bench bench;
  bench.http.answer(200, commands(R"({"CommandId":"a"},{"CommandId":"b"})", "t1"))
      .answer(200, commands("", "t2"))
      .answer(200, commands(R"({"CommandId":"c"})", ""));
  const Result<Json> all = collect(bench, "ssm", "ListCommands", Json::object({{"MaxResults", 2}}));
  EXPECT_EQ(*all, parse_json(commands(R"({"CommandId":"a"},{"CommandId":"b"},{"CommandId":"c"})", "")).value());
  EXPECT_EQ(bench.http.requests.at(0).body, R"({"MaxResults":2})");
  EXPECT_EQ(bench.http.requests.at(2).body, R"({"MaxResults":2,"NextToken":"t2"})");
}

TEST(Paginate, CallsOnceWhereThereAreNoPages) {
  Bench bench;
  bench.http.answer(200, "<R><regionInfo><item><regionName>eu-west-3</regionName></item></regionInfo></R>");
  EXPECT_THAT(collect(bench, "ec2", "DescribeRegions")->list("Regions"), SizeIs(1));
}

TEST(Paginate, FollowsMarkersAndWhetherThereIsMore) {
  Bench bench;
  const auto page = [](const std::string& user, const std::string& rest) {
    return "<R><GetGroupResult><Group><GroupName>g</GroupName></Group><Users><member><UserName>" + user +
           "</UserName></member></Users>" + rest + "</GetGroupResult></R>";
  };
  bench.http.answer(200, page("a", "<IsTruncated>true</IsTruncated><Marker>m</Marker>"))
      .answer(200, page("b", "<IsTruncated>false</IsTruncated><Marker>ignored</Marker>"));
  const Result<Json> all = collect(bench, "iam", "GetGroup", Json::object({{"GroupName", "g"}}));
  EXPECT_EQ(*all, parse_json(R"({"Group":{"GroupName":"g"},"Users":[{"UserName":"a"},{"UserName":"b"}],
                                 "IsTruncated":false})")
                      .value());
  EXPECT_THAT(bench.http.requests.at(1).body, HasSubstr("Marker=m"));
}

TEST(Paginate, EndsWhenTheCallerHasEnough) {
  Bench bench;
  bench.http.answer(200, commands("", "t1"));
  int pages = 0;
  const Result<> result = for_each_page(bench.client, {"ssm", "eu-west-3"}, "ListCommands", Json(),
                                        bench.within(Seconds(60)), [&](const Json&) -> Result<Pages> {
                                          ++pages;
                                          return Pages::enough;
                                        });
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(pages, 1);
}

TEST(Paginate, RefusesToGoRoundInCircles) {
  Bench bench;
  bench.http.answer(200, commands("", "t")).answer(200, commands("", "t"));
  EXPECT_EQ(collect(bench, "ssm", "ListCommands").error().kind, ErrorKind::corrupt);
}

TEST(Paginate, HasALimit) {
  Bench bench;
  for (int i = 0; i < kPagesMax; ++i) {
    bench.http.answer(200, commands("", "t" + std::to_string(i)));
  }
  EXPECT_EQ(collect(bench, "ssm", "ListCommands").error().code, "too-many-pages");
}

TEST(Paginate, HandsOnTheErrorOfAPage) {
  Bench bench;
  bench.http.answer(200, commands("", "t1")).answer(400, R"({"__type":"InvalidInstanceId"})");
  EXPECT_EQ(collect(bench, "ssm", "ListCommands").error().code, "InvalidInstanceId");
}

}  // namespace
}  // namespace parallax::aws
