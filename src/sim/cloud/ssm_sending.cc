// SendCommand and CancelCommand.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sim/cloud/lifecycle.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/ssm.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kDocument = "AWS-RunShellScript";
constexpr std::int64_t kExecutionTimeoutDefault = 3600;
constexpr std::int64_t kExecutionTimeoutMax = 172800;
constexpr std::size_t kInstanceIdsMax = 50;
constexpr std::size_t kCommandsKeptMax = 10000;

std::optional<std::int64_t> parse_seconds(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// The document's own parameters: commands, workingDirectory, executionTimeout.
Result<> check_parameters(const Json& parameters, std::int64_t& execution_timeout_s) {
  if (const JsonObject* members = parameters.members()) {
    for (const auto& [name, value] : *members) {
      if (name != "commands" && name != "workingDirectory" && name != "executionTimeout") {
        return client_error("InvalidParameters",
                            fmt::format("document {} does not have parameter {}", kDocument, name));
      }
    }
  }
  if (parameters.list("commands").empty()) {
    return client_error("InvalidParameters", "Parameter \"commands\" must be provided.");
  }
  if (parameters.list("workingDirectory").size() > 1 || parameters.list("executionTimeout").size() > 1) {
    return client_error("InvalidParameters", "Parameters of type String take one value.");
  }
  const JsonArray& timeout = parameters.list("executionTimeout");
  if (!timeout.empty()) {
    const auto seconds = timeout[0].string() == nullptr ? std::nullopt : parse_seconds(*timeout[0].string());
    if (!seconds || *seconds < 1 || *seconds > kExecutionTimeoutMax) {
      return client_error("InvalidParameters",
                          "Parameter \"executionTimeout\" has value not matching its pattern: 1-172800.");
    }
    execution_timeout_s = *seconds;
  }
  return {};
}

bool matches_target(const Instance& instance, const std::string& key, const std::vector<std::string>& values) {
  if (key == "InstanceIds") {
    return std::ranges::find(values, instance.id) != values.end();
  }
  const auto tag = instance.tags.find(key.substr(4));
  return tag != instance.tags.end() && std::ranges::find(values, tag->second) != values.end();
}

// Instances that all targets match; only managed ones that can take a command.
Result<std::vector<std::string>> resolve_targets(Context& context, const Json& input) {
  std::vector<std::string> ids;
  for (const Json& target : input.list("Targets")) {
    const std::string key = target.text("Key");
    if (key != "InstanceIds" && !key.starts_with("tag:")) {
      return client_error("InvalidTarget", fmt::format("Target key '{}' is not supported here.", key));
    }
  }
  for (const auto& [id, instance] : context.region.instances) {
    const bool all = std::ranges::all_of(input.list("Targets"), [&, &i = instance](const Json& target) {
      return matches_target(i, target.text("Key"), strings_of(target, "Values"));
    });
    if (all && instance.agent_online) {
      ids.push_back(id);
    }
  }
  return ids;
}

// Ids given by name must be registered in their present boot, else the whole call fails.
Result<> check_instance_ids(Context& context, const std::vector<std::string>& ids) {
  if (ids.size() > kInstanceIdsMax) {
    return client_error("ValidationException",
                        "1 validation error detected: Value at 'instanceIds' failed to satisfy constraint: Member must "
                        "have length less than or equal to 50");
  }
  std::string bad;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i), ids[i]) !=
        ids.begin() + static_cast<std::ptrdiff_t>(i)) {
      return client_error("DuplicateInstanceId", fmt::format("Instance {} is named twice.", ids[i]));
    }
    const auto found = context.region.instances.find(ids[i]);
    if (found == context.region.instances.end() || !found->second.agent_online ||
        found->second.status.state != InstanceState::running) {
      bad += (bad.empty() ? "" : ", ") + ids[i];
    }
  }
  if (!bad.empty()) {
    return client_error("InvalidInstanceId",
                        fmt::format("Instances [[{}]] not in a valid state for account {}", bad, kSimulatedAccount));
  }
  return {};
}

