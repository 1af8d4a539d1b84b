// DescribeInstances, DescribeInstanceStatus, StartInstances, StopInstances, TerminateInstances, RebootInstances.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_common.h"
#include "sim/cloud/filters.h"
#include "sim/cloud/lifecycle.h"

namespace parallax::sim {

namespace {

constexpr Micros kStatusChecksTake = Seconds(120);

const FilterPaths& instance_filters() {
  static const FilterPaths kPaths = {{"instance-id", "InstanceId"},
                                     {"instance-type", "InstanceType"},
                                     {"instance-state-name", "State.Name"},
                                     {"instance-state-code", "State.Code"},
                                     {"image-id", "ImageId"},
                                     {"key-name", "KeyName"},
                                     {"availability-zone", "Placement.AvailabilityZone"},
                                     {"vpc-id", "VpcId"},
                                     {"subnet-id", "SubnetId"},
                                     {"private-ip-address", "PrivateIpAddress"},
                                     {"ip-address", "PublicIpAddress"},
                                     {"instance.group-id", "SecurityGroups.GroupId"},
                                     {"instance.group-name", "SecurityGroups.GroupName"},
                                     {"iam-instance-profile.arn", "IamInstanceProfile.Arn"},
                                     {"state-reason-code", "StateReason.Code"},
                                     {"architecture", "Architecture"},
                                     {"root-device-name", "RootDeviceName"},
                                     {"root-device-type", "RootDeviceType"},
                                     {"owner-id", "OwnerId"}};
  return kPaths;
}

std::string group_name(const RegionState& region, const std::string& id) {
  const auto& groups = region.resources[static_cast<std::size_t>(ResourceKind::security_group)];
  const auto found = groups.find(id);
  return found == groups.end() ? id : found->second.description.text("GroupName");
}

// The instances that the call names, or all.
Result<std::vector<Instance*>> chosen_instances(RegionState& region, const Json& input) {
  const std::vector<std::string> ids = strings_of(input, "InstanceIds");
  if (!ids.empty() && input.find("MaxResults") != nullptr) {
    return client_error("InvalidParameterCombination",
                        "The parameter instancesSet cannot be used with the parameter maxResults");
  }
  std::vector<Instance*> chosen = TRY(find_instances(region, ids));
  if (ids.empty()) {
    chosen.reserve(region.instances.size());
    for (auto& [id, instance] : region.instances) {
      chosen.push_back(&instance);
    }
  }
  return chosen;
}

Result<Json> describe_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(chosen_instances(context.region, input));
  const Monotonic seen = describe_time(context.world, context.region);
  std::vector<Json> rendered;
  rendered.reserve(chosen.size());
  for (const Instance* instance : chosen) {
    rendered.push_back(render_instance(context.region, *instance, status_at(*instance, seen)));
  }
  rendered = TRY(apply_filters(std::move(rendered), input, instance_filters()));
  std::vector<Json> reservations;
  for (Json& instance : rendered) {
    const std::string id = instance.text("InstanceId");
    reservations.push_back(Json::object({{"ReservationId", "r-" + id.substr(2)},
                                         {"OwnerId", kSimulatedAccount},
                                         {"Groups", JsonArray{}},
                                         {"Instances", JsonArray{std::move(instance)}}}));
  }
  return page_of("DescribeInstances", "Reservations", std::move(reservations), input, PageLimits{5, 1000, 1000});
}

Json status_summary(std::string_view status) {
  const std::string_view detail = status == "ok"             ? "passed"
                                  : status == "initializing" ? "initializing"
                                                             : "insufficient-data";
  Json summary = Json::object({{"Status", status}});
  summary.set("Details", JsonArray{Json::object({{"Name", "reachability"}, {"Status", detail}})});
  return summary;
}

Result<Json> describe_instance_status(Context& context, const Json& input) {
  static const FilterPaths kPaths = {{"availability-zone", "AvailabilityZone"},
                                     {"instance-state-name", "InstanceState.Name"},
                                     {"instance-state-code", "InstanceState.Code"},
                                     {"instance-status.status", "InstanceStatus.Status"},
                                     {"system-status.status", "SystemStatus.Status"}};
  const std::vector<Instance*> chosen = TRY(chosen_instances(context.region, input));
  const bool all = input.boolean("IncludeAllInstances", false);
  const Monotonic seen = describe_time(context.world, context.region);
  std::vector<Json> rendered;
  for (const Instance* instance : chosen) {
    const InstanceStatus& status = status_at(*instance, seen);
    if (status.state != InstanceState::running && !all) {
      continue;
    }
    const Micros checks = context.world.scaled(kStatusChecksTake);
    const bool running = status.state == InstanceState::running;
    const bool checked = running && context.world.now - status.launch_time > checks;
    const std::string_view health = !running ? "not-applicable" : checked ? "ok" : "initializing";
    rendered.push_back(Json::object({{"InstanceId", instance->id},
                                     {"AvailabilityZone", instance->zone},
                                     {"InstanceState", state_json(status.state)},
                                     {"InstanceStatus", status_summary(health)},
                                     {"SystemStatus", status_summary(health)}}));
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return page_of("DescribeInstanceStatus", "InstanceStatuses", std::move(rendered), input, PageLimits{5, 1000, 1000});
}

Json change_json(const Instance& instance, InstanceState before) {
  return Json::object({{"InstanceId", instance.id},
                       {"CurrentState", state_json(instance.status.state)},
                       {"PreviousState", state_json(before)}});
}

Error wrong_state(std::string text) {
  return client_error("IncorrectInstanceState", std::move(text));
}

Result<Json> start_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(find_instances(context.region, strings_of(input, "InstanceIds")));
  for (const Instance* instance : chosen) {
    const InstanceState state = instance->status.state;
    if (state != InstanceState::stopped && state != InstanceState::running && state != InstanceState::pending) {
      return wrong_state(
          fmt::format("The instance '{}' is not in a state from which it can be started.", instance->id));
    }
  }
  if (!chosen.empty() && strikes(context.world, context.region, FaultKind::capacity)) {
    return service_error(500, "InsufficientInstanceCapacity",
                         fmt::format("We currently do not have sufficient {} capacity in the Availability Zone you "
                                     "requested ({}). Our system will be working on provisioning additional capacity.",
                                     chosen[0]->type, chosen[0]->zone));
  }
  JsonArray changes;
  for (Instance* instance : chosen) {
    const InstanceState before = instance->status.state;
    if (before == InstanceState::stopped) {
      begin_start(context.world, context.region, *instance);
    }
    changes.push_back(change_json(*instance, before));
  }
  return Json::object({{"StartingInstances", std::move(changes)}});
}

Result<Json> stop_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(find_instances(context.region, strings_of(input, "InstanceIds")));
  if (input.boolean("Hibernate", false)) {
    return client_error("UnsupportedHibernationConfiguration", "The instance is not configured for hibernation.");
  }
  for (const Instance* instance : chosen) {
    const InstanceState state = instance->status.state;
    if (state == InstanceState::pending || state == InstanceState::shutting_down ||
        state == InstanceState::terminated) {
      return wrong_state(
          fmt::format("This instance '{}' is not in a state from which it can be stopped.", instance->id));
    }
    if (instance->api_stop_disabled) {
      return client_error("OperationNotPermitted",
                          fmt::format("The instance '{}' may not be stopped. Modify its 'disableApiStop' instance "
                                      "attribute and try again.",
                                      instance->id));
    }
  }
  JsonArray changes;
  for (Instance* instance : chosen) {
    const InstanceState before = instance->status.state;
    if (before == InstanceState::running) {
      begin_stop(context.world, context.region, *instance, StopCause::user);
    }
    changes.push_back(change_json(*instance, before));
  }
  return Json::object({{"StoppingInstances", std::move(changes)}});
}

