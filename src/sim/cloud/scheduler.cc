// EventBridge Scheduler: schedules and groups. Times are UTC; targets are calls of services that the simulator has.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/filters.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/schedule_time.h"
#include "sim/cloud/scheduler_run.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kSchedulesMax = 10'000;
constexpr std::size_t kGroupsMax = 500;
constexpr std::size_t kNameMax = 64;
constexpr std::size_t kTagsMax = 200;
constexpr std::string_view kDefaultGroup = "default";

Error validation(std::string message) {
  return client_error("ValidationException", std::move(message));
}

Error conflict(std::string message) {
  return service_error(409, "ConflictException", std::move(message));
}

Error not_found(std::string message) {
  return service_error(404, "ResourceNotFoundException", std::move(message));
}

Result<> check_name(const std::string& name) {
  const bool fit = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  if (!fit || name.empty() || name.size() > kNameMax) {
    return validation(
        fmt::format("1 validation error detected: Value '{}' at 'name' failed to satisfy constraint: "
                    "Member must satisfy regular expression pattern: [0-9a-zA-Z-_.]+",
                    name));
  }
  return {};
}

std::string arn_of(const RegionState& region, std::string_view kind, const std::string& name) {
  return fmt::format("arn:aws:scheduler:{}:{}:{}/{}", region.name, kSimulatedAccount, kind, name);
}

// The default group is always there.
Result<ScheduleGroup*> find_group(Context& context, const std::string& name) {
  auto& groups = context.region.scheduler.groups;
  auto found = groups.find(name);
  if (found == groups.end() && name == kDefaultGroup) {
    const Instant long_ago = context.world.now - Seconds(30 * 86400);
    found =
        groups
            .emplace(name, ScheduleGroup{name, arn_of(context.region, "schedule-group", name), {}, long_ago, long_ago})
            .first;
  }
  if (found == groups.end()) {
    return not_found(fmt::format("Schedule group {} does not exist.", name));
  }
  return &found->second;
}

std::string key_of(const Json& input) {
  return input.text("GroupName", kDefaultGroup) + "/" + input.text("Name");
}

Result<Schedule*> find_schedule(Context& context, const Json& input) {
  TRY(find_group(context, input.text("GroupName", kDefaultGroup)));
  const auto found = context.region.scheduler.schedules.find(key_of(input));
  if (found == context.region.scheduler.schedules.end()) {
    return not_found(fmt::format("Schedule {} does not exist.", input.text("Name")));
  }
  return &found->second;
}

// True: this token was used for the same request. Error: for another one.
Result<bool> token_known(Context& context, std::string_view operation, const Json& input) {
  const std::string token = input.text("ClientToken");
  if (token.empty()) {
    return false;
  }
  const auto [found, fresh] = context.region.scheduler.client_tokens.try_emplace(
      fmt::format("{}/{}/{}", operation, input.text("Name"), token), input.canonical());
  if (!fresh && found->second != input.canonical()) {
    return conflict("The client token was used with other parameters.");
  }
  return !fresh;
}

Result<> check_window(const Json& window) {
  const bool flexible = window.text("Mode") == "FLEXIBLE";
  if (flexible != (window.find("MaximumWindowInMinutes") != nullptr)) {
    return validation(flexible ? "MaximumWindowInMinutes must be provided when the mode is FLEXIBLE."
                               : "MaximumWindowInMinutes must not be provided when the mode is OFF.");
  }
  return {};
}

Result<> check_target(Context& context, const Json& target) {
  static constexpr std::string_view kLacking[] = {"DeadLetterConfig",  "EcsParameters", "EventBridgeParameters",
                                                  "KinesisParameters", "SqsParameters", "SageMakerPipelineParameters"};
  for (const std::string_view member : kLacking) {
    if (target.find(member) != nullptr) {
      return validation(fmt::format("Target.{} is not simulated.", member));
    }
  }
  TRY(call_of_target(context.region.name, target.text("Arn")));
  if (!parse_json(target.text("Input", "{}"))) {
    return validation("Target.Input is not valid JSON.");
  }
  if (!assume_as_service(context.world, target.text("RoleArn"), "scheduler.amazonaws.com")) {
    return validation("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.");
  }
  return {};
}

