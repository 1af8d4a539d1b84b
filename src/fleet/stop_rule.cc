#include "fleet/stop_rule.h"

#include <fmt/format.h>

#include "fleet/policy.h"
#include "fleet/spec.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

constexpr std::int64_t kMinutesPerDay{24L * 60};

}  // namespace

std::string stop_expression(Instant at) {
  const auto minute = std::chrono::ceil<std::chrono::minutes>(at.time_since_epoch());
  const auto of_day = minute.count() % kMinutesPerDay;
  return fmt::format("cron({} {} * * ? *)", of_day % 60, of_day / 60);
}

Json stop_rule(const StopRules& whose, std::string_view instance_id, std::string_view expression) {
  Json rule =
      Json::object({{"Name", schedule_name(instance_id)},
                    {"GroupName", kScheduleGroup},
                    {"ScheduleExpression", expression},
                    {"FlexibleTimeWindow", Json::object({{"Mode", "OFF"}})},
                    {"State", "ENABLED"},
                    {"Description", fmt::format("Stops {} of the Parallax fleet {}", instance_id, whose.fleet)}});
  rule.set("Target",
           Json::object({{"Arn", fmt::format("arn:{}:scheduler:::aws-sdk:ec2:stopInstances", whose.partition)},
                         {"RoleArn", fmt::format("arn:{}:iam::{}:role/{}", whose.partition, whose.account,
                                                 scheduler_role(whose.fleet))},
                         {"Input", Json::object({{"InstanceIds", Json::array({instance_id})}}).dump()}}));
  return rule;
}

std::vector<Result<>> set_stop_rules(const FleetDeps& deps, const StopRules& whose, const std::string& region,
                                     const std::vector<std::string>& ids, Instant at, const RegionApi::Limits& limits) {
  std::vector<Result<>> answers(ids.size());
  const std::string expression = stop_expression(at);
  at_once(deps.executor, ids.size(), [&](std::size_t i) {
    aws::CallOptions options;
    options.deadline = limits.deadline;
    options.stop = limits.stop;
    const Result<Json> answer =
        deps.client.call({"scheduler", region}, "UpdateSchedule", stop_rule(whose, ids[i], expression), options);
    if (!answer) {
      answers[i] = answer.error();
    }
  });
  return answers;
}

}  // namespace parallax::fleet
