// RunInstances, and the client tokens of EC2.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_launch.h"
#include "sim/cloud/lifecycle.h"

namespace parallax::sim {

namespace {

constexpr Micros kTokenKept = Seconds(48L * 3600);

// A request that names a zone has its token in that zone; else in the region.
std::string token_zone(const RegionState& region, const Json& input) {
  std::string subnet = input.text("SubnetId");
  for (const Json& interface : input.list("NetworkInterfaces")) {
    subnet = subnet.empty() ? interface.text("SubnetId") : subnet;
  }
  if (!subnet.empty()) {
    const auto found = region.of(ResourceKind::subnet).find(subnet);
    return found == region.of(ResourceKind::subnet).end() ? subnet : found->second.description.text("AvailabilityZone");
  }
  const Json* zone = input.at("Placement", "AvailabilityZone");
  return zone == nullptr ? "" : *zone->string();
}

std::string token_key(const std::string& operation, const std::string& zone, const Json& input) {
  return fmt::format("{}|{}|{}", operation, zone, input.text("ClientToken"));
}

std::string token_parameters(const Json& input) {
  Json parameters = input;
  parameters.members()->erase("ClientToken");
  parameters.members()->erase("DryRun");
  return parameters.canonical();
}

bool instance_ended(const RegionState& region, const std::string& id) {
  const auto found = region.instances.find(id);
  return found == region.instances.end() || found->second.status.state == InstanceState::terminated ||
         found->second.status.state == InstanceState::shutting_down;
}

void add_volumes(World& world, RegionState& region, const LaunchPlan& plan, Instance& instance) {
  const auto tags = plan.tags.find("volume");
  for (const PlannedVolume& planned : plan.volumes) {
    VolumeSpec spec = planned.spec;
    spec.zone = plan.zone;
    Resource& volume = add_volume(world, region, spec, tags == plan.tags.end() ? Tags() : tags->second);
    volume.visible_at = world.mono;
    attach(world, volume, instance, planned.device, planned.delete_on_termination);
  }
}

Instance& add_instance(World& world, RegionState& region, const LaunchPlan& plan, const Json& input) {
  Instance instance;
  instance.id = world.hex_id("i-");
  instance.type = plan.type;
  instance.image_id = plan.image_id;
  instance.key_name = plan.key_name;
  instance.zone = plan.zone;
  instance.subnet_id = plan.subnet_id;
  instance.vpc_id = plan.vpc_id;
  instance.architecture = plan.architecture;
  instance.root_device = plan.root_device;
  instance.client_token = input.text("ClientToken");
  instance.user_data = plan.user_data;
  instance.group_ids = plan.group_ids;
  instance.options = plan.options;
  instance.public_ip_wanted = plan.public_ip;
  instance.shutdown_behavior = input.text("InstanceInitiatedShutdownBehavior", "stop");
  instance.api_termination_disabled = input.boolean("DisableApiTermination", false);
  instance.api_stop_disabled = input.boolean("DisableApiStop", false);
  instance.ebs_optimized = input.boolean("EbsOptimized", false);
  const Json* monitoring = input.at("Monitoring", "Enabled");
  instance.monitoring = monitoring != nullptr && monitoring->boolean().value_or(false);
  if (const auto tags = plan.tags.find("instance"); tags != plan.tags.end()) {
    instance.tags = tags->second;
  }
  instance.private_ip = plan.private_ip.empty()
                            ? free_private_ip(world, region, region.of(ResourceKind::subnet).at(plan.subnet_id))
                            : plan.private_ip;
  instance.visible_at = draw_visible(world, region);
  const std::string id = instance.id;
  Instance& placed = region.instances.emplace(id, std::move(instance)).first->second;
  add_volumes(world, region, plan, placed);
  Resource& interface = add_interface(world, region, placed, plan.interface_description, true);
  if (const auto tags = plan.tags.find("network-interface"); tags != plan.tags.end()) {
    interface.tags = tags->second;
  }
  if (!plan.profile_arn.empty()) {
    add_profile_association(world, region, placed, plan.profile_arn);
  }
  return placed;
}

// As many as there is room for, from MaxCount down to MinCount.
Result<int> count_that_fits(Context& context, const Json& input, const LaunchPlan& plan) {
  const int least = static_cast<int>(input.integer("MinCount", 1));
  int count = plan.count;
  while (count > least && !has_room(context, plan.type, plan.zone, count)) {
    --count;
  }
  TRY(check_room(context, plan.type, plan.zone, count));
  const Resource& subnet = context.region.of(ResourceKind::subnet).at(plan.subnet_id);
  if (free_addresses(context.region, subnet) < count) {
    return client_error("InsufficientFreeAddressesInSubnet",
                        fmt::format("There are not enough free addresses in subnet '{}' to satisfy the requested "
                                    "number of instances.",
                                    plan.subnet_id));
  }
  return count;
}

Result<Json> run_instances(Context& context, const Json& input) {
  World& world = context.world;
  RegionState& region = context.region;
  const std::string zone = token_zone(region, input);
  if (const TokenRecord* before = TRY(token_used(context, "RunInstances", zone, input))) {
    if (std::ranges::any_of(before->ids, [&](const std::string& id) { return instance_ended(region, id); })) {
      return client_error("IdempotentInstanceTerminated",
                          "The client token that you provided is associated with an instance that has been "
                          "terminated.");
    }
    return before->answer;
  }
  const LaunchPlan plan = TRY(plan_launch(context, input));
  TRY(end_of_dry_run(context));
  const int count = TRY(count_that_fits(context, input, plan));
  const std::string reservation = world.hex_id("r-");
  JsonArray rendered;
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) {
    Instance& instance = add_instance(world, region, plan, input);
    instance.reservation_id = reservation;
    instance.launch_index = i;
    begin_launch(world, region, instance, plan.failure);
    rendered.push_back(render_instance(world, region, instance, instance.status));
    ids.push_back(instance.id);
  }
  Json answer = Json::object({{"ReservationId", reservation},
                              {"OwnerId", kSimulatedAccount},
                              {"Groups", JsonArray{}},
                              {"Instances", std::move(rendered)}});
  remember_token(context, "RunInstances", zone, input, answer, std::move(ids));
  return answer;
}

}  // namespace