// Two clocks end a command that nobody reports on: delivery, and the total of both limits.
void watch_limits(World& world, const RegionState& region, const Command& command) {
  const auto expire = [region = region.name, id = command.id](World& w, bool also_running) {
    RegionState& r = w.region(region);
    const auto found = r.commands.find(id);
    if (found == r.commands.end()) {
      return;
    }
    for (Invocation& invocation : found->second.invocations) {
      const bool open = invocation.status == "InProgress" || invocation.status == "Cancelling";
      if (invocation.status == "Pending" || (also_running && open)) {
        invocation.status = "TimedOut";
        invocation.details = "DeliveryTimedOut";
      }
    }
  };
  const Monotonic delivery_end = world.mono + Seconds(command.timeout_s);
  world.at(delivery_end, [expire](World& w) { expire(w, false); });
  world.at(delivery_end + Seconds(command.execution_timeout_s), [expire](World& w) { expire(w, true); });
}

Result<Json> send_command(Context& context, const Json& input) {
  World& world = context.world;
  RegionState& region = context.region;
  Command command;
  command.document = input.text("DocumentName");
  if (command.document != kDocument) {
    return client_error("InvalidDocument", fmt::format("Document with name {} does not exist.", command.document));
  }
  command.document_version = input.text("DocumentVersion", "$DEFAULT");
  command.execution_timeout_s = kExecutionTimeoutDefault;
  TRY(check_parameters(input.find("Parameters") == nullptr ? Json() : *input.find("Parameters"),
                       command.execution_timeout_s));
  const std::vector<std::string> named = strings_of(input, "InstanceIds");
  const bool targets = !input.list("Targets").empty();
  if (!named.empty() && targets) {
    return client_error("ValidationException", "Cannot specify both InstanceIds and Targets.");
  }
  if (named.empty() && !targets) {
    return client_error("ValidationException", "Either InstanceIds or Targets must be specified.");
  }
  if (region.commands.size() >= kCommandsKeptMax) {
    return client_error("LimitExceededException", "This simulated region keeps no more commands.");
  }
  TRY(check_instance_ids(context, named));
  const std::vector<std::string> ids = targets ? TRY(resolve_targets(context, input)) : named;

  command.id = world.uuid();
  command.sequence = ++region.last_sequence;
  command.comment = input.text("Comment");
  command.parameters = *input.find("Parameters");
  command.targets = Json(input.list("Targets"));
  command.max_concurrency = input.text("MaxConcurrency", "50");
  command.max_errors = input.text("MaxErrors", "0");
  command.timeout_s = input.integer("TimeoutSeconds", 3600);
  command.requested = world.now;
  command.visible_at = world.mono + world.draw(world.options.timings.invocation);
  command.deliver_at = world.mono + world.draw(world.options.timings.delivery);
  for (const std::string& id : ids) {
    Invocation invocation;
    invocation.instance_id = id;
    command.invocations.push_back(std::move(invocation));
  }
  command.instance_ids = input.list("InstanceIds");
  watch_limits(world, region, command);
  world.at(command.deliver_at, [region_name = region.name, ids](World& w) {
    RegionState& r = w.region(region_name);
    for (const std::string& id : ids) {
      if (const auto found = r.instances.find(id); found != r.instances.end()) {
        deliver_commands(w, r, found->second);
      }
    }
  });
  const Json rendered = render_command(command);
  region.commands.emplace(command.id, std::move(command));
  return Json::object({{"Command", rendered}});
}

Result<Json> cancel_command(Context& context, const Json& input) {
  const auto command = context.region.commands.find(input.text("CommandId"));
  if (command == context.region.commands.end()) {
    return client_error("InvalidCommandId", "");
  }
  const std::vector<std::string> ids = strings_of(input, "InstanceIds");
  for (Invocation& invocation : command->second.invocations) {
    if (!ids.empty() && std::ranges::find(ids, invocation.instance_id) == ids.end()) {
      continue;
    }
    if (invocation.status == "Pending") {
      invocation.status = "Cancelled";
      invocation.details = "Cancelled";
    } else if (invocation.status == "InProgress") {
      invocation.status = "Cancelling";
      invocation.details = "Cancelling";
      const InstanceRef ref{context.region.name, invocation.instance_id, invocation.boot};
      if (Guest* guest = context.world.guest) {
        context.world.outbox.emplace_back([guest, ref, id = command->second.id] { guest->kill(ref, id); });
      }
    }
  }
  return Json::object();
}

}  // namespace

std::vector<OperationEntry> ssm_sending_operations() {
  return {{"SendCommand", send_command}, {"CancelCommand", cancel_command}};
}

}  // namespace parallax::sim
