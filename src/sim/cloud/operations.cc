#include "sim/cloud/operations.h"

#include <algorithm>
#include <map>

namespace parallax::sim {

namespace {

std::vector<OperationEntry> joined(const std::vector<std::vector<OperationEntry>>& parts) {
  std::vector<OperationEntry> all;
  for (const std::vector<OperationEntry>& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::ranges::sort(all, {}, &OperationEntry::name);
  return all;
}

const std::vector<OperationEntry>& entries_of(std::string_view service) {
  static const std::vector<OperationEntry> kNone;
  static const std::vector<OperationEntry> kEc2 = joined({
      ec2_address_operations(),
      ec2_attribute_operations(),
      ec2_group_operations(),
      ec2_image_making_operations(),
      ec2_image_operations(),
      ec2_instance_operations(),
      ec2_key_operations(),
      ec2_network_operations(),
      ec2_profile_operations(),
      ec2_region_operations(),
      ec2_rule_operations(),
      ec2_run_operations(),
      ec2_snapshot_operations(),
      ec2_tag_operations(),
      ec2_type_operations(),
      ec2_volume_operations(),
  });
  static const std::vector<OperationEntry> kSsm =
      joined({ssm_sending_operations(), ssm_reading_operations(), ssm_parameter_operations()});
  static const std::vector<OperationEntry> kIam =
      joined({iam_role_operations(), iam_entity_policy_operations(), iam_policy_operations(), iam_profile_operations(),
              iam_user_operations(), iam_simulate_operations()});
  static const std::vector<OperationEntry> kPricing = joined({pricing_operations()});
  static const std::vector<OperationEntry> kScheduler = joined({scheduler_operations()});
  static const std::vector<OperationEntry> kSts = joined({sts_operations()});
  static const std::map<std::string_view, const std::vector<OperationEntry>*> kServices = {
      {"ec2", &kEc2}, {"iam", &kIam}, {"pricing", &kPricing}, {"scheduler", &kScheduler},
      {"ssm", &kSsm}, {"sts", &kSts}};
  const auto found = kServices.find(service);
  return found == kServices.end() ? kNone : *found->second;
}

const OperationEntry* find_entry(std::string_view service, std::string_view operation) {
  const std::vector<OperationEntry>& entries = entries_of(service);
  const auto found = std::ranges::find(entries, operation, &OperationEntry::name);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

OperationFunction find_operation(std::string_view service, std::string_view operation) {
  const OperationEntry* entry = find_entry(service, operation);
  return entry == nullptr ? nullptr : entry->function;
}

bool checks_dry_run(std::string_view service, std::string_view operation) {
  const OperationEntry* entry = find_entry(service, operation);
  return entry != nullptr && entry->dry_run == DryRun::after_checks;
}

std::vector<std::string_view> operation_names(std::string_view service) {
  std::vector<std::string_view> names;
  for (const OperationEntry& entry : entries_of(service)) {
    names.push_back(entry.name);
  }
  return names;
}

}  // namespace parallax::sim
