// What the EC2 operations share.
#pragma once

#include <string>
#include <vector>

#include "sim/cloud/operations.h"

namespace parallax::sim {

// The instances that `ids` name, in that order. One bad id fails the call: InvalidInstanceID.Malformed, .NotFound.
Result<std::vector<Instance*>> find_instances(RegionState& region, const std::vector<std::string>& ids);

Json state_json(InstanceState state);

// As DescribeInstances shows it, with the status it had at `seen`.
Json render_instance(const RegionState& region, const Instance& instance, const InstanceStatus& seen);

// The tags of any resource; nullptr when the id is unknown.
Tags* find_tags(RegionState& region, const std::string& id);

// "instance" for "i-0...", "" when the prefix is unknown.
std::string resource_type_of(const std::string& id);

// A Describe call sometimes shows an earlier world.
Monotonic describe_time(World& world, const RegionState& region);

}  // namespace parallax::sim