Result<> check_settings(Context& context, const Json& input) {
  TRY(check_name(input.text("Name")));
  const ScheduleExpression expression = TRY(parse_schedule_expression(input.text("ScheduleExpression")));
  if (expression.kind == ScheduleExpression::Kind::at && expression.at <= context.world.now) {
    return validation("The ScheduleExpression must be in the future.");  // AWS refuses a past date as well
  }
  const std::string zone = input.text("ScheduleExpressionTimezone", "UTC");
  if (zone != "UTC" && zone != "Etc/UTC") {
    return validation(fmt::format("ScheduleExpressionTimezone {} is not simulated: only UTC is.", zone));
  }
  if (input.find("KmsKeyArn") != nullptr) {
    return validation("KmsKeyArn is not simulated.");
  }
  TRY(check_window(*input.find("FlexibleTimeWindow")));
  return check_target(context, *input.find("Target"));
}

Json settings_of(const Json& input) {
  Json settings = input;
  settings.members()->erase("ClientToken");
  return settings;
}

void put_in_force(Context& context, Schedule& schedule, const Json& input) {
  schedule.settings = settings_of(input);
  schedule.modified = context.world.now;
  schedule.generation = ++context.region.scheduler.last_generation;
  plan_schedule(context.world, context.region, schedule, context.world.now);
}

Result<Json> create_schedule(Context& context, const Json& input) {
  TRY(check_settings(context, input));
  TRY(find_group(context, input.text("GroupName", kDefaultGroup)));
  auto& schedules = context.region.scheduler.schedules;
  const std::string key = key_of(input);
  const std::string arn = arn_of(context.region, "schedule", key);
  const bool repeated = TRY(token_known(context, "CreateSchedule", input));
  if (schedules.contains(key)) {
    return repeated ? Result<Json>(Json::object({{"ScheduleArn", arn}}))
                    : Result<Json>(conflict(fmt::format("Schedule {} already exists.", input.text("Name"))));
  }
  if (schedules.size() >= kSchedulesMax) {
    return service_error(402, "ServiceQuotaExceededException", "This simulated region keeps no more schedules.");
  }
  Schedule& schedule = schedules[key];
  schedule.name = input.text("Name");
  schedule.group = input.text("GroupName", kDefaultGroup);
  schedule.arn = arn;
  schedule.created = context.world.now;
  put_in_force(context, schedule, input);
  return Json::object({{"ScheduleArn", arn}});
}

// Replaces all settings: what the call leaves out goes back to its default.
Result<Json> update_schedule(Context& context, const Json& input) {
  Schedule* schedule = TRY(find_schedule(context, input));
  TRY(check_settings(context, input));
  if (!TRY(token_known(context, "UpdateSchedule", input))) {
    put_in_force(context, *schedule, input);
  }
  return Json::object({{"ScheduleArn", schedule->arn}});
}

Result<Json> get_schedule(Context& context, const Json& input) {
  const Schedule* schedule = TRY(find_schedule(context, input));
  Json json = schedule->settings;
  json.set("Arn", schedule->arn);
  json.set("GroupName", schedule->group);
  json.set("State", json.text("State", "ENABLED"));
  json.set("ScheduleExpressionTimezone", json.text("ScheduleExpressionTimezone", "UTC"));
  json.set("ActionAfterCompletion", json.text("ActionAfterCompletion", "NONE"));
  json.set("CreationDate", epoch_seconds(schedule->created));
  json.set("LastModificationDate", epoch_seconds(schedule->modified));
  Json target = *json.find("Target");
  if (target.find("RetryPolicy") == nullptr) {
    target.set("RetryPolicy", Json::object({{"MaximumEventAgeInSeconds", 86400}, {"MaximumRetryAttempts", 185}}));
  }
  json.set("Target", std::move(target));
  return json;
}

Result<Json> delete_schedule(Context& context, const Json& input) {
  TRY(find_schedule(context, input));
  context.region.scheduler.schedules.erase(key_of(input));
  return Json::object();
}

// Tokens of a page that this service did not give are its ValidationException.
Result<Json> page(std::string_view operation, std::string member, std::vector<Json> all, const Json& input) {
  Result<Json> answer = page_of(operation, std::move(member), std::move(all), input, PageLimits{1, 100, 100});
  return answer ? answer : Result<Json>(validation("Invalid NextToken or MaxResults."));
}

Result<Json> list_schedules(Context& context, const Json& input) {
  const std::string group = input.text("GroupName");
  if (!group.empty()) {
    TRY(find_group(context, group));
  }
  std::vector<Json> schedules;
  for (const auto& [key, schedule] : context.region.scheduler.schedules) {
    const std::string state = schedule.settings.text("State", "ENABLED");
    if ((group.empty() || group == schedule.group) && schedule.name.starts_with(input.text("NamePrefix")) &&
        input.text("State", state) == state) {
      schedules.push_back(
          Json::object({{"Arn", schedule.arn},
                        {"Name", schedule.name},
                        {"GroupName", schedule.group},
                        {"State", state},
                        {"CreationDate", epoch_seconds(schedule.created)},
                        {"LastModificationDate", epoch_seconds(schedule.modified)},
                        {"Target", Json::object({{"Arn", schedule.settings.find("Target")->text("Arn")}})}}));
    }
  }
  return page("ListSchedules", "Schedules", std::move(schedules), input);
}

