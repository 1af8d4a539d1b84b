#include "sim/cloud/ec2_launch.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/base64.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kUserDataMax = 16U << 10U;
constexpr std::size_t kTokenMax = 64;
constexpr std::int64_t kCountMax = 1000;
constexpr std::int64_t kHopsMax = 64;

// Members that this simulated cloud has nothing for: refused, never ignored.
constexpr std::array<std::string_view, 14> kUnsupported = {"LaunchTemplate",
                                                           "InstanceMarketOptions",
                                                           "ElasticGpuSpecification",
                                                           "ElasticInferenceAccelerators",
                                                           "KernelId",
                                                           "RamdiskId",
                                                           "LicenseSpecifications",
                                                           "Ipv6AddressCount",
                                                           "Ipv6Addresses",
                                                           "AdditionalInfo",
                                                           "CapacityReservationSpecification",
                                                           "EnablePrimaryIpv6",
                                                           "NetworkPerformanceOptions",
                                                           "Operator"};

Error unsupported(std::string_view what) {
  return client_error("UnsupportedOperation", fmt::format("This simulated cloud does not support {}.", what));
}

Result<> refuse_unsupported(const Json& input) {
  for (const std::string_view name : kUnsupported) {
    if (const Json* value = input.find(name);
        value != nullptr && !(value->items() != nullptr && value->items()->empty())) {
      return unsupported(name);
    }
  }
  if (const Json* placement = input.find("Placement")) {
    for (const std::string_view name :
         {"Affinity", "HostId", "SpreadDomain", "HostResourceGroupArn", "GroupId", "GroupName"}) {
      if (!placement->text(name).empty()) {
        return unsupported(fmt::format("Placement.{}", name));
      }
    }
    if (placement->find("PartitionNumber") != nullptr || placement->text("Tenancy", "default") != "default") {
      return unsupported("Placement.PartitionNumber and tenancies other than default");
    }
  }
  const Json* hibernation = input.at("HibernationOptions", "Configured");
  return hibernation != nullptr && hibernation->boolean().value_or(false) ? Result<>(unsupported("hibernation"))
                                                                          : Result<>();
}

Result<int> checked_count(const Json& input) {
  if (input.find("MinCount") == nullptr || input.find("MaxCount") == nullptr) {
    return missing_parameter(input.find("MinCount") == nullptr ? "MinCount" : "MaxCount");
  }
  const std::int64_t least = input.integer("MinCount", 0);
  const std::int64_t most = input.integer("MaxCount", 0);
  if (least < 1 || most < 1) {
    return bad_parameter(std::to_string(std::min(least, most)), least < 1 ? "minCount" : "maxCount",
                         "It must be at least 1.");
  }
  if (least > most) {
    return client_error(
        "InvalidParameterValue",
        fmt::format("Value ({}) for parameter minCount is invalid. It is greater than maxCount ({}).", least, most));
  }
  if (most > kCountMax) {
    return client_error("InstanceLimitExceeded",
                        fmt::format("At most {} instances can be launched at once.", kCountMax));
  }
  return static_cast<int>(most);
}

Result<> check_token(const std::string& token) {
  const bool ascii = std::ranges::all_of(token, [](char c) { return c >= ' ' && c <= '~'; });
  return ascii && token.size() <= kTokenMax
             ? Result<>()
             : Result<>(bad_parameter(token, "clientToken", "It has at most 64 ASCII characters."));
}

Result<> check_type(const LaunchPlan& plan, const Json& image) {
  const TypeInfo* type = find_type(plan.type);
  if (type == nullptr) {
    return client_error("InvalidParameterValue", fmt::format("Invalid value '{}' for InstanceType.", plan.type));
  }
  if (type->architecture != image.text("Architecture")) {
    return client_error(
        "InvalidParameterValue",
        fmt::format("The architecture '{}' of the specified instance type does not match the architecture '{}' of the "
                    "specified AMI. Specify an instance type and an AMI that have matching architectures, and try "
                    "again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of "
                    "the instance type or AMI.",
                    type->architecture, image.text("Architecture")));
  }
  return {};
}

