#include "sim/cloud/lifecycle.h"

#include <fmt/format.h>

#include "codec/base64.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/ssm.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kHistoryMax = 8;

std::string gmt(Instant instant) {
  std::string text = to_iso8601_seconds(instant);  // 2026-01-02T03:04:05Z
  text[10] = ' ';
  text.pop_back();
  return text + " GMT";
}

// The machine's processes, timer and agent end; the agent's last ping stays behind.
void end_processes(World& world, const RegionState& region, Instance& instance) {
  instance.guest_timer.reset();
  ++instance.guest_timer_id;
  if (instance.agent_online) {
    instance.last_ping = last_ping_of(world, instance);
    instance.agent_online = false;
  }
  if (Guest* guest = world.guest; guest != nullptr && instance.boot > 0) {
    world.outbox.emplace_back([guest, ref = ref_of(region, instance)] { guest->kill_all(ref); });
  }
}

void end_boot(World& world, const RegionState& region, Instance& instance) {
  end_processes(world, region, instance);
  instance.left_running = world.mono;
  if (!instance.intervals.empty() && !instance.intervals.back().to) {
    instance.intervals.back().to = world.now;
  }
}

// Runs `what` at `when` if the instance is then still in this boot and state.
void at_state(World& world, const RegionState& region, const Instance& instance, Monotonic when,
              std::function<void(World&, RegionState&, Instance&)> what) {
  world.at(when, [ref = ref_of(region, instance), state = instance.status.state, what = std::move(what)](World& w) {
    RegionState& r = w.region(ref.region);
    const auto found = r.instances.find(ref.instance_id);
    if (found != r.instances.end() && found->second.boot == ref.boot && found->second.status.state == state) {
      what(w, r, found->second);
    }
  });
}

void become_stopped(World& world, RegionState& /*region*/, Instance& instance) {
  InstanceStatus status = instance.status;
  status.state = InstanceState::stopped;
  set_status(world, instance, status);
}

// cloud-init of a new boot sees the user data as it is now.
void boot_system(World& world, const RegionState& region, const Instance& instance) {
  Guest* guest = world.guest;
  if (guest == nullptr || instance.user_data.empty()) {
    return;
  }
  world.outbox.emplace_back([guest, ref = ref_of(region, instance), data = instance.user_data] {
    guest->boot(ref, base64_decode(data).value_or(""));
  });
}

// The agent registers once it has credentials and a way out; else not in this boot.
void begin_agent(World& world, RegionState& region, Instance& instance) {
  Micros agent = world.draw(world.options.timings.agent);
  if (strikes(world, region, FaultKind::agent_never)) {
    return;
  }
  if (const auto late_by = strikes(world, region, FaultKind::agent_late)) {
    agent += world.scaled(*late_by);
  }
  at_state(world, region, instance, world.mono + agent, [](World& w, RegionState& r, Instance& i) {
    if (!i.agent_online && !i.profile_arn.empty() && reaches_internet(r, i)) {
      agent_registers(w, r, i);
    }
  });
}

void become_running(World& world, RegionState& region, Instance& instance) {
  InstanceStatus status = instance.status;
  status.state = InstanceState::running;
  set_status(world, instance, status);
  instance.intervals.push_back(RunningInterval{region.name, instance.id, world.now, std::nullopt});

  if (const auto within = strikes(world, region, FaultKind::instance_dies)) {
    const Micros life = world.draw({Micros(0), *within});
    at_state(world, region, instance, world.mono + life,
             [](World& w, RegionState& r, Instance& i) { begin_stop(w, r, i, StopCause::power_lost); });
  }
  boot_system(world, region, instance);
  begin_agent(world, region, instance);
}

void become_terminated(World& world, RegionState& region, Instance& instance) {
  InstanceStatus status = instance.status;
  status.state = InstanceState::terminated;
  set_status(world, instance, status);
  release_volumes(world, region, instance);
  end_profile_association(region, instance);
  free_address_of(region, instance);
  // The interface stays for a while, and with it what depends on its groups and subnet.
  later(world, region, ResourceKind::network_interface, instance.interface_id,
        world.mono + world.draw(world.options.timings.interface_lingers),
        [](World&, RegionState& r, Resource& interface) {
          r.of(ResourceKind::network_interface).erase(std::string(interface.id));
        });
  at_state(world, region, instance, world.mono + world.scaled(world.options.timings.terminated_visible),
           [](World&, RegionState& r, Instance& i) {
             r.past_intervals.insert(r.past_intervals.end(), i.intervals.begin(), i.intervals.end());
             const std::string id = i.id;
             r.instances.erase(id);
           });
}

InstanceStatus ending_status(const World& world, const Instance& instance, StopCause cause) {
  InstanceStatus status = instance.status;
  status.public_ip.clear();
  switch (cause) {
    case StopCause::user:
      status.reason_code = "Client.UserInitiatedShutdown";
      status.transition_reason = fmt::format("User initiated ({})", gmt(world.now));
      break;
    case StopCause::guest:
      status.reason_code = "Client.InstanceInitiatedShutdown";
      status.transition_reason.clear();
      break;
    case StopCause::power_lost:
      status.reason_code = "Server.InternalError";
      status.transition_reason = fmt::format("Server.InternalError ({})", gmt(world.now));
      break;
  }
  return status;
}

}  // namespace

