// Instance types: what they are, which zone offers them, and room for them.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

namespace {

// The types of data/aws-prices.csv.
constexpr std::array<TypeInfo, 5> kTypes = {{{"t2.micro", 1, 1, 1024, "x86_64", "xen", true, 2},
                                             {"t3.micro", 2, 1, 1024, "x86_64", "nitro", true, 2},
                                             {"t3.nano", 2, 1, 512, "x86_64", "nitro", true, 2},
                                             {"t4g.micro", 2, 2, 1024, "arm64", "nitro", true, 2},
                                             {"t4g.nano", 2, 2, 512, "arm64", "nitro", true, 2}}};

const DescribeSpec& offerings_spec() {
  static const DescribeSpec kSpec = {"DescribeInstanceTypeOfferings",
                                     "InstanceTypeOfferings",
                                     {{"instance-type", "InstanceType"}, {"location", "Location"}}};
  return kSpec;
}

const DescribeSpec& types_spec() {
  static const DescribeSpec kSpec = {
      "DescribeInstanceTypes",
      "InstanceTypes",
      {{"instance-type", "InstanceType"},
       {"auto-recovery-supported", "AutoRecoverySupported"},
       {"bare-metal", "BareMetal"},
       {"burstable-performance-supported", "BurstablePerformanceSupported"},
       {"current-generation", "CurrentGeneration"},
       {"dedicated-hosts-supported", "DedicatedHostsSupported"},
       {"ebs-info.ebs-optimized-support", "EbsInfo.EbsOptimizedSupport"},
       {"ebs-info.encryption-support", "EbsInfo.EncryptionSupport"},
       {"ebs-info.nvme-support", "EbsInfo.NvmeSupport"},
       {"free-tier-eligible", "FreeTierEligible"},
       {"hibernation-supported", "HibernationSupported"},
       {"hypervisor", "Hypervisor"},
       {"instance-storage-supported", "InstanceStorageSupported"},
       {"memory-info.size-in-mib", "MemoryInfo.SizeInMiB"},
       {"network-info.ena-support", "NetworkInfo.EnaSupport"},
       {"network-info.ipv6-supported", "NetworkInfo.Ipv6Supported"},
       {"network-info.maximum-network-interfaces", "NetworkInfo.MaximumNetworkInterfaces"},
       {"processor-info.supported-architecture", "ProcessorInfo.SupportedArchitectures"},
       {"supported-root-device-type", "SupportedRootDeviceTypes"},
       {"supported-usage-class", "SupportedUsageClasses"},
       {"supported-virtualization-type", "SupportedVirtualizationTypes"},
       {"vcpu-info.default-cores", "VCpuInfo.DefaultCores"},
       {"vcpu-info.default-threads-per-core", "VCpuInfo.DefaultThreadsPerCore"},
       {"vcpu-info.default-vcpus", "VCpuInfo.DefaultVCpus"}},
      {5, 100, 100}};
  return kSpec;
}

Result<Json> describe_offerings(Context& context, const Json& input) {
  const std::string location_type = input.text("LocationType", "region");
  std::vector<Json> rendered;
  for (const TypeInfo& type : kTypes) {
    const auto add = [&](const std::string& location) {
      rendered.push_back(
          Json::object({{"InstanceType", type.name}, {"LocationType", location_type}, {"Location", location}}));
    };
    if (location_type == "region" && type_offered(type.name, context.region, "")) {
      add(context.region.name);
    }
    for (const Zone& zone : zones_of(context.region.name)) {
      const bool offered = type_offered(type.name, context.region, zone.name);
      if (offered && location_type == "availability-zone") {
        add(zone.name);
      } else if (offered && location_type == "availability-zone-id") {
        add(zone.id);
      }
    }
  }
  return finish_describe(offerings_spec(), std::move(rendered), input);
}

Json render_type(const TypeInfo& type) {
  const bool nitro = type.hypervisor == "nitro";
  JsonArray architectures = {Json(type.architecture)};
  if (type.name == "t2.micro") {
    architectures.insert(architectures.begin(), Json("i386"));
  }
  Json json = Json::object({{"InstanceType", type.name},
                            {"CurrentGeneration", type.current},
                            {"FreeTierEligible", type.name == "t2.micro" || type.name == "t3.micro"},
                            {"SupportedUsageClasses", Json::array({"on-demand", "spot"})},
                            {"SupportedRootDeviceTypes", Json::array({"ebs"})},
                            {"SupportedVirtualizationTypes", Json::array({"hvm"})},
                            {"BareMetal", false},
                            {"Hypervisor", type.hypervisor}});
  json.set("ProcessorInfo", Json::object({{"SupportedArchitectures", std::move(architectures)}}));
  json.set("VCpuInfo", Json::object({{"DefaultVCpus", type.vcpus},
                                     {"DefaultCores", type.cores},
                                     {"DefaultThreadsPerCore", type.vcpus / type.cores}}));
  json.set("MemoryInfo", Json::object({{"SizeInMiB", type.memory_mib}}));
  json.set("InstanceStorageSupported", false);
  json.set("EbsInfo", Json::object({{"EbsOptimizedSupport", nitro ? "default" : "unsupported"},
                                    {"EncryptionSupport", "supported"},
                                    {"NvmeSupport", nitro ? "required" : "unsupported"}}));
  json.set("NetworkInfo", Json::object({{"MaximumNetworkInterfaces", type.interfaces_max},
                                        {"Ipv4AddressesPerInterface", 2},
                                        {"Ipv6AddressesPerInterface", 2},
                                        {"Ipv6Supported", true},
                                        {"EnaSupport", nitro ? "required" : "unsupported"},
                                        {"EfaSupported", false}}));
  json.set("HibernationSupported", type.architecture == "x86_64");
  json.set("BurstablePerformanceSupported", true);
  json.set("DedicatedHostsSupported", nitro);
  json.set("AutoRecoverySupported", true);
  return json;
}

Result<Json> describe_types(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "InstanceTypes", "instanceTypes"));
  std::vector<Json> rendered;
  const std::vector<std::string> names = strings_of(input, "InstanceTypes");
  for (const std::string& name : names) {
    if (find_type(name) == nullptr || !type_offered(name, context.region, "")) {
      return client_error("InvalidInstanceType",
                          fmt::format("The following supplied instance types do not exist: [{}]", name));
    }
  }
  for (const TypeInfo& type : kTypes) {
    if (type_offered(type.name, context.region, "") &&
        (names.empty() || std::ranges::find(names, type.name) != names.end())) {
      rendered.push_back(render_type(type));
    }
  }
  return finish_describe(types_spec(), std::move(rendered), input);
}

