#include "sim/cloud/operations.h"

#include <algorithm>

namespace parallax::sim {

Error service_error(int status, std::string code, std::string message) {
  Error error;
  error.kind = status >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
  error.status = status;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

std::vector<std::string> strings_of(const Json& input, std::string_view member) {
  std::vector<std::string> strings;
  for (const Json& item : input.list(member)) {
    if (const std::string* text = item.string()) {
      strings.push_back(*text);
    }
  }
  return strings;
}

Json tag_list(const Tags& tags) {
  Json list{JsonArray{}};
  for (const auto& [key, value] : tags) {
    list.push(Json::object({{"Key", key}, {"Value", value}}));
  }
  return list;
}

Json epoch_seconds(Instant instant) {
  return static_cast<double>(instant.time_since_epoch().count()) / 1e6;
}

std::string iso_millis(Instant instant) {
  std::string text = to_iso8601(instant);  // ...05.678901Z
  text.erase(text.size() - 4, 3);
  return text;
}

namespace {

OperationFunction find_in(const std::vector<OperationEntry>& entries, std::string_view operation) {
  const auto found = std::ranges::find(entries, operation, &OperationEntry::name);
  return found == entries.end() ? nullptr : found->function;
}

}  // namespace

OperationFunction find_operation(std::string_view service, std::string_view operation) {
  static const std::vector<OperationEntry> kEc2 = [] {
    std::vector<OperationEntry> all = ec2_instance_operations();
    for (const auto& more : {ec2_attribute_operations(), ec2_resource_operations()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  static const std::vector<OperationEntry> kSsm = [] {
    std::vector<OperationEntry> all = ssm_sending_operations();
    for (const OperationEntry& entry : ssm_reading_operations()) {
      all.push_back(entry);
    }
    return all;
  }();
  static const std::vector<OperationEntry> kSts = sts_operations();
  if (service == "ec2") {
    return find_in(kEc2, operation);
  }
  if (service == "ssm") {
    return find_in(kSsm, operation);
  }
  return service == "sts" ? find_in(kSts, operation) : nullptr;
}

}  // namespace parallax::sim
