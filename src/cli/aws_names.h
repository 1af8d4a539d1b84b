// Services, operations and waiters by the names that people type.
#pragma once

#include <string>
#include <string_view>

#include "aws/model/model.h"
#include "base/error.h"

namespace parallax::cli {

// Error: invalid, with a suggestion, else all names.
Result<const aws::ServiceModel*> service_named(std::string_view name);

// "DescribeInstances", "describe-instances", "describeinstances". Error: invalid, with a suggestion.
Result<const aws::Operation*> operation_named(const aws::ServiceModel& model, std::string_view name);

// The same for waiters: "InstanceRunning", "instance-running".
Result<const aws::Waiter*> waiter_named(const aws::ServiceModel& model, std::string_view name);

// "describe-instances" of "DescribeInstances", as the AWS CLI writes it.
std::string dashed(std::string_view name);

}  // namespace parallax::cli