bool takes_room(const Instance& instance) {
  return instance.status.state == InstanceState::running || instance.status.state == InstanceState::pending;
}

// What `more` instances come to together with those that are there.
struct Need {
  int vcpus = 0;             // of the region
  int there = 0;             // instances that count against `limit`
  std::optional<int> limit;  // of the zone
};

Need need_of(const Context& context, const std::string& type, const std::string& zone, int more) {
  const std::map<std::string, int>& capacity = context.world.options.capacity;
  Need need;
  bool any_type = false;
  for (const std::string& key : {zone + "/" + type, zone + "/*", "*/" + type}) {
    const auto limit = capacity.find(key);
    if (limit != capacity.end()) {
      need.limit = limit->second;
      any_type = key.ends_with('*');
      break;
    }
  }
  const TypeInfo* info = find_type(type);
  need.vcpus = (info == nullptr ? 1 : info->vcpus) * more;
  need.there = more;
  for (const auto& [id, instance] : context.region.instances) {
    if (takes_room(instance)) {
      const TypeInfo* other = find_type(instance.type);
      need.vcpus += other == nullptr ? 1 : other->vcpus;
      need.there += (any_type || instance.type == type) && instance.zone == zone ? 1 : 0;
    }
  }
  return need;
}

}  // namespace

const TypeInfo* find_type(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &TypeInfo::name);
  return found == kTypes.end() ? nullptr : &*found;
}

bool type_offered(std::string_view type, const RegionState& region, const std::string& zone) {
  if (type == "t2.micro") {
    return region.opt_in_status == "opt-in-not-required" && region.name != "eu-north-1";
  }
  // The zone that never got newer hosts.
  return zone != "us-east-1e";
}

bool has_room(const Context& context, const std::string& type, const std::string& zone, int more) {
  const Need need = need_of(context, type, zone, more);
  return need.vcpus <= context.world.options.vcpu_limit && (!need.limit || need.there <= *need.limit);
}

Result<> check_room(Context& context, const std::string& type, const std::string& zone, int more) {
  const Need need = need_of(context, type, zone, more);
  if (need.vcpus > context.world.options.vcpu_limit) {
    return client_error(
        "VcpuLimitExceeded",
        fmt::format("You have requested more vCPU capacity than your current vCPU limit of {} allows for the instance "
                    "bucket that the specified instance type belongs to. Please visit "
                    "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
                    context.world.options.vcpu_limit));
  }
  const bool drawn = strikes(context.world, context.region, FaultKind::capacity).has_value();
  if (drawn || (need.limit && need.there > *need.limit)) {
    return service_error(500, "InsufficientInstanceCapacity",
                         fmt::format("We currently do not have sufficient {} capacity in the Availability Zone you "
                                     "requested ({}). Our system will be working on provisioning additional capacity.",
                                     type, zone));
  }
  return {};
}

std::vector<OperationEntry> ec2_type_operations() {
  return {{"DescribeInstanceTypeOfferings", describe_offerings}, {"DescribeInstanceTypes", describe_types}};
}

}  // namespace parallax::sim
