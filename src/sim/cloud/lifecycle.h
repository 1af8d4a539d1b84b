// The instance state machine: what a transition changes, and the timed events that follow from it.
#pragma once

#include <string>

#include "sim/cloud/guest.h"
#include "sim/cloud/state.h"

namespace parallax::sim {

// Each wants the instance in a state from which the transition exists; the caller has checked it.
void begin_start(World& world, RegionState& region, Instance& instance);
// The first start, by RunInstances. With a `failure` (a StateReason's code) it ends terminated instead of running.
void begin_launch(World& world, RegionState& region, Instance& instance, const std::string& failure);
// A new boot; the instance stays running and is billed on.
void begin_reboot(World& world, RegionState& region, Instance& instance);
// The agent looks again for credentials and a way to the service: after a profile was attached to a running instance.
void agent_tries_again(World& world, RegionState& region, Instance& instance);

enum class StopCause { user, guest, power_lost };

// `at_once`: without waiting for the operating system.
void begin_stop(World& world, RegionState& region, Instance& instance, StopCause cause, bool at_once = false);
void begin_terminate(World& world, RegionState& region, Instance& instance, StopCause cause);

// The operating system in the guest shuts down: stop or terminate, after the instance's shutdown behaviour.
void guest_shutdown(World& world, RegionState& region, Instance& instance);

// The operating system ends by itself while the machine stays on: its processes, timer and agent with it. After a
// reboot the agent registers again; a command that was running stays as it was until its time is over.
void system_ends(World& world, RegionState& region, Instance& instance, SystemEnd how);

// The instance if `ref` names its present boot and it is running; else nullptr.
Instance* find_running(World& world, const InstanceRef& ref);
InstanceRef ref_of(const RegionState& region, const Instance& instance);

// Changes the status and keeps the old one for stale reads.
void set_status(World& world, Instance& instance, InstanceStatus status);
// The status as it was at `when` (the oldest known where it is older).
const InstanceStatus& status_at(const Instance& instance, Monotonic when);

}  // namespace parallax::sim
