// What Run Command tells: ListCommands, ListCommandInvocations, GetCommandInvocation, DescribeInstanceInformation.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/filters.h"
#include "sim/cloud/lifecycle.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/ssm.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kPlugin = "aws:runShellScript";
constexpr std::size_t kOutputMax = 24000;
constexpr std::size_t kErrorMax = 8000;
constexpr std::size_t kPluginOutputMax = 2500;

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

// Newest first, as the service lists them.
std::vector<const Command*> commands_of(const RegionState& region) {
  std::vector<const Command*> commands;
  for (const auto& [id, command] : region.commands) {
    commands.push_back(&command);
  }
  std::ranges::sort(commands, std::greater<>{}, &Command::sequence);
  return commands;
}

Result<bool> passes_filter(const Command& command, const std::string& status, const std::string& key,
                           const std::string& value) {
  if (key == "InvokedAfter" || key == "InvokedBefore") {
    const Result<Instant> limit = parse_iso8601(value);
    if (!limit) {
      return client_error("InvalidFilterKey", fmt::format("The filter value '{}' is no ISO 8601 time.", value));
    }
    return key == "InvokedAfter" ? command.requested > *limit : command.requested < *limit;
  }
  if (key == "Status") {
    return status == value;
  }
  if (key == "DocumentName") {
    return command.document == value;
  }
  if (key == "ExecutionStage") {
    const bool complete = status != "Pending" && status != "InProgress" && status != "Cancelling";
    return (value == "Complete") == complete;
  }
  return client_error("InvalidFilterKey", fmt::format("The filter key '{}' is not valid.", key));
}

Result<bool> passes_filters(const Command& command, const std::string& status, const Json& input) {
  for (const Json& filter : input.list("Filters")) {
    if (!TRY(passes_filter(command, status, filter.text("key"), filter.text("value")))) {
      return false;
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

std::vector<OperationEntry> ssm_reading_operations() {
  return {{"ListCommands", list_commands},
          {"ListCommandInvocations", list_command_invocations},
          {"GetCommandInvocation", get_command_invocation},
          {"DescribeInstanceInformation", describe_instance_information}};
}

}  // namespace parallax::sim