Result<Json> terminate_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(find_instances(context.region, strings_of(input, "InstanceIds")));
  for (const Instance* instance : chosen) {
    if (instance->api_termination_disabled) {
      return client_error("OperationNotPermitted",
                          fmt::format("The instance '{}' may not be terminated. Modify its 'disableApiTermination' "
                                      "instance attribute and try again.",
                                      instance->id));
    }
  }
  JsonArray changes;
  for (Instance* instance : chosen) {
    const InstanceState before = instance->status.state;
    if (before != InstanceState::terminated && before != InstanceState::shutting_down) {
      begin_terminate(context.world, context.region, *instance, StopCause::user);
    }
    changes.push_back(change_json(*instance, before));
  }
  return Json::object({{"TerminatingInstances", std::move(changes)}});
}

void add_network(Json& json, const Instance& instance, const InstanceStatus& seen, const std::string& region) {
  json.set("SubnetId", instance.subnet_id);
  json.set("VpcId", instance.vpc_id);
  json.set("PrivateIpAddress", instance.private_ip);
  json.set("PrivateDnsName", fmt::format("ip-{}.{}.compute.internal", instance.private_ip, region));
  json.set("PublicDnsName",
           seen.public_ip.empty() ? "" : fmt::format("ec2-{}.{}.compute.amazonaws.com", seen.public_ip, region));
  if (!seen.public_ip.empty()) {
    json.set("PublicIpAddress", seen.public_ip);
  }
}

}  // namespace

