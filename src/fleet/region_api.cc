#include "fleet/region_api.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::fleet {

namespace {

constexpr std::array<std::string_view, 7> kStates = {"pending",  "running", "shutting-down", "terminated",
                                                     "stopping", "stopped", "unknown"};
constexpr int kPagesMax = 1000;
constexpr std::size_t kPageSize = 1000;

InstanceState parse_state(std::string_view text) {
  const auto* const found = std::find(kStates.begin(), kStates.end(), text);
  return found == kStates.end() ? InstanceState::unknown : static_cast<InstanceState>(found - kStates.begin());
}

// "User initiated (2026-01-02 03:04:05 GMT)"
std::optional<Instant> transition_time(std::string_view reason) {
  const std::size_t open = reason.find('(');
  const std::size_t gmt = reason.find(" GMT)");
  if (open == std::string_view::npos || gmt == std::string_view::npos || gmt < open) {
    return std::nullopt;
  }
  const Result<Instant> instant = parse_iso8601(reason.substr(open + 1, gmt - open - 1));
  return instant ? std::optional(*instant) : std::nullopt;
}

Json text_list(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return Json(std::move(array));
}

std::vector<StateChange> read_changes(const Json& answer, std::string_view member) {
  std::vector<StateChange> changes;
  for (const Json& item : answer.list(member)) {
    const Json* previous = item.find("PreviousState");
    const Json* current = item.find("CurrentState");
    changes.push_back(StateChange{item.text("InstanceId"),
                                  previous == nullptr ? InstanceState::unknown : parse_state(previous->text("Name")),
                                  current == nullptr ? InstanceState::unknown : parse_state(current->text("Name"))});
  }
  return changes;
}

std::vector<std::string> part_of(const std::vector<std::string>& ids, std::size_t begin, std::size_t count) {
  const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(count, ids.size() - begin))};
}

// -1 until the script has started and where it never did.
std::optional<int> exit_code_in(const Json& json) {
  const std::int64_t code = json.integer("ResponseCode", -1);
  return code < 0 ? std::nullopt : std::optional(static_cast<int>(std::min<std::int64_t>(code, 255)));
}

}  // namespace

Instance read_instance(const Json& json, const std::string& region) {
  Instance instance;
  instance.id = json.text("InstanceId");
  instance.region = region;
  instance.type = json.text("InstanceType");
  instance.public_dns = json.text("PublicDnsName");
  if (const Json* zone = json.at("Placement", "AvailabilityZone"); zone != nullptr && zone->string() != nullptr) {
    instance.zone = *zone->string();
  }
  if (const Json* state = json.find("State")) {
    instance.state = parse_state(state->text("Name"));
  }
  if (const Json* reason = json.find("StateReason")) {
    instance.state_reason = reason->text("Code");
  }
  if (const Result<Instant> launched = parse_iso8601(json.text("LaunchTime"))) {
    instance.launch_time = *launched;
  }
  if (instance.state == InstanceState::stopped || instance.state == InstanceState::stopping) {
    instance.stopped_at = transition_time(json.text("StateTransitionReason"));
  }
  for (const Json& tag : json.list("Tags")) {
    instance.tags[tag.text("Key")] = tag.text("Value");
  }
  instance.name = instance.tag("Name");
  return instance;
}

