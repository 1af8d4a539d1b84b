#include "aws/protocol/query.h"

#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

std::string body_of(std::string_view service, std::string_view operation, std::string_view params) {
  const ServiceModel& model = *find_service(service);
  return serialize(model, *model.find_operation(operation), parse_json(params).value()).value().body;
}

Result<Json> result_of(std::string_view service, std::string_view operation, std::string body) {
  const ServiceModel& model = *find_service(service);
  http::Response response;
  response.status = 200;
  response.body = std::move(body);
  return parse_result(model, *model.find_operation(operation), response);
}

Json json(std::string_view text) {
  return parse_json(text).value();
}

TEST(Ec2Query, FlattensListsAndNestsStructures) {
  EXPECT_EQ(body_of("ec2", "DescribeInstances",
                    R"({"Filters":[{"Name":"tag:parallax:fleet","Values":["a b","c"]}],"InstanceIds":["i-1","i-2"]})"),
            "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aparallax%3Afleet&Filter.1.Value.1=a%20b&"
            "Filter.1.Value.2=c&InstanceId.1=i-1&InstanceId.2=i-2");
}

TEST(Ec2Query, UsesTheNamesThatRunInstancesWants) {
  EXPECT_EQ(body_of("ec2", "RunInstances",
                    R"({"MinCount":1,"MaxCount":1,"SecurityGroupIds":["sg-1"],"Placement":{"AvailabilityZone":"a"},
                        "EbsOptimized":false,
                        "NetworkInterfaces":[{"Groups":["sg-2"],"Ipv6Addresses":[{"Ipv6Address":"::1"}]}],
                        "TagSpecifications":[{"ResourceType":"instance","Tags":[{"Key":"k","Value":""}]}]})"),
            "Action=RunInstances&Version=2016-11-15&MaxCount=1&MinCount=1&Placement.AvailabilityZone=a&"
            "SecurityGroupId.1=sg-1&EbsOptimized=false&NetworkInterface.1.SecurityGroupId.1=sg-2&"
            "NetworkInterface.1.Ipv6Addresses.1.Ipv6Address=%3A%3A1&TagSpecification.1.ResourceType=instance&"
            "TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=");
}

TEST(Ec2Query, SendsNothingForNullsAndEmptyLists) {
  EXPECT_EQ(body_of("ec2", "DescribeInstances", R"({"InstanceIds":[],"NextToken":null})"),
            "Action=DescribeInstances&Version=2016-11-15");
}

TEST(Ec2Query, WritesInstantsInUtc) {
  EXPECT_EQ(
      body_of("ec2", "EnableImageDeprecation", R"({"ImageId":"ami-1","DeprecateAt":"2026-11-22T10:00:00+00:00"})"),
      "Action=EnableImageDeprecation&Version=2016-11-15&ImageId=ami-1&DeprecateAt=2026-11-22T10%3A00%3A00Z");
}

TEST(Query, WritesMembersAndEmptyLists) {
  EXPECT_EQ(body_of("iam", "CreateRole",
                    R"({"RoleName":"r","AssumeRolePolicyDocument":"{}","Tags":[{"Key":"a","Value":"b"}]})"),
            "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=a&"
            "Tags.member.1.Value=b");
  EXPECT_EQ(body_of("iam", "UntagRole", R"({"RoleName":"r","TagKeys":[]})"),
            "Action=UntagRole&Version=2010-05-08&RoleName=r&TagKeys=");
}

constexpr const char* kInstances = R"(<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>r-1</requestId>
  <reservationSet><item><reservationId>r-0</reservationId><instancesSet><item>
    <instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>
    <ipAddress>192.0.2.7</ipAddress><launchTime>2026-11-22T10:00:00.000Z</launchTime><ebsOptimized>false</ebsOptimized>
    <tagSet><item><key>Name</key><value>a &amp; b</value></item></tagSet><newerThanUs><x/></newerThanUs>
    <groupSet/>
  </item></instancesSet></item></reservationSet>
</DescribeInstancesResponse>)";

TEST(Ec2Query, ReadsAnAnswerByItsShapes) {
  EXPECT_EQ(result_of("ec2", "DescribeInstances", kInstances).value(),
            json(R"({"Reservations":[{"ReservationId":"r-0","Instances":[{"InstanceId":"i-1",
                     "State":{"Code":16,"Name":"running"},"PublicIpAddress":"192.0.2.7",
                     "LaunchTime":"2026-11-22T10:00:00.000Z","EbsOptimized":false,"SecurityGroups":[],
                     "Tags":[{"Key":"Name","Value":"a & b"}]}]}]})"));
}

TEST(Ec2Query, AnswersAnEmptyObjectWhereTheModelHasNoOutput) {
  EXPECT_EQ(result_of("ec2", "CreateTags", "<CreateTagsResponse><return>true</return></CreateTagsResponse>").value(),
            Json::object());
}

TEST(Query, UnwrapsTheResult) {
  const char* body = R"(<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <GetCallerIdentityResult><Account>123</Account></GetCallerIdentityResult>
    <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>)";
  EXPECT_EQ(result_of("sts", "GetCallerIdentity", body).value(), json(R"({"Account":"123"})"));
  EXPECT_EQ(result_of("sts", "GetCallerIdentity", "<a/>").error().code, "bad-answer");
}

TEST(Query, ReadsMaps) {
  const char* body = R"(<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>
    <entry><key>Users</key><value>3</value></entry><entry><key>Roles</key><value>4</value></entry>
    </SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>)";
  EXPECT_EQ(result_of("iam", "GetAccountSummary", body).value(), json(R"({"SummaryMap":{"Users":3,"Roles":4}})"));
}

TEST(Ec2Query, CallsDamageByItsName) {
  for (const char* body : {"", "not xml", "<DescribeInstancesResponse><reservationSet>",
                           "<R><reservationSet><item><instancesSet><item><amiLaunchIndex>x</amiLaunchIndex></item>"
                           "</instancesSet></item></reservationSet></R>"}) {
    const Result<Json> result = result_of("ec2", "DescribeInstances", body);
    EXPECT_EQ(result.error().kind, ErrorKind::corrupt) << body;
    EXPECT_EQ(result.error().code, "bad-answer");
  }
}

}  // namespace
}  // namespace parallax::aws
