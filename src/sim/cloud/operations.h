// What operations share: the context they run in, errors as AWS words them, and the tables of operations.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cloud/state.h"

namespace parallax::sim {

struct Context {
  World& world;
  RegionState& region;
  const Principal* caller = nullptr;  // nullptr: a call inside this process, which has all rights
  bool dry_run = false;
};

using OperationFunction = Result<Json> (*)(Context& context, const Json& input);

// Where a dry run ends: before the operation, or where the operation has checked its input (end_of_dry_run).
enum class DryRun { at_once, after_checks };

struct OperationEntry {
  std::string_view name;
  OperationFunction function;
  DryRun dry_run = DryRun::at_once;
};

// nullptr where the simulator lacks the operation.
OperationFunction find_operation(std::string_view service, std::string_view operation);
// Whether the operation itself ends a dry run.
bool checks_dry_run(std::string_view service, std::string_view operation);
// The simulated operations of a service, sorted. Empty for an unknown service.
std::vector<std::string_view> operation_names(std::string_view service);

std::vector<OperationEntry> ec2_address_operations();
std::vector<OperationEntry> ec2_attribute_operations();
std::vector<OperationEntry> ec2_group_operations();
std::vector<OperationEntry> ec2_image_making_operations();
std::vector<OperationEntry> ec2_image_operations();
std::vector<OperationEntry> ec2_instance_operations();
std::vector<OperationEntry> ec2_key_operations();
std::vector<OperationEntry> ec2_network_operations();
std::vector<OperationEntry> ec2_profile_operations();
std::vector<OperationEntry> ec2_region_operations();
std::vector<OperationEntry> ec2_rule_operations();
std::vector<OperationEntry> ec2_run_operations();
std::vector<OperationEntry> ec2_snapshot_operations();
std::vector<OperationEntry> ec2_tag_operations();
std::vector<OperationEntry> ec2_type_operations();
std::vector<OperationEntry> ec2_volume_operations();
std::vector<OperationEntry> ssm_sending_operations();
std::vector<OperationEntry> ssm_reading_operations();
std::vector<OperationEntry> ssm_parameter_operations();
std::vector<OperationEntry> iam_role_operations();
std::vector<OperationEntry> iam_entity_policy_operations();
std::vector<OperationEntry> iam_policy_operations();
std::vector<OperationEntry> iam_profile_operations();
std::vector<OperationEntry> iam_user_operations();
std::vector<OperationEntry> iam_simulate_operations();
std::vector<OperationEntry> sts_operations();
std::vector<OperationEntry> pricing_operations();
std::vector<OperationEntry> scheduler_operations();

Error service_error(int status, std::string code, std::string message);

inline Error client_error(std::string code, std::string message) {
  return service_error(400, std::move(code), std::move(message));
}

// The strings of a list member.
std::vector<std::string> strings_of(const Json& input, std::string_view member);

// [{"Key": k, "Value": v}, ...]
Json tag_list(const Tags& tags);

// Epoch seconds, as the models' timestamps are kept in Json here.
Json epoch_seconds(Instant instant);

// "2026-01-02T03:04:05.678Z"
std::string iso_millis(Instant instant);

}  // namespace parallax::sim