Result<const TokenRecord*> token_used(Context& context, const std::string& operation, const std::string& zone,
                                      const Json& input) {
  // A dry run consumes no token and meets none.
  if (input.text("ClientToken").empty() || context.dry_run) {
    return nullptr;
  }
  const auto found = context.region.client_tokens.find(token_key(operation, zone, input));
  if (found == context.region.client_tokens.end()) {
    return nullptr;
  }
  if (found->second.parameters != token_parameters(input)) {
    return client_error("IdempotentParameterMismatch",
                        "Arguments on this idempotent request are inconsistent with arguments used in previous "
                        "request(s).");
  }
  return &found->second;
}

void remember_token(Context& context, const std::string& operation, const std::string& zone, const Json& input,
                    const Json& answer, std::vector<std::string> ids) {
  auto& tokens = context.region.client_tokens;
  const Monotonic oldest = context.world.mono - kTokenKept;
  std::erase_if(tokens, [&](const auto& entry) {
    return entry.second.used < oldest && std::ranges::all_of(entry.second.ids, [&](const std::string& id) {
             return instance_ended(context.region, id);
           });
  });
  if (!input.text("ClientToken").empty()) {
    tokens.insert_or_assign(token_key(operation, zone, input),
                            TokenRecord{token_parameters(input), answer, std::move(ids), context.world.mono});
  }
}

std::vector<OperationEntry> ec2_run_operations() {
  return {{"RunInstances", run_instances, DryRun::after_checks}};
}

}  // namespace parallax::sim