std::string_view to_string(InstanceState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string Instance::tag(const std::string& key) const {
  const auto found = tags.find(key);
  return found == tags.end() ? std::string() : found->second;
}

bool Invocation::ended() const {
  return status == "Success" || status == "Failed" || status == "TimedOut" || status == "Cancelled";
}

Result<Json> RegionApi::call(std::string_view service, std::string_view operation, const Json& params,
                             const Limits& limits) const {
  aws::CallOptions options;
  options.deadline = limits.deadline;
  options.stop = limits.stop;
  return client_.call(aws::CallTarget{std::string(service), region_}, operation, params, options);
}

Result<std::vector<Instance>> RegionApi::describe(Json params, const Limits& limits) const {
  std::vector<Instance> instances;
  for (int page = 0; page < kPagesMax; ++page) {
    const Json answer = TRY(call("ec2", "DescribeInstances", params, limits));
    for (const Json& reservation : answer.list("Reservations")) {
      for (const Json& item : reservation.list("Instances")) {
        instances.push_back(read_instance(item, region_));
      }
    }
    const std::string next = answer.text("NextToken");
    if (next.empty()) {
      // EC2 promises no order; ours is stable so that plans and tables are.
      std::sort(instances.begin(), instances.end(), [](const Instance& a, const Instance& b) { return a.id < b.id; });
      return instances;
    }
    params.set("NextToken", next);
  }
  return make_error(ErrorKind::refused,
                    fmt::format("DescribeInstances in {} gave more than {} pages", region_, kPagesMax));
}

Result<std::vector<Instance>> RegionApi::instances_by_tag(const std::string& key, const std::string& value,
                                                          const Limits& limits) const {
  // Terminated machines stay visible for an hour with their tags: ask for the living states by name.
  Json params = Json::object(
      {{"Filters",
        Json::array({Json::object({{"Name", "tag:" + key}, {"Values", Json::array({value})}}),
                     Json::object({{"Name", "instance-state-name"},
                                   {"Values", Json::array({"pending", "running", "stopping", "stopped"})}})})},
       {"MaxResults", kPageSize}});
  return describe(std::move(params), limits);
}

Result<std::vector<Instance>> RegionApi::instances_by_id(const std::vector<std::string>& ids,
                                                         const Limits& limits) const {
  // By filter and not by InstanceIds: one id that EC2 does not know yet would fail the whole call.
  std::vector<Instance> all;
  for (std::size_t begin = 0; begin < ids.size(); begin += kEc2IdsMax) {
    std::vector<Instance> some = TRY(describe(
        Json::object(
            {{"Filters", Json::array({Json::object(
                             {{"Name", "instance-id"}, {"Values", text_list(part_of(ids, begin, kEc2IdsMax))}})})}}),
        limits));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

Result<std::vector<StateChange>> RegionApi::start(const std::vector<std::string>& ids, const Limits& limits) const {
  aws::CallOptions options;
  options.deadline = limits.deadline;
  options.stop = limits.stop;
  options.repeat = aws::Repeat::unsafe;
  const Json answer = TRY(client_.call(aws::CallTarget{"ec2", region_}, "StartInstances",
                                       Json::object({{"InstanceIds", text_list(ids)}}), options));
  return read_changes(answer, "StartingInstances");
}

Result<std::vector<StateChange>> RegionApi::stop(const std::vector<std::string>& ids, bool force,
                                                 const Limits& limits) const {
  Json params = Json::object({{"InstanceIds", text_list(ids)}});
  if (force) {
    params.set("Force", true);
  }
  return read_changes(TRY(call("ec2", "StopInstances", params, limits)), "StoppingInstances");
}

Result<std::string> RegionApi::shutdown_behaviour(const std::string& id, const Limits& limits) const {
  const Json answer =
      TRY(call("ec2", "DescribeInstanceAttribute",
               Json::object({{"InstanceId", id}, {"Attribute", "instanceInitiatedShutdownBehavior"}}), limits));
  const Json* behaviour = answer.find("InstanceInitiatedShutdownBehavior");
  return behaviour == nullptr ? std::string() : behaviour->text("Value");
}

Result<> RegionApi::set_tag(const std::vector<std::string>& ids, const std::string& key, const std::string& value,
                            const Limits& limits) const {
  TRY(call("ec2", "CreateTags",
           Json::object({{"Resources", text_list(ids)},
                         {"Tags", Json::array({Json::object({{"Key", key}, {"Value", value}})})}}),
           limits));
  return {};
}

Result<std::map<std::string, Instant>> RegionApi::agent_pings(const std::vector<std::string>& ids,
                                                              const Limits& limits) const {
  std::map<std::string, Instant> pings;
  for (std::size_t begin = 0; begin < ids.size(); begin += kSsmIdsMax) {
    const std::vector<std::string> batch = part_of(ids, begin, kSsmIdsMax);
    Json params =
        Json::object({{"Filters", Json::array({Json::object({{"Key", "InstanceIds"}, {"Values", text_list(batch)}})})},
                      {"MaxResults", kSsmIdsMax}});
    for (int page = 0; page < kPagesMax; ++page) {
      const Json answer = TRY(call("ssm", "DescribeInstanceInformation", params, limits));
      for (const Json& item : answer.list("InstanceInformationList")) {
        const Result<Instant> ping = parse_iso8601(item.text("LastPingDateTime"));
        if (ping && item.text("PingStatus") == "Online") {
          pings[item.text("InstanceId")] = *ping;
        }
      }
      const std::string next = answer.text("NextToken");
      if (next.empty()) {
        break;
      }
      params.set("NextToken", next);
    }
  }
  return pings;
}

Result<std::string> RegionApi::send_command(const CommandRequest& request, const Limits& limits) const {
  JsonArray lines;
  for (const std::string_view line : split(request.script, '\n')) {
    lines.emplace_back(line);
  }
  Json parameters = Json::object(
      {{"commands", Json(std::move(lines))},
       {"executionTimeout",
        Json::array({std::to_string(std::max<std::int64_t>(1, count_seconds(request.execution_timeout)))})}});
  Json params = Json::object({{"InstanceIds", text_list(request.instance_ids)},
                              {"DocumentName", "AWS-RunShellScript"},
                              {"Comment", request.comment.substr(0, 100)},
                              {"TimeoutSeconds", std::max<std::int64_t>(30, count_seconds(request.delivery_timeout))},
                              {"Parameters", std::move(parameters)}});
  aws::CallOptions options;
  options.deadline = limits.deadline;
  options.stop = limits.stop;
  options.repeat = aws::Repeat::unsafe;
  const Json answer = TRY(client_.call(aws::CallTarget{"ssm", region_}, "SendCommand", params, options));
  const Json* command = answer.find("Command");
  std::string id = command == nullptr ? std::string() : command->text("CommandId");
  if (id.empty()) {
    return make_error(ErrorKind::corrupt, fmt::format("SendCommand in {} answered without a CommandId", region_));
  }
  return id;
}

Result<std::string> RegionApi::find_command(const std::string& instance_id, const std::string& comment,
                                            const Limits& limits) const {
  Json params = Json::object({{"InstanceId", instance_id}, {"MaxResults", 50}});
  for (int page = 0; page < 20; ++page) {
    const Json answer = TRY(call("ssm", "ListCommands", params, limits));
    for (const Json& item : answer.list("Commands")) {
      if (item.text("Comment") == comment) {
        return item.text("CommandId");
      }
    }
    const std::string next = answer.text("NextToken");
    if (next.empty()) {
      break;
    }
    params.set("NextToken", next);
  }
  return std::string();
}

Result<Invocation> RegionApi::invocation(const std::string& command_id, const std::string& instance_id,
                                         const Limits& limits) const {
  const Json answer = TRY(call("ssm", "GetCommandInvocation",
                               Json::object({{"CommandId", command_id}, {"InstanceId", instance_id}}), limits));
  Invocation invocation;
  invocation.status = answer.text("Status");
  invocation.details = answer.text("StatusDetails");
  std::erase(invocation.details, ' ');
  invocation.exit_code = exit_code_in(answer);
  invocation.output = answer.text("StandardOutputContent");
  invocation.error_output = answer.text("StandardErrorContent");
  return invocation;
}

Result<RegionApi::Invocations> RegionApi::invocations_since(Instant since, const Limits& limits) const {
  Invocations all;
  Json params = Json::object(
      {{"Filters", Json::array({Json::object({{"key", "InvokedAfter"}, {"value", to_iso8601_seconds(since)}})})},
       {"Details", true},
       {"MaxResults", kSsmIdsMax}});
  for (int page = 0; page < kPagesMax; ++page) {
    const Json answer = TRY(call("ssm", "ListCommandInvocations", params, limits));
    for (const Json& item : answer.list("CommandInvocations")) {
      Invocation invocation;
      invocation.status = item.text("Status");
      invocation.details = item.text("StatusDetails");
      std::erase(invocation.details, ' ');
      for (const Json& plugin : item.list("CommandPlugins")) {
        invocation.exit_code = exit_code_in(plugin);
        invocation.output = plugin.text("Output");
      }
      all[{item.text("CommandId"), item.text("InstanceId")}] = std::move(invocation);
    }
    const std::string next = answer.text("NextToken");
    if (next.empty()) {
      return all;
    }
    params.set("NextToken", next);
  }
  return make_error(ErrorKind::refused,
                    fmt::format("ListCommandInvocations in {} gave more than {} pages", region_, kPagesMax));
}

Result<> RegionApi::cancel(const std::string& command_id, const std::string& instance_id, const Limits& limits) const {
  TRY(call("ssm", "CancelCommand",
           Json::object({{"CommandId", command_id}, {"InstanceIds", Json::array({instance_id})}}), limits));
  return {};
}

}  // namespace parallax::fleet
