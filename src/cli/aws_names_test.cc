#include "cli/aws_names.h"

#include <gtest/gtest.h>

#include "cli/aws_parameters.h"

namespace parallax::cli {
namespace {

const aws::ServiceModel& service(const char* name) {
  return **service_named(name);
}

std::string operation_in(const char* name, std::string_view operation) {
  const Result<const aws::Operation*> found = operation_named(service(name), operation);
  return found ? (*found)->name : found.error().message;
}

TEST(AwsNames, TakesBothFormsOfEveryOperationAndWaiter) {
  for (const std::string_view name : aws::service_names()) {
    const aws::ServiceModel& model = *aws::find_service(name);
    for (const std::string_view operation : model.operation_names()) {
      EXPECT_EQ((*operation_named(model, operation))->name, operation);
      EXPECT_EQ((*operation_named(model, dashed(operation)))->name, operation);
    }
    for (const std::string_view waiter : model.waiter_names()) {
      EXPECT_EQ((*waiter_named(model, dashed(waiter)))->name, waiter);
    }
  }
}

TEST(AwsNames, KeepsAbbreviationsTogether) {
  EXPECT_EQ(dashed("DescribeInstances"), "describe-instances");
  EXPECT_EQ(dashed("ListMFADevices"), "list-mfa-devices");
  EXPECT_EQ(operation_in("iam", "list-open-id-connect-providers"), "ListOpenIDConnectProviders");
}

TEST(AwsNames, SuggestsInTheFormThatWasTyped) {
  EXPECT_EQ(operation_in("ec2", "descibe-instances"),
            "ec2 has no operation 'descibe-instances'; did you mean 'describe-instances'?");
  EXPECT_EQ(operation_in("ec2", "DescribeInstance"),
            "ec2 has no operation 'DescribeInstance'; did you mean 'DescribeInstances'?");
  EXPECT_EQ(operation_in("sts", "fly"), "sts has no operation 'fly'; 'parallax aws sts' lists them");
  EXPECT_EQ(service_named("ssn").error().message, "unknown service 'ssn'; did you mean 'ssm'?");
  EXPECT_NE(service_named("lambda").error().message.find("known are "), std::string::npos);
  EXPECT_EQ(waiter_named(service("ec2"), "instance-runing").error().message,
            "ec2 has no waiter 'instance-runing'; did you mean 'instance-running'?");
}

TEST(AwsParameters, ShowsATreeWithWhatMustBeGiven) {
  const aws::ServiceModel& iam = service("iam");
  EXPECT_EQ(parameter_tree(iam, **operation_named(iam, "attach-role-policy")),
            "iam AttachRolePolicy: parameters, '*' where one must be given\n"
            "  * RoleName                                 string, 1..64 characters\n"
            "  * PolicyArn                                string, 20..2048 characters\n");
}

TEST(AwsParameters, EndsWhereAShapeContainsItself) {
  // Every operation, so that none recurses for ever.
  for (const std::string_view name : aws::service_names()) {
    const aws::ServiceModel& model = *aws::find_service(name);
    for (const std::string_view operation : model.operation_names()) {
      EXPECT_FALSE(parameter_tree(model, *model.find_operation(operation)).empty());
    }
  }
}

}  // namespace
}  // namespace parallax::cli
