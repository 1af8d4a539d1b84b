#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/filters.h"
#include "sim/cloud/lifecycle.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/ssm.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kDocument = "AWS-RunShellScript";
constexpr std::string_view kPlugin = "aws:runShellScript";
constexpr std::int64_t kExecutionTimeoutDefault = 3600;
constexpr std::int64_t kExecutionTimeoutMax = 172800;
constexpr std::size_t kOutputMax = 24000;
constexpr std::size_t kErrorMax = 8000;
constexpr std::size_t kPluginOutputMax = 2500;
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

struct Counts {
  int target = 0;
  int completed = 0;
  int errors = 0;
  int delivery_timed_out = 0;
};

// The command's own status follows from its invocations'.
std::pair<std::string, std::string> command_status(const Command& command, Counts& counts) {
  bool running = false;
  bool pending = false;
  bool cancelling = false;
  bool timed_out = false;
  bool failed = false;
  bool cancelled = false;
  for (const Invocation& invocation : command.invocations) {
    ++counts.target;
    running |= invocation.status == "InProgress";
    pending |= invocation.status == "Pending";
    cancelling |= invocation.status == "Cancelling";
    timed_out |= invocation.status == "TimedOut";
    failed |= invocation.status == "Failed" || invocation.details == "ExecutionTimedOut";
    cancelled |= invocation.status == "Cancelled";
    const bool open =
        invocation.status == "InProgress" || invocation.status == "Pending" || invocation.status == "Cancelling";
    counts.completed += open ? 0 : 1;
    counts.errors += invocation.status == "Failed" || invocation.details == "ExecutionTimedOut" ? 1 : 0;
    counts.delivery_timed_out += invocation.details == "DeliveryTimedOut" ? 1 : 0;
  }
  if (command.invocations.empty()) {
    return {"Success", "NoInstancesInTag"};
  }
  if (cancelling) {
    return {"Cancelling", "Cancelling"};
  }
  if (running || (pending && counts.completed > 0)) {
    return {"InProgress", "InProgress"};
  }
  if (pending) {
    return {"Pending", "Pending"};
  }
  if (timed_out) {
    return {"TimedOut", command.invocations.size() == 1 ? command.invocations[0].details : "Incomplete"};
  }
  if (failed) {
    return {"Failed", "Failed"};
  }
  return cancelled ? std::pair<std::string, std::string>{"Cancelled", "Cancelled"}
                   : std::pair<std::string, std::string>{"Success", "Success"};
}

