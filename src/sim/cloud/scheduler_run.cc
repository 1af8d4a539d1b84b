// Invocations: the target's call is made in the name of the schedule's role, as that role's policies allow.
#include "sim/cloud/scheduler_run.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/model/model.h"
#include "aws/model/validate.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/schedule_time.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kUniversal = "arn:aws:scheduler:::aws-sdk:";
constexpr std::string_view kPrincipal = "scheduler.amazonaws.com";
constexpr Micros kRetryAfter = Seconds(60);
constexpr std::int64_t kRetriesDefault = 185;

struct Due {
  std::string region;
  std::string key;
  std::uint64_t generation;
  Instant when;  // planned; a retry is later
  std::int64_t retries = 0;
};

void invoke(World& world, const Due& due);

Monotonic monotonic_of(const World& world, Instant when) {
  return world.mono + std::max(Micros(0), when - world.now);
}

void at(World& world, Instant when, Due due) {
  world.at(monotonic_of(world, when), [due = std::move(due)](World& w) { invoke(w, due); });
}

// Error: what the call answered.
Result<> call_target(World& world, RegionState& region, const Schedule& schedule) {
  const Json& target = *schedule.settings.find("Target");
  const Call call = TRY(call_of_target(region.name, target.text("Arn")));
  const Principal role = TRY(assume_as_service(world, target.text("RoleArn"), kPrincipal));
  const aws::ServiceModel& model = *aws::find_service(call.service);
  const aws::Operation& operation = *model.find_operation(call.operation);
  // The input's members are named as in the model, not as on the wire.
  const Json input = TRY(parse_json(target.text("Input", "{}")));
  if (operation.input) {
    const std::vector<std::string> problems = aws::validate(model, *operation.input, input);
    if (!problems.empty()) {
      return client_error("ValidationException", problems.front());
    }
  }
  Context context{world, region, &role};
  TRY(authorize(context, role, call, input));
  TRY(find_operation(call.service, call.operation)(context, input));
  return {};
}

void invoke(World& world, const Due& due) {
  RegionState& region = world.region(due.region);
  const auto found = region.scheduler.schedules.find(due.key);
  if (found == region.scheduler.schedules.end() || found->second.generation != due.generation) {
    return;
  }
  const Schedule& schedule = found->second;
  const Result<> done = call_target(world, region, schedule);
  const Json* policy = schedule.settings.at("Target", "RetryPolicy");
  const std::int64_t retries_max =
      policy == nullptr ? kRetriesDefault : policy->integer("MaximumRetryAttempts", kRetriesDefault);
  if (!done && done.error().status >= 500 && due.retries < retries_max) {
    Due again = due;
    ++again.retries;
    at(world, world.now + kRetryAfter, std::move(again));
    return;
  }
  const bool more = plan_schedule(world, region, schedule, due.when + Micros(1));
  if (!more && schedule.settings.text("ActionAfterCompletion") == "DELETE") {
    region.scheduler.schedules.erase(found);
  }
}

// A service that changes nothing cannot be a target.
bool reads_only(std::string_view operation) {
  static constexpr std::array<std::string_view, 5> kReading = {"Get", "Describe", "List", "Poll", "Receive"};
  return std::ranges::any_of(kReading, [&](std::string_view prefix) { return operation.starts_with(prefix); });
}

}  // namespace

Result<Call> call_of_target(const std::string& region, const std::string& target_arn) {
  const auto refused = [&](std::string_view why) {
    return client_error("ValidationException",
                        fmt::format("Provided Arn {} is not supported here: {}.", target_arn, why));
  };
  if (!target_arn.starts_with(kUniversal)) {
    return refused("the simulator has universal targets only (arn:aws:scheduler:::aws-sdk:SERVICE:operation)");
  }
  const std::string rest = target_arn.substr(kUniversal.size());
  const std::size_t colon = rest.find(':');
  if (colon == std::string::npos || colon + 1 >= rest.size()) {
    return refused("it has no operation");
  }
  Call call{region, rest.substr(0, colon), rest.substr(colon + 1)};
  char& first = call.operation[0];
  first = first >= 'a' && first <= 'z' ? static_cast<char>(first - 'a' + 'A') : first;
  if (call.service == "scheduler") {
    return refused("a schedule cannot change schedules");
  }
  if (reads_only(call.operation)) {
    return refused("operations that only read cannot be targets");
  }
  const aws::ServiceModel* model = aws::find_service(call.service);
  if (model == nullptr || model->find_operation(call.operation) == nullptr ||
      find_operation(call.service, call.operation) == nullptr) {
    return refused("the simulator does not have the operation");
  }
  return call;
}

bool plan_schedule(World& world, RegionState& region, const Schedule& schedule, Instant from) {
  const Json& settings = schedule.settings;
  const Result<ScheduleExpression> expression = parse_schedule_expression(settings.text("ScheduleExpression"));
  const auto instant = [&](std::string_view member, Instant fallback) {
    const Json* value = settings.find(member);
    return value == nullptr ? fallback : Instant(Micros(static_cast<std::int64_t>(value->number().value_or(0) * 1e6)));
  };
  if (!expression || settings.text("State", "ENABLED") != "ENABLED") {
    return false;
  }
  const std::optional<Instant> next =
      next_time(*expression, instant("StartDate", schedule.modified), std::max(from, instant("StartDate", from)));
  if (!next || *next > instant("EndDate", Instant::max())) {
    return false;
  }
  Micros delay{0};
  const Json* window = settings.find("FlexibleTimeWindow");
  if (window != nullptr && window->text("Mode") == "FLEXIBLE") {
    const std::int64_t minutes = window->integer("MaximumWindowInMinutes", 0);
    delay = Seconds(static_cast<std::int64_t>(world.rng->below(static_cast<std::uint64_t>(minutes) * 60 + 1)));
  }
  at(world, *next + delay, Due{region.name, schedule.group + "/" + schedule.name, schedule.generation, *next});
  return true;
}

}  // namespace parallax::sim
