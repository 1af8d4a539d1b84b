// Machines that are there already: tags, user data, metadata service, profile, groups, schedules.
#include <algorithm>

#include <fmt/format.h>

#include "codec/base64.h"
#include "fleet/change_work.h"
#include "fleet/policy.h"
#include "fleet/stop_rule.h"

namespace parallax::fleet {

namespace {

constexpr int kProfileAttemptsMax = 3;

constexpr const char* kSchedulerService = "scheduler";

std::vector<std::string> ids_of(std::span<StepOutcome> steps) {
  std::vector<std::string> ids;
  for (const StepOutcome& outcome : steps) {
    ids.push_back(outcome.step.id);
  }
  return ids;
}

}  // namespace

Result<> ChangeWork::tag(Steps steps) {
  for (const std::vector<std::string>& batch : batches(ids_of(steps), context_.options.ids_a_call)) {
    TRY(calls_.ec2("CreateTags",
                   Json::object({{"Resources", text_list(batch)}, {"Tags", tag_list(steps.front().step.tags)}}),
                   {.timeout = state_timeout()}));
  }
  return {};
}

// The tag says which user data a machine has, so it is written last.
Result<> ChangeWork::set_user_data(Steps steps) {
  const std::string data = base64_encode(boot_user_data(context_.spec.boot_timer));
  const std::vector<std::string> ids = ids_of(steps);
  for (const std::string& id : ids) {
    TRY(calls_.ec2("ModifyInstanceAttribute",
                   Json::object({{"InstanceId", id}, {"UserData", Json::object({{"Value", data}})}}),
                   {.timeout = state_timeout()}));
  }
  for (const std::vector<std::string>& batch : batches(ids, context_.options.ids_a_call)) {
    TRY(calls_.ec2("CreateTags",
                   Json::object({{"Resources", text_list(batch)},
                                 {"Tags", tag_list({{kBootTimerTag, boot_timer_version(context_.spec.boot_timer)}})}}),
                   {.timeout = state_timeout()}));
  }
  return {};
}

Result<> ChangeWork::set_shutdown_behaviour(const StepOutcome& step) {
  TRY(calls_.ec2(
      "ModifyInstanceAttribute",
      Json::object({{"InstanceId", step.step.id},
                    {"InstanceInitiatedShutdownBehavior", Json::object({{"Value", std::string(kStopBehaviour)}})}}),
      {.timeout = state_timeout()}));
  return {};
}

Result<> ChangeWork::require_imds_v2(const StepOutcome& step) {
  TRY(calls_.ec2("ModifyInstanceMetadataOptions",
                 Json::object({{"InstanceId", step.step.id}, {"HttpTokens", "required"}, {"HttpEndpoint", "enabled"}}),
                 {.timeout = state_timeout()}));
  return {};
}

// An instance has one association: where there is one it is replaced. What a call before made whose answer was lost, or
// another controller at the same time, has another id: then it is looked at again.
Result<> ChangeWork::set_profile(const StepOutcome& step) {
  const std::string& name = context_.spec.profile.name;
  const Json profile = Json::object({{"Name", name}});
  const Patience patience{
      .timeout = context_.options.profile_timeout, .passes = [](const Error& error, Micros /*waited*/) {
        return error.code.starts_with("InvalidParameter") && error.message.find("nstance") != std::string::npos;
      }};
  for (int attempt = 1;; ++attempt) {
    const Json answer = TRY(calls_.ec2(
        "DescribeIamInstanceProfileAssociations",
        Json::object(
            {{"Filters", filter_list({{"instance-id", {step.step.id}}, {"state", {"associating", "associated"}}})}}),
        {.timeout = state_timeout()}));
    const JsonArray& held = answer.list("IamInstanceProfileAssociations");
    const Json* held_profile = held.empty() ? nullptr : held.front().find("IamInstanceProfile");
    if (held_profile != nullptr && held_profile->text("Arn").ends_with("/" + name)) {
      return {};
    }
    const Result<Json> made =
        held.empty()
            ? calls_.ec2("AssociateIamInstanceProfile",
                         Json::object({{"InstanceId", step.step.id}, {"IamInstanceProfile", profile}}), patience)
            : calls_.ec2("ReplaceIamInstanceProfileAssociation",
                         Json::object(
                             {{"AssociationId", held.front().text("AssociationId")}, {"IamInstanceProfile", profile}}),
                         patience);
    const bool moved =
        !made && (made.error().code == "InvalidAssociationID.NotFound" || made.error().code == "IncorrectState");
    if (!moved || attempt == kProfileAttemptsMax) {
      return made ? Result<>() : Result<>(made.error());
    }
  }
}

Result<> ChangeWork::set_groups(const StepOutcome& step) {
  const std::string group = TRY(group_id());
  TRY(calls_.ec2("ModifyInstanceAttribute",
                 Json::object({{"InstanceId", step.step.id}, {"Groups", Json::array({group})}}),
                 {.timeout = state_timeout(), .codes = {"InvalidGroup.NotFound"}}));
  return {};
}

Result<> ChangeWork::mend_schedule(const Json& wanted) {
  TRY(calls_.call(kSchedulerService, "UpdateSchedule", wanted, {.timeout = state_timeout()}));
  return {};
}

// Stops the machine at its hour of the day, whatever everybody else forgot; each start sets it to its own end.
Result<> ChangeWork::make_schedule(StepOutcome& step) {
  const std::string machine = step.step.id.empty() ? launched_in(step.step.slot) : step.step.id;
  if (machine.empty()) {
    return make_error(ErrorKind::not_found, "there is no machine to make a schedule for");
  }
  const Observed& observed = context_.observed;
  const Json params =
      stop_rule({context_.spec.fleet, observed.account, observed.partition}, machine, schedule_expression());
  // A role that was made just now is not known everywhere at once.
  const Result<Json> made =
      calls_.call(kSchedulerService, "CreateSchedule", params,
                  {.timeout = context_.options.profile_timeout, .passes = [](const Error& error, Micros /*waited*/) {
                     return error.code == "ValidationException" && error.message.find("role") != std::string::npos;
                   }});
  step.id = schedule_name(machine);
  if (!made && made.error().code == "ConflictException") {
    return mend_schedule(params);
  }
  return made ? Result<>() : Result<>(made.error());
}

}  // namespace parallax::fleet
