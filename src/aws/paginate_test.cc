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

// The time is enough for what the limiter lets through.
Result<Json> collect(Bench& bench, const std::string& service, std::string_view operation, const Json& params = {}) {
  return collect_pages(bench.client, {service, "eu-west-3"}, operation, params, bench.within(Seconds(600)));
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

TEST(Paginate, NoticesALongerCircle) {
  Bench bench;
  for (const char* token : {"t1", "t2", "t1"}) {
    bench.http.answer(200, commands("", token));
  }
  const Error error = collect(bench, "ssm", "ListCommands").error();
  EXPECT_EQ(error.code, "bad-answer");
  EXPECT_EQ(error.message, "ListCommands gave the same page token twice; its pages would never end");
}

TEST(Paginate, SaysThatAnOperationIsUnknown) {
  Bench bench;
  EXPECT_EQ(collect(bench, "ssm", "ListComands").error().kind, ErrorKind::invalid);
  EXPECT_EQ(collect(bench, "sqs", "ListQueues").error().kind, ErrorKind::invalid);
}

// A service of which the models that we embed have no like: nested lists, a token made of the last item, two tokens.
std::unique_ptr<ServiceModel> odd_service() {
  Result<std::unique_ptr<ServiceModel>> service = load_service(
      "odd",
      "M\todd\t{\"protocol\":\"json\"}\nO\tList\t{\"errors\":[]}\nO\tWalk\t{\"errors\":[]}\n"
      "P\tList\t{\"input_token\":\"Marker\",\"output_token\":\"Box.NextMarker || Box.Items[-1].Key\","
      "\"more_results\":\"Box.More\",\"result_key\":[\"Box.Items\",\"Box.Count\"]}\n"
      "P\tWalk\t{\"input_token\":[\"A\",\"B\"],\"output_token\":[\"NextA\",\"NextB\"],\"result_key\":\"Names\"}\n");
  return std::move(service).value();
}

TEST(Paging, UsesTheLastItemAsATokenAndAddsNestedLists) {
  const std::unique_ptr<ServiceModel> odd = odd_service();
  Result<Paging> paging = Paging::make(*odd, *odd->find_operation("List"));
  ASSERT_TRUE(paging.has_value()) << paging.error().text();
  Json merged;
  Json asked = Json::object({{"Size", 2}});
  const auto page = [&](std::string_view text) {
    const Json json = parse_json(text).value();
    paging->merge(merged, json);
    const Result<std::optional<Json>> next = paging->next(json, asked);
    asked = next && *next ? **next : Json();
    return asked.dump();
  };
  EXPECT_EQ(page(R"({"Box":{"More":true,"Count":2,"Items":[{"Key":"a"},{"Key":"b"}]},"Name":"n"})"),
            R"({"Size":2,"Marker":"b"})");
  EXPECT_EQ(page(R"({"Box":{"More":true,"Count":1,"Items":[{"Key":"c"}],"NextMarker":"m"}})"),
            R"({"Size":2,"Marker":"m"})");
  EXPECT_EQ(page(R"({"Box":{"More":false,"Count":1,"Items":[{"Key":"d"}]}})"), "null");
  paging->finish(merged);
  EXPECT_EQ(merged.dump(),
            R"({"Box":{"More":false,"Count":4,"Items":[{"Key":"a"},{"Key":"b"},{"Key":"c"},{"Key":"d"}]},"Name":"n"})");
}

TEST(Paging, DropsATokenThatThePageDoesNotGive) {
  const std::unique_ptr<ServiceModel> odd = odd_service();
  Result<Paging> paging = Paging::make(*odd, *odd->find_operation("Walk"));
  ASSERT_TRUE(paging.has_value());
  const auto next = [&](std::string_view page, std::string_view asked) {
    const Result<std::optional<Json>> result = paging->next(parse_json(page).value(), parse_json(asked).value());
    return result && *result ? (*result)->dump() : std::string("end");
  };
  EXPECT_EQ(next(R"({"NextA":"1","NextB":"2"})", "{}"), R"({"A":"1","B":"2"})");
  EXPECT_EQ(next(R"({"NextA":"3","NextB":""})", R"({"A":"1","B":"2"})"), R"({"A":"3"})");
  EXPECT_EQ(next("{}", R"({"A":"3"})"), "end");
}

TEST(Paginate, HandsOnTheErrorOfAPage) {
  Bench bench;
  bench.http.answer(200, commands("", "t1")).answer(400, R"({"__type":"InvalidInstanceId"})");
  EXPECT_EQ(collect(bench, "ssm", "ListCommands").error().code, "InvalidInstanceId");
}

}  // namespace
}  // namespace parallax::aws
