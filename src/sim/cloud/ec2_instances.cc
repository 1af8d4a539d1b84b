// Instances that are there: described, started, stopped, rebooted, terminated.
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/lifecycle.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kIdsMax = 1000;

const FilterPaths kInstanceFilters = {
    {"affinity", "Placement.Affinity"},
    {"architecture", "Architecture"},
    {"availability-zone", "Placement.AvailabilityZone"},
    {"block-device-mapping.attach-time", "BlockDeviceMappings.Ebs.AttachTime"},
    {"block-device-mapping.delete-on-termination", "BlockDeviceMappings.Ebs.DeleteOnTermination"},
    {"block-device-mapping.device-name", "BlockDeviceMappings.DeviceName"},
    {"block-device-mapping.status", "BlockDeviceMappings.Ebs.Status"},
    {"block-device-mapping.volume-id", "BlockDeviceMappings.Ebs.VolumeId"},
    {"client-token", "ClientToken"},
    {"dns-name", "PublicDnsName"},
    {"hibernation-options.configured", "HibernationOptions.Configured"},
    {"host-id", "Placement.HostId"},
    {"hypervisor", "Hypervisor"},
    {"iam-instance-profile.arn", "IamInstanceProfile.Arn"},
    {"iam-instance-profile.id", "IamInstanceProfile.Id"},
    {"image-id", "ImageId"},
    {"instance-id", "InstanceId"},
    {"instance-lifecycle", "InstanceLifecycle"},
    {"instance-state-code", "State.Code"},
    {"instance-state-name", "State.Name"},
    {"instance-type", "InstanceType"},
    {"instance.group-id", "SecurityGroups.GroupId"},
    {"instance.group-name", "SecurityGroups.GroupName"},
    {"group-id", "SecurityGroups.GroupId"},
    {"group-name", "SecurityGroups.GroupName"},
    {"ip-address", "PublicIpAddress"},
    {"kernel-id", "KernelId"},
    {"key-name", "KeyName"},
    {"launch-index", "AmiLaunchIndex"},
    {"launch-time", "LaunchTimeText"},
    {"metadata-options.http-endpoint", "MetadataOptions.HttpEndpoint"},
    {"metadata-options.http-put-response-hop-limit", "MetadataOptions.HttpPutResponseHopLimit"},
    {"metadata-options.http-tokens", "MetadataOptions.HttpTokens"},
    {"metadata-options.instance-metadata-tags", "MetadataOptions.InstanceMetadataTags"},
    {"metadata-options.state", "MetadataOptions.State"},
    {"monitoring-state", "Monitoring.State"},
    {"network-interface.addresses.private-ip-address", "NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress"},
    {"network-interface.addresses.association.public-ip", "NetworkInterfaces.PrivateIpAddresses.Association.PublicIp"},
    {"network-interface.association.public-ip", "NetworkInterfaces.Association.PublicIp"},
    {"network-interface.attachment.attachment-id", "NetworkInterfaces.Attachment.AttachmentId"},
    {"network-interface.availability-zone", "NetworkInterfaces.AvailabilityZone"},
    {"network-interface.group-id", "NetworkInterfaces.Groups.GroupId"},
    {"network-interface.group-name", "NetworkInterfaces.Groups.GroupName"},
    {"network-interface.mac-address", "NetworkInterfaces.MacAddress"},
    {"network-interface.network-interface-id", "NetworkInterfaces.NetworkInterfaceId"},
    {"network-interface.owner-id", "NetworkInterfaces.OwnerId"},
    {"network-interface.status", "NetworkInterfaces.Status"},
    {"network-interface.subnet-id", "NetworkInterfaces.SubnetId"},
    {"network-interface.vpc-id", "NetworkInterfaces.VpcId"},
    {"owner-id", "OwnerId"},
    {"placement-group-name", "Placement.GroupName"},
    {"platform", "Platform"},
    {"platform-details", "PlatformDetails"},
    {"private-dns-name", "PrivateDnsName"},
    {"private-ip-address", "PrivateIpAddress"},
    {"product-code", "ProductCodes.ProductCodeId"},
    {"ramdisk-id", "RamdiskId"},
    {"reason", "StateTransitionReason"},
    {"requester-id", "RequesterId"},
    {"reservation-id", "ReservationId"},
    {"root-device-name", "RootDeviceName"},
    {"root-device-type", "RootDeviceType"},
    {"source-dest-check", "SourceDestCheck"},
    {"spot-instance-request-id", "SpotInstanceRequestId"},
    {"state-reason-code", "StateReason.Code"},
    {"state-reason-message", "StateReason.Message"},
    {"subnet-id", "SubnetId"},
    {"tenancy", "Placement.Tenancy"},
    {"usage-operation", "UsageOperation"},
    {"virtualization-type", "VirtualizationType"},
    {"vpc-id", "VpcId"}};