Result<std::vector<Instance*>> find_instances(RegionState& region, const std::vector<std::string>& ids) {
  std::vector<Instance*> found;
  std::string missing;
  for (const std::string& id : ids) {
    const bool hex = id.size() > 2 && std::all_of(id.begin() + 2, id.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
    if (!id.starts_with("i-") || (id.size() != 10 && id.size() != 19) || !hex) {
      return client_error("InvalidInstanceID.Malformed", fmt::format("Invalid id: \"{}\"", id));
    }
    const auto entry = region.instances.find(id);
    if (entry == region.instances.end()) {
      missing += (missing.empty() ? "" : ", ") + id;
    } else if (std::ranges::find(found, &entry->second) == found.end()) {
      found.push_back(&entry->second);
    }
  }
  if (!missing.empty()) {
    const bool several = missing.find(',') != std::string::npos;
    return client_error("InvalidInstanceID.NotFound",
                        several ? fmt::format("The instance IDs '{}' do not exist", missing)
                                : fmt::format("The instance ID '{}' does not exist", missing));
  }
  return found;
}

Json state_json(InstanceState state) {
  return Json::object({{"Code", static_cast<int>(state)}, {"Name", to_string(state)}});
}

Monotonic describe_time(World& world, const RegionState& region) {
  return world.mono - strikes(world, region, FaultKind::stale_read).value_or(Micros(0));
}

Json render_instance(const RegionState& region, const Instance& instance, const InstanceStatus& seen) {
  Json json = Json::object({{"InstanceId", instance.id},
                            {"ImageId", instance.image_id},
                            {"State", state_json(seen.state)},
                            {"StateTransitionReason", seen.transition_reason},
                            {"AmiLaunchIndex", 0},
                            {"ProductCodes", JsonArray{}},
                            {"InstanceType", instance.type},
                            {"LaunchTime", epoch_seconds(seen.launch_time)},
                            {"Monitoring", Json::object({{"State", "disabled"}})},
                            {"Architecture", "x86_64"},
                            {"RootDeviceType", "ebs"},
                            {"RootDeviceName", "/dev/xvda"},
                            {"VirtualizationType", "hvm"},
                            {"ClientToken", ""},
                            {"SourceDestCheck", instance.source_dest_check},
                            {"Hypervisor", "xen"},
                            {"EbsOptimized", instance.ebs_optimized},
                            {"EnaSupport", true}});
  json.set("Placement", Json::object({{"AvailabilityZone", instance.zone}, {"GroupName", ""}, {"Tenancy", "default"}}));
  if (!instance.key_name.empty()) {
    json.set("KeyName", instance.key_name);
  }
  if (!seen.reason_code.empty()) {
    json.set("StateReason", Json::object({{"Code", seen.reason_code}, {"Message", seen.reason_code}}));
  }
  if (seen.state != InstanceState::terminated) {
    add_network(json, instance, seen, region.name);
    json.set("BlockDeviceMappings", JsonArray{Json::object({{"DeviceName", "/dev/xvda"},
                                                            {"Ebs", Json::object({{"VolumeId", instance.root_volume_id},
                                                                                  {"Status", "attached"},
                                                                                  {"DeleteOnTermination", true}})}})});
  }
  if (!instance.profile_arn.empty()) {
    json.set("IamInstanceProfile", Json::object({{"Arn", instance.profile_arn}, {"Id", "AIPAPARALLAXSIMPROF01"}}));
  }
  JsonArray groups;
  for (const std::string& id : instance.group_ids) {
    groups.push_back(Json::object({{"GroupName", group_name(region, id)}, {"GroupId", id}}));
  }
  json.set("SecurityGroups", std::move(groups));
  json.set("Tags", tag_list(instance.tags));
  json.set("MetadataOptions", Json::object({{"State", "applied"},
                                            {"HttpTokens", "required"},
                                            {"HttpPutResponseHopLimit", 2},
                                            {"HttpEndpoint", "enabled"}}));
  return json;
}

std::vector<OperationEntry> ec2_instance_operations() {
  return {{"DescribeInstances", describe_instances},
          {"DescribeInstanceStatus", describe_instance_status},
          {"StartInstances", start_instances},
          {"StopInstances", stop_instances},
          {"TerminateInstances", terminate_instances}};
}

}  // namespace parallax::sim
