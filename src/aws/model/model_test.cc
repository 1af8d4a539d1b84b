#include "aws/model/model.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(ServiceModel, ListsTheEmbeddedServices) {
  EXPECT_THAT(service_names(), ElementsAre("cloudwatch", "ec2", "iam", "pricing", "scheduler", "ssm", "sts"));
  EXPECT_EQ(find_service("s3"), nullptr);
}

TEST(ServiceModel, KnowsTheMetadataOfEachProtocol) {
  const Metadata& ec2 = find_service("ec2")->metadata();
  EXPECT_EQ(ec2.protocol, Protocol::ec2);
  EXPECT_EQ(ec2.api_version, "2016-11-15");
  EXPECT_EQ(ec2.signing_name, "ec2");
  EXPECT_EQ(ec2.xml_namespace, "http://ec2.amazonaws.com/doc/2016-11-15");
  const Metadata& ssm = find_service("ssm")->metadata();
  EXPECT_EQ(ssm.protocol, Protocol::json);
  EXPECT_EQ(ssm.target_prefix, "AmazonSSM");
  EXPECT_EQ(ssm.json_version, "1.1");
  EXPECT_EQ(find_service("iam")->metadata().protocol, Protocol::query);
  EXPECT_TRUE(find_service("iam")->metadata().global_endpoint);
  EXPECT_FALSE(find_service("sts")->metadata().global_endpoint);
}

TEST(ServiceModel, GivesTheSameOperationEachTime) {
  const ServiceModel* model = find_service("ec2");
  const Operation* operation = model->find_operation("RunInstances");
  ASSERT_NE(operation, nullptr);
  EXPECT_EQ(operation, find_service("ec2")->find_operation("RunInstances"));
  EXPECT_EQ(operation->input->name, "RunInstancesRequest");
  EXPECT_EQ(operation->output->name, "Reservation");
  EXPECT_EQ(model->find_operation("runInstances"), nullptr);
}

TEST(ServiceModel, KeepsTheTraitsOfMembers) {
  const Shape& input = *find_service("ec2")->find_operation("RunInstances")->input;
  EXPECT_TRUE(input.find_member("ClientToken")->idempotency_token);
  EXPECT_TRUE(input.find_member("MinCount")->required);
  EXPECT_FALSE(input.find_member("ImageId")->required);
  EXPECT_EQ(input.find_member("SecurityGroupIds")->location_name, "SecurityGroupId");
  EXPECT_EQ(input.find_member("SecurityGroupIds")->shape->item.location_name, "SecurityGroupId");
  const Shape* interface = find_service("ec2")->find_shape("InstanceNetworkInterfaceSpecification");
  EXPECT_EQ(interface->find_member("Ipv6Addresses")->query_name, "Ipv6Addresses");
  EXPECT_EQ(input.find_member_by_location("SecurityGroupId")->name, "SecurityGroupIds");
}

TEST(ServiceModel, FollowsShapesThatContainThemselves) {
  const Shape* filter = find_service("ssm")->find_shape("InventoryAggregator");
  ASSERT_NE(filter, nullptr);
  const Shape& list = *filter->find_member("Aggregators")->shape;
  EXPECT_EQ(&*list.item.shape, filter);
}

TEST(ServiceModel, ReadsEveryShapeAndOperation) {
  for (const std::string_view service : service_names()) {
    const ServiceModel* model = find_service(service);
    EXPECT_THAT(model->operation_names(), Not(IsEmpty()));
    for (const std::string_view name : model->operation_names()) {
      const Operation* operation = model->find_operation(name);
      ASSERT_NE(operation, nullptr) << name;
      for (const ShapeRef& error : operation->errors) {
        EXPECT_TRUE(error->exception) << name;
      }
    }
    for (const std::string_view name : model->waiter_names()) {
      EXPECT_NE(model->find_operation(model->find_waiter(name)->operation), nullptr) << name;
    }
  }
}

TEST(ServiceModel, KnowsLimitsEnumsAndMaps) {
  const ServiceModel* ssm = find_service("ssm");
  const Shape* timeout = ssm->find_shape("TimeoutSeconds");
  EXPECT_EQ(timeout->min, 30);
  EXPECT_EQ(timeout->max, 2592000);
  EXPECT_THAT(ssm->find_shape("CommandInvocationStatus")->enum_values, Contains("Delayed"));
  const Shape* parameters = ssm->find_shape("Parameters");
  ASSERT_EQ(parameters->type, ShapeType::map);
  EXPECT_EQ(parameters->value.shape->type, ShapeType::list);
}

TEST(ServiceModel, GivesErrorsTheirWireCodeAndStatus) {
  const Shape* missing = find_service("iam")->find_shape("NoSuchEntityException");
  EXPECT_EQ(missing->error_code, "NoSuchEntity");
  EXPECT_EQ(missing->error_status, 404);
  EXPECT_EQ(find_service("ssm")->find_shape("InvalidInstanceId")->error_code, "InvalidInstanceId");
}

TEST(ServiceModel, HasPaginatorsAndWaiters) {
  const Paginator* paginator = find_service("ec2")->find_paginator("DescribeInstances");
  ASSERT_NE(paginator, nullptr);
  EXPECT_THAT(paginator->input_tokens, ElementsAre("NextToken"));
  EXPECT_THAT(paginator->result_keys, ElementsAre("Reservations"));
  EXPECT_EQ(find_service("ec2")->find_paginator("DescribeRegions"), nullptr);
  EXPECT_EQ(find_service("iam")->find_paginator("GetGroup")->more_results, "IsTruncated");
  const Waiter* waiter = find_service("ec2")->find_waiter("InstanceRunning");
  ASSERT_NE(waiter, nullptr);
  EXPECT_EQ(waiter->delay_seconds, 15);
  EXPECT_EQ(waiter->operation, "DescribeInstances");
  EXPECT_EQ(waiter->acceptors.at(0).expected, Json("running"));
}

TEST(ServiceModel, AddsWhatThePackagedModelLacks) {
  const ServiceModel* ec2 = find_service("ec2");
  EXPECT_NE(ec2->find_operation("CopyImage")->input->find_member("TagSpecifications"), nullptr);
  EXPECT_NE(ec2->find_operation("StopInstances")->input->find_member("SkipOsShutdown"), nullptr);
  EXPECT_NE(ec2->find_operation("DeregisterImage")->output->find_member("DeleteSnapshotResults"), nullptr);
}

TEST(ServiceModel, CanBeUsedFromSeveralThreadsAtOnce) {
  const Result<std::unique_ptr<ServiceModel>> model = load_service(
      "tiny",
      "M\ttiny\t{\"protocol\":\"json\"}\nO\tGo\t{\"input\":{\"shape\":\"In\"},\"errors\":[]}\n"
      "S\tIn\t{\"type\":\"structure\",\"members\":{\"A\":{\"shape\":\"Text\"}}}\nS\tText\t{\"type\":\"string\"}\n");
  ASSERT_TRUE(model.has_value());
  std::vector<const Shape*> seen(8);
  {
    std::vector<std::jthread> threads;
    for (const Shape*& slot : seen) {
      threads.emplace_back([&] { slot = &*(*model)->find_operation("Go")->input->find_member("A")->shape; });
    }
  }
  EXPECT_THAT(seen, ::testing::Each(seen[0]));
}

TEST(ServiceModel, RefusesTextThatIsNotAModel) {
  EXPECT_EQ(load_service("tiny", "nonsense\n").error().kind, ErrorKind::corrupt);
  EXPECT_FALSE(load_service("tiny", "M\ttiny\t{\n").has_value());
}

}  // namespace
}  // namespace parallax::aws
