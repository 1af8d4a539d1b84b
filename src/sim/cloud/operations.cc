#include "sim/cloud/operations.h"

#include <algorithm>

namespace parallax::sim {

namespace {

std::vector<OperationEntry> joined(const std::vector<std::vector<OperationEntry>>& lists) {
  std::vector<OperationEntry> all;
  for (const std::vector<OperationEntry>& list : lists) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

OperationFunction find_in(const std::vector<OperationEntry>& entries, std::string_view operation) {
  const auto found = std::ranges::find(entries, operation, &OperationEntry::name);
  return found == entries.end() ? nullptr : found->function;
}

}  // namespace

OperationFunction find_operation(std::string_view service, std::string_view operation) {
  static const std::vector<OperationEntry> kEc2 =
      joined({ec2_instance_operations(), ec2_attribute_operations(), ec2_resource_operations()});
  static const std::vector<OperationEntry> kSsm =
      joined({ssm_sending_operations(), ssm_reading_operations(), ssm_parameter_operations()});
  static const std::vector<OperationEntry> kIam =
      joined({iam_role_operations(), iam_entity_policy_operations(), iam_policy_operations(), iam_profile_operations(),
              iam_user_operations(), iam_simulate_operations()});
  static const std::vector<OperationEntry> kPricing = pricing_operations();
  static const std::vector<OperationEntry> kScheduler = scheduler_operations();
  static const std::vector<OperationEntry> kSts = sts_operations();
  if (service == "ec2") {
    return find_in(kEc2, operation);
  }
  if (service == "ssm") {
    return find_in(kSsm, operation);
  }
  if (service == "iam") {
    return find_in(kIam, operation);
  }
  if (service == "pricing") {
    return find_in(kPricing, operation);
  }
  if (service == "scheduler") {
    return find_in(kScheduler, operation);
  }
  return service == "sts" ? find_in(kSts, operation) : nullptr;
}

}  // namespace parallax::sim
