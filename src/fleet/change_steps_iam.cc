// Roles and instance profile. What was made a moment ago can be unknown to the next call for seconds.
#include <algorithm>

#include <fmt/format.h>

#include "fleet/change_work.h"
#include "fleet/policy.h"

namespace parallax::fleet {

namespace {

constexpr Micros kKnownWithin{Seconds(60)};
constexpr int kPagesMax = 20;

PolicyFor policy_of(const std::string& role, const Spec& spec) {
  return role == scheduler_role(spec.fleet) ? PolicyFor::scheduler : PolicyFor::machine;
}

bool is_missing(const Error& error) {
  return error.kind == ErrorKind::not_found;
}

Result<> unless_missing(const Result<Json>& answer) {
  return answer || is_missing(answer.error()) ? Result<>() : Result<>(answer.error());
}

Error not_ours(std::string_view what, const std::string& name) {
  return make_error(ErrorKind::conflict,
                    fmt::format("the {} '{}' exists without our tag: name an instance profile of your own by [fleet] "
                                "instance_profile",
                                what, name));
}

}  // namespace

Result<Json> ChangeWork::iam(std::string_view operation, const Json& params) {
  return calls_.call("iam", operation, params, {.timeout = state_timeout()});
}

std::string ChangeWork::role_of(const StepOutcome& step) const {
  if (!step.step.name.empty()) {
    return step.step.name;
  }
  const bool scheduler =
      step.step.kind == StepKind::make_scheduler_role || step.step.kind == StepKind::repair_scheduler_role;
  return scheduler ? scheduler_role(context_.spec.fleet) : context_.spec.profile.name;
}

Result<> ChangeWork::put_policy(const std::string& role) {
  const Json document = policy_document(context_.spec, policy_of(role, context_.spec), context_.observed.account,
                                        context_.observed.partition);
  const Json params =
      Json::object({{"RoleName", role}, {"PolicyName", kRolePolicyName}, {"PolicyDocument", document.dump()}});
  // By itself, not by the list of codes: for how long a missing role may still appear is this step's matter.
  const Patience patience{.timeout = state_timeout(), .passes = [](const Error& error, Micros waited) {
                            return is_missing(error) && waited < kKnownWithin;
                          }};
  TRY(calls_.call("iam", "PutRolePolicy", params, patience));
  return {};
}

Result<> ChangeWork::make_role(StepOutcome& step) {
  const std::string role = role_of(step);
  const Json trust =
      trust_document(policy_of(role, context_.spec), context_.observed.account, context_.observed.partition);
  const Json params = Json::object({{"RoleName", role},
                                    {"Path", "/"},
                                    {"AssumeRolePolicyDocument", trust.dump()},
                                    {"Description", "Parallax: see 'parallax fleet policy'"},
                                    {"Tags", tag_list(our_tags())}});
  const Result<Json> made = iam("CreateRole", params);
  if (!made && made.error().code != "EntityAlreadyExists") {
    return made.error();
  }
  if (!made) {
    // Ours from a call whose answer was lost, another controller's, or somebody else's.
    const Json found = TRY(iam("GetRole", Json::object({{"RoleName", role}})));
    const Json* seen = found.find("Role");
    if (seen == nullptr || !is_ours(read_tags(*seen), context_.spec.fleet)) {
      return not_ours("role", role);
    }
    TRY(iam("UpdateAssumeRolePolicy", Json::object({{"RoleName", role}, {"PolicyDocument", trust.dump()}})));
  }
  step.id = role;
  return put_policy(role);
}

// Exactly our rights: what was added by hand is taken away.
Result<> ChangeWork::repair_role(const StepOutcome& step) {
  const std::string role = role_of(step);
  const Observed& observed = context_.observed;
  const std::optional<ProfileSeen>& seen =
      role == scheduler_role(context_.spec.fleet) ? observed.scheduler_role : observed.profile;
  const Json trust = trust_document(policy_of(role, context_.spec), observed.account, observed.partition);
  const Result<Json> trusted = seen ? parse_json(seen->trust) : Result<Json>(Json());
  if (!trusted || trusted->canonical() != trust.canonical()) {
    TRY(iam("UpdateAssumeRolePolicy", Json::object({{"RoleName", role}, {"PolicyDocument", trust.dump()}})));
  }
  TRY(put_policy(role));
  if (!seen) {
    return {};
  }
  for (const auto& [name, document] : seen->inline_policies) {
    if (name != kRolePolicyName) {
      TRY(unless_missing(iam("DeleteRolePolicy", Json::object({{"RoleName", role}, {"PolicyName", name}}))));
    }
  }
  for (const std::string& arn : seen->attached_policies) {
    TRY(unless_missing(iam("DetachRolePolicy", Json::object({{"RoleName", role}, {"PolicyArn", arn}}))));
  }
  return {};
}

Result<> ChangeWork::make_profile(StepOutcome& step) {
  const std::string& name = context_.spec.profile.name;
  step.id = name;
  const Result<Json> made =
      iam("CreateInstanceProfile",
          Json::object({{"InstanceProfileName", name}, {"Path", "/"}, {"Tags", tag_list(our_tags())}}));
  if (made || made.error().code != "EntityAlreadyExists") {
    return made ? Result<>() : Result<>(made.error());
  }
  const Json found = TRY(iam("GetInstanceProfile", Json::object({{"InstanceProfileName", name}})));
  const Json* seen = found.find("InstanceProfile");
  return seen != nullptr && is_ours(read_tags(*seen), context_.spec.fleet)
             ? Result<>()
             : Result<>(not_ours("instance profile", name));
}

Result<> ChangeWork::fill_profile(const StepOutcome& /*step*/) {
  const std::string& name = context_.spec.profile.name;
  const Patience patience{.timeout = state_timeout(), .passes = [](const Error& error, Micros waited) {
                            return is_missing(error) && waited < kKnownWithin;
                          }};
  const Result<Json> added = calls_.call("iam", "AddRoleToInstanceProfile",
                                         Json::object({{"InstanceProfileName", name}, {"RoleName", name}}), patience);
  // A profile holds one role.
  if (added || added.error().code != "LimitExceeded") {
    return added ? Result<>() : Result<>(added.error());
  }
  const Json found = TRY(iam("GetInstanceProfile", Json::object({{"InstanceProfileName", name}})));
  const Json* profile = found.find("InstanceProfile");
  if (profile != nullptr && !profile->list("Roles").empty() &&
      profile->list("Roles").front().text("RoleName") == name) {
    return {};
  }
  return make_error(ErrorKind::conflict, fmt::format("the instance profile '{}' holds another role", name));
}

Result<> ChangeWork::delete_profile(const StepOutcome& step) {
  const std::string name = step.step.name.empty() ? context_.spec.profile.name : step.step.name;
  const std::optional<ProfileSeen>& seen = context_.observed.profile;
  const std::string role = seen && !seen->role_name.empty() ? seen->role_name : name;
  TRY(unless_missing(
      iam("RemoveRoleFromInstanceProfile", Json::object({{"InstanceProfileName", name}, {"RoleName", role}}))));
  return unless_missing(iam("DeleteInstanceProfile", Json::object({{"InstanceProfileName", name}})));
}

// Its policies first: a role that has one is not deleted. They are asked for now, for somebody may have added one.
Result<> ChangeWork::delete_role(const StepOutcome& step) {
  const std::string role = role_of(step);
  for (int page = 0; page < kPagesMax; ++page) {
    const Result<Json> names = iam("ListRolePolicies", Json::object({{"RoleName", role}}));
    const Result<Json> attached = iam("ListAttachedRolePolicies", Json::object({{"RoleName", role}}));
    if (!names || !attached) {
      return unless_missing(names ? attached : names);
    }
    if (names->list("PolicyNames").empty() && attached->list("AttachedPolicies").empty()) {
      break;
    }
    for (const Json& name : names->list("PolicyNames")) {
      TRY(unless_missing(iam("DeleteRolePolicy", Json::object({{"RoleName", role}, {"PolicyName", name}}))));
    }
    for (const Json& policy : attached->list("AttachedPolicies")) {
      TRY(unless_missing(
          iam("DetachRolePolicy", Json::object({{"RoleName", role}, {"PolicyArn", policy.text("PolicyArn")}}))));
    }
  }
  return unless_missing(iam("DeleteRole", Json::object({{"RoleName", role}})));
}

}  // namespace parallax::fleet
