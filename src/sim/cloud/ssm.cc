#include "sim/cloud/ssm.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/lifecycle.h"

namespace parallax::sim {

namespace {

constexpr Micros kPingEvery = Seconds(300);
constexpr std::size_t kWorkersPerAgent = 5;  // commands that the agent runs side by side
constexpr std::string_view kCut = "\n--output truncated--";
constexpr int kKilledExitCode = 137;

Invocation* find_invocation(Command& command, const std::string& instance_id) {
  const auto found = std::ranges::find(command.invocations, instance_id, &Invocation::instance_id);
  return found == command.invocations.end() ? nullptr : &*found;
}

void end_invocation(const World& world, Invocation& invocation, std::string_view status, std::string_view details) {
  invocation.status = status;
  invocation.details = details;
  if (invocation.started) {
    invocation.ended = world.now;
  }
}

std::string script_of(const Command& command) {
  std::string script;
  for (const Json& line : command.parameters.list("commands")) {
    script += line.string() == nullptr ? "" : *line.string();
    script += '\n';
  }
  return script;
}

std::string working_directory_of(const Command& command) {
  const JsonArray& values = command.parameters.list("workingDirectory");
  return values.empty() || values[0].string() == nullptr ? "" : *values[0].string();
}

// The agent kills what runs longer than executionTimeout and says so; without an agent nobody does.
void execution_timed_out(World& world, const InstanceRef& ref, const std::string& command_id) {
  Instance* instance = find_running(world, ref);
  RegionState& region = world.region(ref.region);
  const auto command = region.commands.find(command_id);
  if (instance == nullptr || !instance->agent_online || command == region.commands.end()) {
    return;
  }
  Invocation* invocation = find_invocation(command->second, ref.instance_id);
  if (invocation == nullptr || invocation->boot != ref.boot ||
      (invocation->status != "InProgress" && invocation->status != "Cancelling")) {
    return;
  }
  end_invocation(world, *invocation, "TimedOut", "ExecutionTimedOut");
  invocation->response_code = kKilledExitCode;
  if (Guest* guest = world.guest) {
    world.outbox.emplace_back([guest, ref, command_id] { guest->kill(ref, command_id); });
  }
  deliver_commands(world, region, *instance);
}

void start_command(World& world, RegionState& region, const Instance& instance, Command& command,
                   Invocation& invocation) {
  invocation.status = "InProgress";
  invocation.details = "InProgress";
  invocation.started = world.now;
  invocation.boot = instance.boot;
  const InstanceRef ref = ref_of(region, instance);
  world.at(world.mono + Seconds(command.execution_timeout_s),
           [ref, id = command.id](World& w) { execution_timed_out(w, ref, id); });
  if (Guest* guest = world.guest) {
    GuestCommand order{ref, command.id, script_of(command), working_directory_of(command)};
    world.outbox.emplace_back([guest, order = std::move(order), finish = world.finish] {
      guest->run(order, [finish, ref = order.instance, id = order.command_id](GuestResult result) {
        finish(ref, id, std::move(result));
      });
    });
  }
}

}  // namespace

std::string cut_output(const std::string& text, std::size_t length_max) {
  if (text.size() <= length_max) {
    return text;
  }
  std::size_t keep = length_max - kCut.size();
  // Not in the middle of a character.
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xC0U) == 0x80U) {
    --keep;
  }
  return text.substr(0, keep) + std::string(kCut);
}

Instant last_ping_of(const World& world, const Instance& instance) {
  if (!instance.agent_online || !instance.registered_at) {
    return instance.last_ping.value_or(Instant{});
  }
  const Micros since = world.now - *instance.registered_at;
  return *instance.registered_at + (since / kPingEvery) * kPingEvery;
}

bool shows_ping(const World& world, const Instance& instance) {
  switch (instance.status.state) {
    case InstanceState::pending:
    case InstanceState::running:
      return instance.agent_online || (world.options.stale_ping && instance.last_ping.has_value());
    case InstanceState::stopping:
    case InstanceState::stopped:
      return instance.last_ping.has_value() && instance.boot > 0 &&
             world.mono - instance.left_running < world.scaled(world.options.timings.ping_after_stop);
    case InstanceState::shutting_down:
    case InstanceState::terminated:
      return false;
  }
  return false;
}

void agent_registers(World& world, RegionState& region, Instance& instance) {
  instance.agent_online = true;
  instance.registered_at = world.now;
  deliver_commands(world, region, instance);
}

void deliver_commands(World& world, RegionState& region, Instance& instance) {
  if (!instance.agent_online || instance.status.state != InstanceState::running) {
    return;
  }
  std::vector<Command*> waiting;
  std::size_t running = 0;
  for (auto& [id, command] : region.commands) {
    const Invocation* invocation = find_invocation(command, instance.id);
    if (invocation == nullptr) {
      continue;
    }
    if (invocation->status == "Pending" && command.deliver_at <= world.mono) {
      waiting.push_back(&command);
    } else if (invocation->boot == instance.boot &&
               (invocation->status == "InProgress" || invocation->status == "Cancelling")) {
      ++running;
    }
  }
  std::ranges::sort(waiting, {}, &Command::sequence);
  for (Command* command : waiting) {
    if (running++ >= kWorkersPerAgent) {
      return;
    }
    start_command(world, region, instance, *command, *find_invocation(*command, instance.id));
  }
}

void command_finished(World& world, const InstanceRef& ref, const std::string& command_id, const GuestResult& result) {
  Instance* instance = find_running(world, ref);
  if (instance == nullptr || !instance->agent_online) {
    return;  // the machine or its system went away before its agent could report
  }
  RegionState& region = world.region(ref.region);
  const auto command = region.commands.find(command_id);
  if (command == region.commands.end()) {
    return;
  }
  Invocation* invocation = find_invocation(command->second, ref.instance_id);
  if (invocation == nullptr || invocation->boot != ref.boot) {
    return;
  }
  invocation->out = result.out;
  invocation->err = result.err;
  if (invocation->status == "InProgress") {
    invocation->response_code = result.exit_code;
    const bool success = result.exit_code == 0;
    end_invocation(world, *invocation, success ? "Success" : "Failed", success ? "Success" : "Failed");
  } else if (invocation->status == "Cancelling") {
    invocation->response_code = result.exit_code;
    end_invocation(world, *invocation, "Cancelled", "Cancelled");
  }
  deliver_commands(world, region, *instance);
}

}  // namespace parallax::sim
