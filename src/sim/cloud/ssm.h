// Run Command: the agent on the instance, delivery of commands, their time limits.
#pragma once

#include <string>

#include "sim/cloud/state.h"

namespace parallax::sim {

// The agent has registered in this boot; commands that wait are delivered.
void agent_registers(World& world, RegionState& region, Instance& instance);

// The health ping that is shown now: every five minutes since registration.
Instant last_ping_of(const World& world, const Instance& instance);

// Starts commands that wait for this instance, as far as the agent takes them.
void deliver_commands(World& world, RegionState& region, Instance& instance);

// A guest reports a command's end. Ignored when nobody waits for it any more.
void command_finished(World& world, const InstanceRef& ref, const std::string& command_id, const GuestResult& result);

// Whether DescribeInstanceInformation lists the instance: registered in this boot; or a ping of an earlier one is left.
bool shows_ping(const World& world, const Instance& instance);

// The command as the service answers it.
Json render_command(const Command& command);

// Text cut to `length_max` with AWS's mark at its end.
std::string cut_output(const std::string& text, std::size_t length_max);

}  // namespace parallax::sim