Json group_json(const ScheduleGroup& group) {
  return Json::object({{"Arn", group.arn},
                       {"Name", group.name},
                       {"State", "ACTIVE"},
                       {"CreationDate", epoch_seconds(group.created)},
                       {"LastModificationDate", epoch_seconds(group.modified)}});
}

Result<Json> create_group(Context& context, const Json& input) {
  const std::string name = input.text("Name");
  TRY(check_name(name));
  auto& groups = context.region.scheduler.groups;
  const bool repeated = TRY(token_known(context, "CreateScheduleGroup", input));
  const std::string arn = arn_of(context.region, "schedule-group", name);
  if (name == kDefaultGroup || groups.contains(name)) {
    return repeated ? Result<Json>(Json::object({{"ScheduleGroupArn", arn}}))
                    : Result<Json>(conflict(fmt::format("Schedule group {} already exists.", name)));
  }
  if (groups.size() >= kGroupsMax) {
    return service_error(402, "ServiceQuotaExceededException", "You have reached the quota of 500 schedule groups.");
  }
  ScheduleGroup group{name, arn, {}, context.world.now, context.world.now};
  for (const Json& tag : input.list("Tags")) {
    group.tags[tag.text("Key")] = tag.text("Value");
  }
  groups.emplace(name, std::move(group));
  return Json::object({{"ScheduleGroupArn", arn}});
}

Result<Json> get_group(Context& context, const Json& input) {
  return group_json(*TRY(find_group(context, input.text("Name"))));
}

Result<Json> list_groups(Context& context, const Json& input) {
  TRY(find_group(context, std::string(kDefaultGroup)));
  std::vector<Json> groups;
  for (const auto& [name, group] : context.region.scheduler.groups) {
    if (name.starts_with(input.text("NamePrefix"))) {
      groups.push_back(group_json(group));
    }
  }
  return page("ListScheduleGroups", "ScheduleGroups", std::move(groups), input);
}

// Its schedules go with it.
Result<Json> delete_group(Context& context, const Json& input) {
  const std::string name = input.text("Name");
  TRY(find_group(context, name));
  if (name == kDefaultGroup) {
    return validation("The default schedule group cannot be deleted.");
  }
  std::erase_if(context.region.scheduler.schedules, [&](const auto& entry) { return entry.second.group == name; });
  context.region.scheduler.groups.erase(name);
  return Json::object();
}

Result<ScheduleGroup*> tagged_group(Context& context, const Json& input) {
  TRY(find_group(context, std::string(kDefaultGroup)));
  for (auto& [name, group] : context.region.scheduler.groups) {
    if (group.arn == input.text("ResourceArn")) {
      return &group;
    }
  }
  return not_found(fmt::format("Resource {} does not exist.", input.text("ResourceArn")));
}

Result<Json> tag_resource(Context& context, const Json& input) {
  ScheduleGroup* group = TRY(tagged_group(context, input));
  Tags merged = group->tags;
  for (const Json& tag : input.list("Tags")) {
    merged[tag.text("Key")] = tag.text("Value");
  }
  if (merged.size() > kTagsMax) {
    return validation("A resource can have at most 200 tags.");
  }
  group->tags = std::move(merged);
  return Json::object();
}

Result<Json> untag_resource(Context& context, const Json& input) {
  ScheduleGroup* group = TRY(tagged_group(context, input));
  for (const std::string& key : strings_of(input, "TagKeys")) {
    group->tags.erase(key);
  }
  return Json::object();
}

Result<Json> list_tags(Context& context, const Json& input) {
  return Json::object({{"Tags", tag_list(TRY(tagged_group(context, input))->tags)}});
}

}  // namespace

std::vector<OperationEntry> scheduler_operations() {
  return {
      {"CreateSchedule", create_schedule}, {"UpdateSchedule", update_schedule}, {"GetSchedule", get_schedule},
      {"DeleteSchedule", delete_schedule}, {"ListSchedules", list_schedules},   {"CreateScheduleGroup", create_group},
      {"GetScheduleGroup", get_group},     {"ListScheduleGroups", list_groups}, {"DeleteScheduleGroup", delete_group},
      {"TagResource", tag_resource},       {"UntagResource", untag_resource},   {"ListTagsForResource", list_tags}};
}

}  // namespace parallax::sim
