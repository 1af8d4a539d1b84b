#include "aws/protocol/json.h"

#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

const ServiceModel& ssm() {
  return *find_service("ssm");
}

Json json(std::string_view text) {
  return parse_json(text).value();
}

Result<Json> result_of(std::string_view operation, std::string_view body) {
  return parse_json_result(*ssm().find_operation(operation), body);
}

TEST(JsonProtocol, NamesTheOperationInTheTarget) {
  const WireRequest request = serialize(ssm(), *ssm().find_operation("SendCommand"),
                                        json(R"({"DocumentName":"AWS-RunShellScript","InstanceIds":["i-1"],
                                                 "Parameters":{"commands":["a","b"]},"Comment":null})"))
                                  .value();
  EXPECT_EQ(request.headers[0].second, "application/x-amz-json-1.1");
  EXPECT_EQ(request.headers[1].first, "X-Amz-Target");
  EXPECT_EQ(request.headers[1].second, "AmazonSSM.SendCommand");
  EXPECT_EQ(json(request.body), json(R"({"DocumentName":"AWS-RunShellScript","InstanceIds":["i-1"],
                                         "Parameters":{"commands":["a","b"]}})"));
}

TEST(JsonProtocol, SendsAnEmptyObjectForNoParameters) {
  EXPECT_EQ(serialize(ssm(), *ssm().find_operation("ListCommands"), Json()).value().body, "{}");
}

TEST(JsonProtocol, WritesInstantsAsSeconds) {
  const Operation& operation = *ssm().find_operation("CreateActivation");
  EXPECT_EQ(serialize_json(ssm(), operation, json(R"({"ExpirationDate":"2026-11-22T10:00:00Z"})")).body,
            R"({"ExpirationDate":1795341600})");
  EXPECT_EQ(serialize_json(ssm(), operation, json(R"({"ExpirationDate":"2026-11-22T10:00:00.25Z"})")).body,
            R"({"ExpirationDate":1795341600.25})");
}

TEST(JsonProtocol, TurnsSecondsIntoIsoText) {
  const Json result =
      result_of("SendCommand", R"({"Command":{"CommandId":"c-1","RequestedDateTime":1795341600.123,"Extra":1}})")
          .value();
  EXPECT_EQ(result, json(R"({"Command":{"CommandId":"c-1","RequestedDateTime":"2026-11-22T10:00:00.123000Z"}})"));
}

TEST(JsonProtocol, TakesAnEmptyBodyAsAnEmptyResult) {
  EXPECT_EQ(result_of("CancelCommand", " ").value(), Json::object());
}

TEST(JsonProtocol, CallsDamageByItsName) {
  for (const char* body : {"{", "[]", R"({"Command":[]})", R"({"Command":{"InstanceIds":{}}})",
                           R"({"Command":{"Parameters":[]}})", R"({"Command":{"RequestedDateTime":1e300}})"}) {
    EXPECT_EQ(result_of("SendCommand", body).error().code, "bad-answer") << body;
  }
}

}  // namespace
}  // namespace parallax::aws
