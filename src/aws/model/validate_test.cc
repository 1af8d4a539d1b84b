#include "aws/model/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> problems(std::string_view service, std::string_view operation, std::string_view json) {
  const ServiceModel* model = find_service(service);
  const Result<Json> value = parse_json(json);
  EXPECT_TRUE(value.has_value()) << json;
  return validate(*model, *model->find_operation(operation)->input, *value);
}

TEST(Validate, AcceptsWhatFits) {
  EXPECT_THAT(problems("ec2", "RunInstances",
                       R"({"MinCount":1,"MaxCount":1,"ImageId":"ami-1","Placement":{"Tenancy":"default"},
                           "TagSpecifications":[{"ResourceType":"instance","Tags":[{"Key":"a","Value":""}]}],
                           "ClientToken":null})"),
              IsEmpty());
}

TEST(Validate, ReportsEverythingAtOnceWithPaths) {
  EXPECT_THAT(problems("ec2", "RunInstances",
                       R"({"MinCount":"one","ImageID":"ami-1","SecurityGroupIds":["sg-1",2],
                           "Placement":{"Tenanci":"default"},"EbsOptimized":"true"})"),
              ElementsAre("MaxCount: is required", "MinCount: must be an integer, not a string",
                          "Placement.Tenanci: unknown parameter; did you mean 'Tenancy'?",
                          "SecurityGroupIds[1]: must be a string, not an integer",
                          "EbsOptimized: must be a boolean, not a string",
                          "ImageID: unknown parameter; did you mean 'ImageId'?"));
}

TEST(Validate, ChecksRangesOfNumbersTextsAndLists) {
  EXPECT_THAT(problems("ssm", "SendCommand", R"({"DocumentName":"AWS-RunShellScript","TimeoutSeconds":29})"),
              ElementsAre("TimeoutSeconds: 29 is below the minimum of 30"));
  EXPECT_THAT(problems("ssm", "ListCommands", R"({"MaxResults":51})"),
              ElementsAre("MaxResults: 51 is above the maximum of 50"));
  const std::string comment(101, 'x');
  EXPECT_THAT(problems("ssm", "SendCommand", R"({"DocumentName":"D","Comment":")" + comment + "\"}"),
              ElementsAre("Comment: 101 characters is above the maximum of 100"));
}

TEST(Validate, CountsCharactersNotBytes) {
  std::string comment;
  for (int i = 0; i < 100; ++i) {
    comment += "ä";
  }
  EXPECT_THAT(problems("ssm", "SendCommand", R"({"DocumentName":"D","Comment":")" + comment + "\"}"), IsEmpty());
}

TEST(Validate, LooksIntoMaps) {
  EXPECT_THAT(problems("ssm", "SendCommand", R"({"DocumentName":"D","Parameters":{"commands":["a",7]}})"),
              ElementsAre("Parameters['commands'][1]: must be a string, not an integer"));
}

TEST(Validate, ChecksBlobsAndInstants) {
  EXPECT_THAT(problems("ec2", "ImportKeyPair", R"({"KeyName":"k","PublicKeyMaterial":"not base64!"})"),
              ElementsAre("PublicKeyMaterial: must be base64"));
  const char* fleet = R"({"LaunchTemplateConfigs":[],"TargetCapacitySpecification":{"TotalTargetCapacity":1},
                          "ValidFrom":"yesterday","ValidUntil":"2026-11-22T10:00:00Z"})";
  EXPECT_THAT(problems("ec2", "CreateFleet", fleet),
              ElementsAre("ValidFrom: must be an instant: ISO 8601 in UTC, or seconds since 1970"));
}

TEST(Validate, DoesNotAskForTokensThatTheClientMakes) {
  EXPECT_TRUE(
      find_service("ec2")->find_operation("StartNetworkInsightsAnalysis")->input->find_member("ClientToken")->required);
  EXPECT_THAT(problems("ec2", "StartNetworkInsightsAnalysis", R"({"NetworkInsightsPathId":"nip-1"})"), IsEmpty());
}

TEST(Validate, RefusesAValueThatIsNoObject) {
  EXPECT_THAT(problems("ec2", "RunInstances", "[]"), ElementsAre("must be an object, not an array"));
}

TEST(Validate, StopsCountingAtAHundred) {
  std::string many = R"({"InstanceIds":[)";
  for (int i = 0; i < 300; ++i) {
    many += "1,";
  }
  many.back() = ']';
  EXPECT_THAT(problems("ec2", "StartInstances", many + "}"), SizeIs(100));
}

}  // namespace
}  // namespace parallax::aws