// Members that are rendered as they came.
Result<Json> options_of(const Json& input, const Json& image, const LaunchPlan& plan) {
  const bool newer = image.text("ImdsSupport") == "v2.0";
  Json options = Json::object();
  options.set("MetadataOptions", TRY(metadata_options(input.find("MetadataOptions"),
                                                      Json::object({{"HttpTokens", newer ? "required" : "optional"},
                                                                    {"HttpPutResponseHopLimit", newer ? 2 : 1}}))));
  const TypeInfo& type = *find_type(plan.type);
  options.set("CpuOptions", Json::object({{"CoreCount", type.cores}, {"ThreadsPerCore", type.vcpus / type.cores}}));
  if (input.find("CpuOptions") != nullptr) {
    const Json& wanted = *input.find("CpuOptions");
    if (wanted.integer("CoreCount", type.cores) != type.cores || wanted.integer("ThreadsPerCore", 1) < 1 ||
        wanted.integer("ThreadsPerCore", 1) > type.vcpus / type.cores) {
      return client_error("InvalidParameterValue", "The instance type does not take these CpuOptions.");
    }
    options.set("CpuOptions",
                Json::object({{"CoreCount", type.cores}, {"ThreadsPerCore", wanted.integer("ThreadsPerCore", 1)}}));
  }
  options.set("EnclaveOptions", Json::object({{"Enabled", false}}));
  if (const Json* wanted = input.at("EnclaveOptions", "Enabled");
      wanted != nullptr && wanted->boolean().value_or(false)) {
    return unsupported("Nitro enclaves");
  }
  options.set("HibernationOptions", Json::object({{"Configured", false}}));
  const Json* recovery = input.at("MaintenanceOptions", "AutoRecovery");
  options.set("MaintenanceOptions",
              Json::object({{"AutoRecovery", recovery == nullptr ? Json("default") : *recovery}}));
  Json names = Json::object({{"HostnameType", "ip-name"},
                             {"EnableResourceNameDnsARecord", false},
                             {"EnableResourceNameDnsAAAARecord", false}});
  if (const Json* wanted = input.find("PrivateDnsNameOptions")) {
    for (const auto& [name, value] : *wanted->members()) {
      names.set(name, value);
    }
  }
  options.set("PrivateDnsNameOptions", std::move(names));
  return options;
}

}  // namespace

Result<> check_user_data(const std::string& text) {
  const Result<std::string> bytes = base64_decode(text);
  if (!bytes) {
    return client_error("InvalidParameterValue", "Invalid BASE64 encoding of user data.");
  }
  if (bytes->size() > kUserDataMax) {
    return client_error("InvalidParameterValue", fmt::format("User data is limited to {} bytes", kUserDataMax));
  }
  return {};
}

Result<Json> metadata_options(const Json* wanted, const Json& present) {
  Json options = Json::object({{"State", "applied"},
                               {"HttpTokens", "optional"},
                               {"HttpPutResponseHopLimit", 1},
                               {"HttpEndpoint", "enabled"},
                               {"HttpProtocolIpv6", "disabled"},
                               {"InstanceMetadataTags", "disabled"}});
  for (const auto& [name, value] : *present.members()) {
    options.set(name, value);
  }
  if (wanted == nullptr) {
    return options;
  }
  for (const auto& [name, value] : *wanted->members()) {
    if (options.find(name) != nullptr && name != "State") {
      options.set(name, value);
    }
  }
  const std::int64_t hops = options.integer("HttpPutResponseHopLimit", 0);
  if (hops < 1 || hops > kHopsMax) {
    return bad_parameter(std::to_string(hops), "HttpPutResponseHopLimit", "It must be 1 to 64.");
  }
  if (options.text("HttpEndpoint") == "disabled" && wanted->find("HttpTokens") != nullptr) {
    return bad_combination("HttpTokens cannot be given while HttpEndpoint is disabled.");
  }
  return options;
}

Result<LaunchPlan> plan_launch(Context& context, const Json& input) {
  TRY(refuse_unsupported(input));
  TRY(check_token(input.text("ClientToken")));
  LaunchPlan plan;
  plan.count = TRY(checked_count(input));
  if (input.text("ImageId").empty()) {
    return missing_parameter("ImageId");
  }
  const Json& image = TRY(usable_image(context, input.text("ImageId")))->description;
  plan.image_id = image.text("ImageId");
  plan.type = input.text("InstanceType", "m1.small");
  plan.architecture = image.text("Architecture");
  plan.root_device = image.text("RootDeviceName");
  TRY(check_type(plan, image));
  plan.options = TRY(options_of(input, image, plan));
  plan.key_name = input.text("KeyName");
  if (!plan.key_name.empty() && find_key_pair(context.region, plan.key_name) == nullptr) {
    return client_error("InvalidKeyPair.NotFound", fmt::format("The key pair '{}' does not exist", plan.key_name));
  }
  plan.user_data = input.text("UserData");
  TRY(check_user_data(plan.user_data));
  const std::string behaviour = input.text("InstanceInitiatedShutdownBehavior", "stop");
  if (behaviour != "stop" && behaviour != "terminate") {
    return bad_parameter(behaviour, "instanceInitiatedShutdownBehavior", "Unknown instanceInitiatedShutdownBehavior.");
  }
  plan.tags = TRY(tag_specifications(input, {"instance", "volume", "network-interface"}));
  TRY(plan_network(context, input, plan));
  TRY(plan_volumes(context, input, image, plan));
  if (const Json* profile = input.find("IamInstanceProfile")) {
    plan.profile_arn = TRY(profile_of(context, *profile));
  }
  return plan;
}

}  // namespace parallax::sim