constexpr PageLimits kPages{5, 1000, 1000};

// Members that only filters look at.
constexpr std::array<std::string_view, 3> kForFilters = {"LaunchTimeText", "OwnerId", "ReservationId"};

std::string reservation_of(const Instance& instance) {
  return instance.reservation_id.empty() ? "r-" + instance.id.substr(2) : instance.reservation_id;
}

// The instances that the call names, or all that are known.
Result<std::vector<Instance*>> chosen_instances(Context& context, const Json& input) {
  TRY(ids_without_pages(input, "InstanceIds", "instancesSet"));
  const std::vector<std::string> ids = strings_of(input, "InstanceIds");
  std::vector<Instance*> chosen = TRY(find_instances(context, ids));
  if (ids.empty()) {
    chosen.reserve(context.region.instances.size());
    for (auto& [id, instance] : context.region.instances) {
      if (instance.visible_at <= context.world.mono) {
        chosen.push_back(&instance);
      }
    }
  }
  return chosen;
}

Result<Json> describe_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(chosen_instances(context, input));
  const Monotonic seen = describe_time(context.world, context.region);
  std::vector<Json> rendered;
  rendered.reserve(chosen.size());
  const bool filtered = !input.list("Filters").empty();
  for (const Instance* instance : chosen) {
    const InstanceStatus& status = status_at(*instance, seen);
    Json json = render_instance(context.world, context.region, *instance, status);
    if (filtered) {
      json.set("LaunchTimeText", iso_millis(status.launch_time));
      json.set("OwnerId", kSimulatedAccount);
      json.set("ReservationId", reservation_of(*instance));
    }
    rendered.push_back(std::move(json));
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kInstanceFilters));
  std::vector<std::pair<const Instance*, JsonArray>> grouped;
  std::map<std::string, std::size_t> places;
  for (Json& json : rendered) {
    for (const std::string_view name : kForFilters) {
      json.members()->erase(name);
    }
    const Instance& instance = context.region.instances.at(json.text("InstanceId"));
    const auto [place, added] = places.try_emplace(reservation_of(instance), grouped.size());
    if (added) {
      grouped.emplace_back(&instance, JsonArray{});
    }
    grouped[place->second].second.push_back(std::move(json));
  }
  std::vector<Json> reservations;
  reservations.reserve(grouped.size());
  for (auto& [instance, instances] : grouped) {
    reservations.push_back(render_reservation(*instance, std::move(instances)));
  }
  return page_of("DescribeInstances", "Reservations", std::move(reservations), input, kPages);
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
                                     {"event.code", "Events.Code"},
                                     {"event.description", "Events.Description"},
                                     {"event.instance-event-id", "Events.InstanceEventId"},
                                     {"instance-state-name", "InstanceState.Name"},
                                     {"instance-state-code", "InstanceState.Code"},
                                     {"instance-status.reachability", "InstanceStatus.Details.Status"},
                                     {"instance-status.status", "InstanceStatus.Status"},
                                     {"system-status.reachability", "SystemStatus.Details.Status"},
                                     {"system-status.status", "SystemStatus.Status"}};
  const std::vector<Instance*> chosen = TRY(chosen_instances(context, input));
  const bool all = input.boolean("IncludeAllInstances", false);
  const Monotonic seen = describe_time(context.world, context.region);
  std::vector<Json> rendered;
  for (const Instance* instance : chosen) {
    const InstanceStatus& status = status_at(*instance, seen);
    if (status.state != InstanceState::running && !all) {
      continue;
    }
    const bool running = status.state == InstanceState::running;
    const bool checked = running && context.world.now - status.launch_time > instance->status_checks_take;
    const std::string_view health = !running ? "not-applicable" : checked ? "ok" : "initializing";
    rendered.push_back(Json::object({{"InstanceId", instance->id},
                                     {"AvailabilityZone", instance->zone},
                                     {"Events", JsonArray{}},
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

Result<std::vector<Instance*>> named_instances(Context& context, const Json& input) {
  const std::vector<std::string> ids = strings_of(input, "InstanceIds");
  if (ids.empty()) {
    return missing_parameter("InstanceId");
  }
  if (ids.size() > kIdsMax) {
    return client_error("InvalidParameterValue", fmt::format("At most {} instances can be named at once.", kIdsMax));
  }
  return find_instances(context, ids);
}

// Room for the stopped ones among `chosen`, by zone and type.
Result<> check_room_to_start(Context& context, const std::vector<Instance*>& chosen) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const Instance* instance : chosen) {
    if (instance->status.state == InstanceState::stopped) {
      ++counts[{instance->type, instance->zone}];
    }
  }
  for (const auto& [place, count] : counts) {
    TRY(check_room(context, place.first, place.second, count));
  }
  return {};
}

Result<Json> start_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(named_instances(context, input));
  for (const Instance* instance : chosen) {
    const InstanceState state = instance->status.state;
    if (state != InstanceState::stopped && state != InstanceState::running && state != InstanceState::pending) {
      return wrong_state(
          fmt::format("The instance '{}' is not in a state from which it can be started.", instance->id));
    }
  }
  TRY(end_of_dry_run(context));
  TRY(check_room_to_start(context, chosen));
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
  const std::vector<Instance*> chosen = TRY(named_instances(context, input));
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
  TRY(end_of_dry_run(context));
  const bool at_once = input.boolean("Force", false) || input.boolean("SkipOsShutdown", false);
  JsonArray changes;
  for (Instance* instance : chosen) {
    const InstanceState before = instance->status.state;
    if (before == InstanceState::running) {
      begin_stop(context.world, context.region, *instance, StopCause::user, at_once);
    }
    changes.push_back(change_json(*instance, before));
  }
  return Json::object({{"StoppingInstances", std::move(changes)}});
}

Result<Json> terminate_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(named_instances(context, input));
  for (const Instance* instance : chosen) {
    if (instance->api_termination_disabled) {
      return client_error("OperationNotPermitted",
                          fmt::format("The instance '{}' may not be terminated. Modify its 'disableApiTermination' "
                                      "instance attribute and try again.",
                                      instance->id));
    }
  }
  TRY(end_of_dry_run(context));
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

Result<Json> reboot_instances(Context& context, const Json& input) {
  const std::vector<Instance*> chosen = TRY(named_instances(context, input));
  for (const Instance* instance : chosen) {
    if (instance->status.state != InstanceState::running) {
      return wrong_state(
          fmt::format("The instance '{}' is not in a state from which it can be rebooted.", instance->id));
    }
  }
  TRY(end_of_dry_run(context));
  for (Instance* instance : chosen) {
    begin_reboot(context.world, context.region, *instance);
  }
  return Json::object();
}

}  // namespace

std::vector<OperationEntry> ec2_instance_operations() {
  return {{"DescribeInstances", describe_instances},
          {"DescribeInstanceStatus", describe_instance_status},
          {"StartInstances", start_instances, DryRun::after_checks},
          {"StopInstances", stop_instances, DryRun::after_checks},
          {"RebootInstances", reboot_instances, DryRun::after_checks},
          {"TerminateInstances", terminate_instances, DryRun::after_checks}};
}

}  // namespace parallax::sim