Json render_command(const Command& command) {
  Counts counts;
  const auto [status, details] = command_status(command, counts);
  Json json = Json::object({{"CommandId", command.id},
                            {"DocumentName", command.document},
                            {"DocumentVersion", command.document_version},
                            {"Comment", command.comment},
                            {"Parameters", command.parameters},
                            {"InstanceIds", command.instance_ids},
                            {"Targets", command.targets},
                            {"RequestedDateTime", epoch_seconds(command.requested)},
                            {"Status", status},
                            {"StatusDetails", details},
                            {"OutputS3BucketName", ""},
                            {"OutputS3KeyPrefix", ""},
                            {"MaxConcurrency", command.max_concurrency},
                            {"MaxErrors", command.max_errors},
                            {"TargetCount", counts.target},
                            {"CompletedCount", counts.completed},
                            {"ErrorCount", counts.errors},
                            {"DeliveryTimedOutCount", counts.delivery_timed_out},
                            {"ServiceRole", ""},
                            {"TimeoutSeconds", command.timeout_s}});
  json.set("ExpiresAfter",
           epoch_seconds(command.requested + Seconds(command.timeout_s) + Seconds(command.execution_timeout_s)));
  json.set("NotificationConfig",
           Json::object({{"NotificationArn", ""}, {"NotificationEvents", JsonArray{}}, {"NotificationType", ""}}));
  json.set("CloudWatchOutputConfig",
           Json::object({{"CloudWatchLogGroupName", ""}, {"CloudWatchOutputEnabled", false}}));
  return json;
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

// Newest first, as the service lists them.
std::vector<const Command*> commands_of(const RegionState& region) {
  std::vector<const Command*> commands;
  for (const auto& [id, command] : region.commands) {
    commands.push_back(&command);
  }
  std::ranges::sort(commands, std::greater<>{}, &Command::sequence);
  return commands;
}

Result<bool> passes_filters(const Command& command, const std::string& status, const Json& input) {
  for (const Json& filter : input.list("Filters")) {
    const std::string key = filter.text("key");
    const std::string value = filter.text("value");
    if (key == "InvokedAfter" || key == "InvokedBefore") {
      const Result<Instant> limit = parse_iso8601(value);
      if (!limit) {
        return client_error("InvalidFilterKey", fmt::format("The filter value '{}' is no ISO 8601 time.", value));
      }
      if (key == "InvokedAfter" ? command.requested <= *limit : command.requested >= *limit) {
        return false;
      }
    } else if (key == "Status") {
      if (status != value) {
        return false;
      }
    } else if (key == "DocumentName") {
      if (command.document != value) {
        return false;
      }
    } else if (key == "ExecutionStage") {
      const bool complete = status != "Pending" && status != "InProgress" && status != "Cancelling";
      if ((value == "Complete") != complete) {
        return false;
      }
    } else {
      return client_error("InvalidFilterKey", fmt::format("The filter key '{}' is not valid.", key));
    }
  }
  return true;
}

Result<> check_command_id(const RegionState& region, const Json& input) {
  const std::string id = input.text("CommandId");
  if (!id.empty() && !region.commands.contains(id)) {
    return client_error("InvalidCommandId", "");
  }
  return {};
}

Result<Json> list_commands(Context& context, const Json& input) {
  TRY(check_command_id(context.region, input));
  const std::string instance_id = input.text("InstanceId");
  std::vector<Json> rendered;
  for (const Command* command : commands_of(context.region)) {
    const bool on_instance =
        instance_id.empty() ||
        std::ranges::find(command->invocations, instance_id, &Invocation::instance_id) != command->invocations.end();
    if (!on_instance || (!input.text("CommandId").empty() && input.text("CommandId") != command->id)) {
      continue;
    }
    Counts counts;
    if (TRY(passes_filters(*command, command_status(*command, counts).first, input))) {
      rendered.push_back(render_command(*command));
    }
  }
  return page_of("ListCommands", "Commands", std::move(rendered), input, PageLimits{1, 50, 50});
}

Json render_plugin(const Invocation& invocation, const std::string& region) {
  Json plugin = Json::object(
      {{"Name", kPlugin},
       {"Status", invocation.status},
       {"StatusDetails", invocation.details},
       {"ResponseCode", invocation.response_code},
       {"Output",
        cut_output(invocation.out + (invocation.err.empty() ? "" : "\n----------ERROR-------\n" + invocation.err),
                   kPluginOutputMax)},
       {"StandardOutputUrl", ""},
       {"StandardErrorUrl", ""},
       {"OutputS3Region", region},
       {"OutputS3BucketName", ""},
       {"OutputS3KeyPrefix", ""}});
  if (invocation.started) {
    plugin.set("ResponseStartDateTime", epoch_seconds(*invocation.started));
  }
  if (invocation.ended) {
    plugin.set("ResponseFinishDateTime", epoch_seconds(*invocation.ended));
  }
  return plugin;
}

Json render_invocation(const RegionState& region, const Command& command, const Invocation& invocation, bool details) {
  const auto instance = region.instances.find(invocation.instance_id);
  std::string name;
  if (instance != region.instances.end()) {
    const auto tag = instance->second.tags.find("Name");
    name = tag == instance->second.tags.end() ? "" : tag->second;
  }
  JsonArray plugins;
  if (details) {
    plugins.push_back(render_plugin(invocation, region.name));
  }
  return Json::object({{"CommandId", command.id},
                       {"InstanceId", invocation.instance_id},
                       {"InstanceName", name},
                       {"Comment", command.comment},
                       {"DocumentName", command.document},
                       {"DocumentVersion", command.document_version},
                       {"RequestedDateTime", epoch_seconds(command.requested)},
                       {"Status", invocation.status},
                       {"StatusDetails", invocation.details},
                       {"StandardOutputUrl", ""},
                       {"StandardErrorUrl", ""},
                       {"CommandPlugins", plugins},
                       {"ServiceRole", ""}});
}

Result<Json> list_command_invocations(Context& context, const Json& input) {
  TRY(check_command_id(context.region, input));
  const std::string instance_id = input.text("InstanceId");
  const bool details = input.boolean("Details", false);
  std::vector<Json> rendered;
  for (const Command* command : commands_of(context.region)) {
    if ((!input.text("CommandId").empty() && input.text("CommandId") != command->id) ||
        command->visible_at > context.world.mono) {
      continue;
    }
    for (const Invocation& invocation : command->invocations) {
      if ((instance_id.empty() || instance_id == invocation.instance_id) &&
          TRY(passes_filters(*command, invocation.status, input))) {
        rendered.push_back(render_invocation(context.region, *command, invocation, details));
      }
    }
  }
  return page_of("ListCommandInvocations", "CommandInvocations", std::move(rendered), input, PageLimits{1, 50, 50});
}

std::string elapsed_text(const World& world, const Invocation& invocation) {
  if (!invocation.started) {
    return "";
  }
  const Micros elapsed = invocation.ended.value_or(world.now) - *invocation.started;
  return fmt::format("PT{:.3f}S", std::chrono::duration<double>(elapsed).count());
}

Result<Json> get_command_invocation(Context& context, const Json& input) {
  const auto command = context.region.commands.find(input.text("CommandId"));
  if (command == context.region.commands.end()) {
    return client_error("InvocationDoesNotExist", "");
  }
  const auto invocation =
      std::ranges::find(command->second.invocations, input.text("InstanceId"), &Invocation::instance_id);
  // For a moment the service does not know what SendCommand has just accepted.
  if (invocation == command->second.invocations.end() || command->second.visible_at > context.world.mono) {
    return client_error("InvocationDoesNotExist", "");
  }
  const std::string plugin = input.text("PluginName", kPlugin);
  if (plugin != kPlugin && plugin != "runShellScript") {
    return client_error("InvalidPluginName", "");
  }
  return Json::object(
      {{"CommandId", command->second.id},
       {"InstanceId", invocation->instance_id},
       {"Comment", command->second.comment},
       {"DocumentName", command->second.document},
       {"DocumentVersion", command->second.document_version},
       {"PluginName", kPlugin},
       {"ResponseCode", invocation->response_code},
       {"ExecutionStartDateTime", invocation->started ? iso_millis(*invocation->started) : ""},
       {"ExecutionElapsedTime", elapsed_text(context.world, *invocation)},
       {"ExecutionEndDateTime", invocation->ended ? iso_millis(*invocation->ended) : ""},
       {"Status", invocation->status},
       {"StatusDetails", invocation->details},
       {"StandardOutputContent", cut_output(invocation->out, kOutputMax)},
       {"StandardOutputUrl", ""},
       {"StandardErrorContent", cut_output(invocation->err, kErrorMax)},
       {"StandardErrorUrl", ""},
       {"CloudWatchOutputConfig", Json::object({{"CloudWatchLogGroupName", ""}, {"CloudWatchOutputEnabled", false}})}});
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

// Both filter lists mean the same; the older one is spelt in lower case.
bool passes_information_filters(const Instance& instance, const std::string& ping_status, const Json& input) {
  const auto passes = [&](const std::string& key, const std::vector<std::string>& values) {
    const auto has = [&](std::string_view value) { return std::ranges::find(values, value) != values.end(); };
    if (key == "InstanceIds") {
      return has(instance.id);
    }
    if (key == "PingStatus") {
      return has(ping_status);
    }
    if (key == "PlatformTypes") {
      return has("Linux");
    }
    if (key == "ResourceType") {
      return has("EC2Instance");
    }
    if (key.starts_with("tag:")) {
      const auto tag = instance.tags.find(key.substr(4));
      return tag != instance.tags.end() && has(tag->second);
    }
    return key == "tag-key" && std::ranges::any_of(values, [&](const auto& v) { return instance.tags.contains(v); });
  };
  return std::ranges::all_of(input.list("Filters"),
                             [&](const Json& f) { return passes(f.text("Key"), strings_of(f, "Values")); }) &&
         std::ranges::all_of(input.list("InstanceInformationFilterList"),
                             [&](const Json& f) { return passes(f.text("key"), strings_of(f, "valueSet")); });
}

Result<Json> describe_instance_information(Context& context, const Json& input) {
  const World& world = context.world;
  if (!input.list("Filters").empty() && !input.list("InstanceInformationFilterList").empty()) {
    return client_error("ValidationException", "Filters and InstanceInformationFilterList cannot be used together.");
  }
  std::vector<Json> rendered;
  for (const auto& [id, instance] : context.region.instances) {
    if (!shows_ping(world, instance)) {
      continue;
    }
    const Instant ping = last_ping_of(world, instance);
    const bool lost = !instance.agent_online && world.now - instance.status.launch_time > Seconds(300);
    const std::string status = lost ? "ConnectionLost" : "Online";
    if (!passes_information_filters(instance, status, input)) {
      continue;
    }
    rendered.push_back(
        Json::object({{"InstanceId", id},
                      {"PingStatus", status},
                      {"LastPingDateTime", epoch_seconds(ping)},
                      {"AgentVersion", "3.2.2086.0"},
                      {"IsLatestVersion", true},
                      {"PlatformType", "Linux"},
                      {"PlatformName", "Amazon Linux"},
                      {"PlatformVersion", "2"},
                      {"ResourceType", "EC2Instance"},
                      {"IPAddress", instance.private_ip},
                      {"ComputerName", fmt::format("{}.{}.compute.internal", instance.id, context.region.name)}}));
  }
  return page_of("DescribeInstanceInformation", "InstanceInformationList", std::move(rendered), input,
                 PageLimits{5, 50, 10});
}

}  // namespace

std::vector<OperationEntry> ssm_operations() {
  return {{"SendCommand", send_command},
          {"ListCommands", list_commands},
          {"ListCommandInvocations", list_command_invocations},
          {"GetCommandInvocation", get_command_invocation},
          {"CancelCommand", cancel_command},
          {"DescribeInstanceInformation", describe_instance_information}};
}

}  // namespace parallax::sim
