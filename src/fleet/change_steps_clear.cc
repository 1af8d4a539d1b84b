// Deleting: what is not there any more is deleted, and what still depends on it is waited for.
#include <algorithm>

#include <fmt/format.h>

#include "fleet/change_work.h"
#include "fleet/policy.h"

namespace parallax::fleet {

namespace {

constexpr std::size_t kTerminateBatch = 1000;  // EC2's limit
constexpr std::size_t kFilterValues = 200;     // EC2's limit of a filter
// In seconds: a termination is not seen sooner; then the machine's interface holds its group for 10 to 30.
constexpr int kTerminationTakes = 12;
constexpr int kInterfaceLingers = 10;
constexpr int kGroupGap = 4;

bool is_gone_already(const Error& error) {
  return error.kind == ErrorKind::not_found || error.code.ends_with(".NotFound") ||
         error.code == "InvalidAMIID.Unavailable";
}

}  // namespace

Result<> ChangeWork::delete_ec2(std::string_view operation, const Json& params, const Patience& patience) {
  const Result<Json> answer = calls_.ec2(operation, params, patience);
  return answer || is_gone_already(answer.error()) ? Result<>() : Result<>(answer.error());
}

Result<> ChangeWork::carry_out_clearing(const StepOutcome& step) {
  const std::string& id = step.step.id;
  const Micros timeout = state_timeout();
  switch (step.step.kind) {
    case StepKind::delete_schedule:
      return delete_schedule(step);
    case StepKind::delete_volume:
      return delete_ec2("DeleteVolume", Json::object({{"VolumeId", id}}),
                        {.timeout = timeout, .codes = {"VolumeInUse", "IncorrectState"}});
    case StepKind::release_address:
      return delete_ec2("ReleaseAddress", Json::object({{"AllocationId", id}}),
                        {.timeout = timeout, .codes = {"InvalidIPAddress.InUse"}});
    case StepKind::delete_snapshot:
      return delete_ec2("DeleteSnapshot", Json::object({{"SnapshotId", id}}),
                        {.timeout = timeout, .codes = {"InvalidSnapshot.InUse"}});
    default:
      return delete_group(step);
  }
}

Result<> ChangeWork::delete_group(const StepOutcome& step) {
  if (terminated_at_ != Monotonic::min()) {
    const Micros held = terminated_at_ + about_seconds(kInterfaceLingers) - calls_.now();
    if (held > Micros(0)) {
      tell("waiting until the terminated machines' interfaces are gone");
      if (!calls_.pause(held)) {
        return interrupted();
      }
    }
  }
  return delete_ec2(
      "DeleteSecurityGroup", Json::object({{"GroupId", step.step.id}}),
      {.timeout = state_timeout(), .codes = {"DependencyViolation"}, .code_gap = about_seconds(kGroupGap)});
}

Result<> ChangeWork::delete_schedule(const StepOutcome& step) {
  const std::string name = step.step.name.empty() ? schedule_name(step.step.id) : step.step.name;
  const Result<Json> answer =
      calls_.call("scheduler", "DeleteSchedule", Json::object({{"Name", name}, {"GroupName", kScheduleGroup}}),
                  {.timeout = state_timeout()});
  return answer || is_gone_already(answer.error()) ? Result<>() : Result<>(answer.error());
}

Result<> ChangeWork::ask_to_terminate(const std::vector<std::string>& ids) {
  const Result<Json> answer =
      calls_.ec2("TerminateInstances", Json::object({{"InstanceIds", text_list(ids)}}), {.timeout = state_timeout()});
  if (answer) {
    return {};
  }
  // One id that is gone fails the whole call.
  if (!is_gone_already(answer.error())) {
    return answer.error();
  }
  if (ids.size() == 1) {
    return {};
  }
  const std::vector<Instance> there = TRY(look_at(ids));
  std::vector<std::string> living;
  for (const Instance& instance : there) {
    if (instance.state != InstanceState::terminated) {
      living.push_back(instance.id);
    }
  }
  if (living.size() == ids.size()) {
    return answer.error();
  }
  return living.empty() ? Result<>() : ask_to_terminate(living);
}

// Those that are not terminated yet, as far as can be seen; `trouble` says why nothing could be.
std::vector<std::string> ChangeWork::still_there(const std::vector<std::string>& ids, std::string& trouble) {
  std::vector<std::string> still;
  for (const std::vector<std::string>& batch : batches(ids, kFilterValues)) {
    const Result<std::vector<Instance>> seen = look_at(batch);
    if (!seen) {
      trouble = ": " + seen.error().text();
      still.insert(still.end(), batch.begin(), batch.end());
      continue;
    }
    for (const Instance& instance : *seen) {
      if (instance.state != InstanceState::terminated) {
        still.push_back(instance.id);
      }
    }
  }
  return still;
}

Result<> ChangeWork::wait_terminated(std::vector<std::string> ids) {
  const Monotonic deadline = calls_.now() + state_timeout();
  std::string trouble;
  tell(fmt::format("waiting until {} {} terminated", ids.size(), ids.size() == 1 ? "machine is" : "machines are"));
  if (!calls_.pause(about_seconds(kTerminationTakes))) {
    return interrupted();
  }
  for (;;) {
    ids = still_there(ids, trouble);
    if (ids.empty()) {
      terminated_at_ = calls_.now();
      return {};
    }
    if (calls_.now() + context_.options.state_poll > deadline) {
      return make_error(ErrorKind::timeout, fmt::format("{} not seen terminated within {}{}", fmt::join(ids, ", "),
                                                        to_human(state_timeout()), trouble));
    }
    tell(fmt::format("waiting until {} {} terminated", ids.size(), ids.size() == 1 ? "machine is" : "machines are"));
    if (!calls_.pause(context_.options.state_poll)) {
      return interrupted();
    }
  }
}

Result<> ChangeWork::terminate(Steps steps) {
  std::vector<std::string> ids;
  for (const StepOutcome& outcome : steps) {
    ids.push_back(outcome.step.id);
  }
  for (const std::vector<std::string>& batch : batches(ids, kTerminateBatch)) {
    TRY(ask_to_terminate(batch));
  }
  return wait_terminated(ids);
}

}  // namespace parallax::fleet
