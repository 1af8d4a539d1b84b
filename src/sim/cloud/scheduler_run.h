// What a schedule does when its time comes.
#pragma once

#include <string>

#include "sim/cloud/state.h"

namespace parallax::sim {

// What a universal target calls: "arn:aws:scheduler:::aws-sdk:ec2:stopInstances" -> ec2, StopInstances.
// Error: ValidationException, naming what is not simulated.
Result<Call> call_of_target(const std::string& region, const std::string& target_arn);

// Puts the schedule's next invocation at or after `from` into the world's events, if there is one.
// True: there is.
bool plan_schedule(World& world, RegionState& region, const Schedule& schedule, Instant from);

}  // namespace parallax::sim