InstanceRef ref_of(const RegionState& region, const Instance& instance) {
  return InstanceRef{region.name, instance.id, instance.boot};
}

void set_status(World& world, Instance& instance, InstanceStatus status) {
  if (status.state != instance.status.state) {
    world.tell("machine", std::string_view(instance.zone).substr(0, instance.zone.size() - 1), instance.id,
               to_string(status.state));
  }
  instance.status = std::move(status);
  instance.history.emplace_back(world.mono, instance.status);
  if (instance.history.size() > kHistoryMax) {
    instance.history.pop_front();
  }
}

const InstanceStatus& status_at(const Instance& instance, Monotonic when) {
  for (auto entry = instance.history.rbegin(); entry != instance.history.rend(); ++entry) {
    if (entry->first <= when) {
      return entry->second;
    }
  }
  return instance.history.empty() ? instance.status : instance.history.front().second;
}

void system_ends(World& world, RegionState& region, Instance& instance, SystemEnd how) {
  end_processes(world, region, instance);
  if (how == SystemEnd::rebooted) {
    boot_system(world, region, instance);
    begin_agent(world, region, instance);
  }
}

Instance* find_running(World& world, const InstanceRef& ref) {
  const auto region = world.regions.find(ref.region);
  if (region == world.regions.end()) {
    return nullptr;
  }
  const auto found = region->second.instances.find(ref.instance_id);
  if (found == region->second.instances.end() || found->second.boot != ref.boot ||
      found->second.status.state != InstanceState::running) {
    return nullptr;
  }
  return &found->second;
}

namespace {

void become_pending(World& world, Instance& instance) {
  ++instance.boot;
  InstanceStatus status = instance.status;
  status.state = InstanceState::pending;
  status.reason_code.clear();
  status.transition_reason.clear();
  status.launch_time = world.now;
  status.public_ip = instance.public_ip_wanted ? world.ipv4(203) : "";
  set_status(world, instance, status);
  instance.status_checks_take = world.draw(world.options.timings.status_checks);
}

void fail_start(World& world, Instance& instance, const std::string& code) {
  InstanceStatus failed = instance.status;
  failed.reason_code = code;
  failed.transition_reason = code;
  failed.public_ip.clear();
  set_status(world, instance, failed);
}

}  // namespace

void begin_start(World& world, RegionState& region, Instance& instance) {
  become_pending(world, instance);
  const Monotonic when = world.mono + world.draw(world.options.timings.pending);
  if (strikes(world, region, FaultKind::start_fails)) {
    at_state(world, region, instance, when, [](World& w, RegionState& r, Instance& i) {
      fail_start(w, i, "Server.InsufficientInstanceCapacity");
      become_stopped(w, r, i);
    });
    return;
  }
  at_state(world, region, instance, when, become_running);
}

void begin_launch(World& world, RegionState& region, Instance& instance, const std::string& failure) {
  become_pending(world, instance);
  const Monotonic when = world.mono + world.draw(world.options.timings.pending);
  std::string code = failure;
  if (strikes(world, region, FaultKind::start_fails) && code.empty()) {
    code = "Server.InsufficientInstanceCapacity";
  }
  if (code.empty()) {
    at_state(world, region, instance, when, become_running);
    return;
  }
  at_state(world, region, instance, when, [code](World& w, RegionState& r, Instance& i) {
    fail_start(w, i, code);
    become_terminated(w, r, i);
  });
}

void begin_reboot(World& world, RegionState& region, Instance& instance) {
  end_processes(world, region, instance);
  ++instance.boot;
  boot_system(world, region, instance);
  begin_agent(world, region, instance);
}

void agent_tries_again(World& world, RegionState& region, Instance& instance) {
  if (instance.status.state == InstanceState::running && !instance.agent_online) {
    begin_agent(world, region, instance);
  }
}

void begin_stop(World& world, RegionState& region, Instance& instance, StopCause cause, bool at_once) {
  end_boot(world, region, instance);
  InstanceStatus status = ending_status(world, instance, cause);
  status.state = InstanceState::stopping;
  set_status(world, instance, status);
  const Micros takes = world.draw(world.options.timings.stopping);
  at_state(world, region, instance, world.mono + (at_once ? world.scaled(world.options.timings.stopping.min) : takes),
           become_stopped);
}

void begin_terminate(World& world, RegionState& region, Instance& instance, StopCause cause) {
  end_boot(world, region, instance);
  InstanceStatus status = ending_status(world, instance, cause);
  status.state = InstanceState::shutting_down;
  set_status(world, instance, status);
  at_state(world, region, instance, world.mono + world.draw(world.options.timings.stopping), become_terminated);
}

void guest_shutdown(World& world, RegionState& region, Instance& instance) {
  if (instance.shutdown_behavior == "terminate") {
    begin_terminate(world, region, instance, StopCause::guest);
  } else {
    begin_stop(world, region, instance, StopCause::guest);
  }
}

}  // namespace parallax::sim
