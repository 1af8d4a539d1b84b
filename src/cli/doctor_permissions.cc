#include <array>
#include <map>

#include <fmt/format.h>

#include "aws/paginate.h"
#include "aws/protocol/errors.h"
#include "base/text.h"
#include "cli/doctor_checks.h"

namespace parallax::cli {

namespace {

// What the fleet commands call, as docs/user/getting-started.md grants it.
constexpr std::array<std::string_view, 7> kReading{"ec2:DescribeRegions",
                                                   "ec2:DescribeInstances",
                                                   "ec2:DescribeInstanceAttribute",
                                                   "ssm:DescribeInstanceInformation",
                                                   "ssm:ListCommands",
                                                   "ssm:GetCommandInvocation",
                                                   "ssm:CancelCommand"};
// On the fleet's own machines alone.
constexpr std::array<std::string_view, 4> kOnInstances{"ec2:StartInstances", "ec2:StopInstances", "ec2:CreateTags",
                                                       "ssm:SendCommand"};
constexpr std::string_view kDocumentAction = "ssm:SendCommand";
constexpr std::string_view kAnyInstance = "i-00000000000000000";

struct Decision {
  Verdict verdict = Verdict::unknown;
  std::string how;  // where it is not simply allowed
};

// By action; "ssm:SendCommand" on the document has a name of its own.
using Decisions = std::map<std::string, Decision>;

// ---- IAM's own simulator

// Policies belong to the role, not to its session. The path of a role with one is asked for.
std::string policy_source(const Patient& patient) {
  const std::vector<std::string_view> parts = split(patient.arn, ':');
  constexpr std::string_view kAssumed = "assumed-role/";
  if (parts.size() != 6 || !parts[5].starts_with(kAssumed)) {
    return patient.arn;
  }
  const std::string_view rest = parts[5].substr(kAssumed.size());
  const std::string role(rest.substr(0, rest.find('/')));
  const Result<Json> known =
      patient.call("iam", patient.regions.front(), "GetRole", Json::object({{"RoleName", role}}));
  if (known && known->at("Role", "Arn") != nullptr) {
    return known->find("Role")->text("Arn");
  }
  return fmt::format("arn:{}:iam::{}:role/{}", parts[1], parts[4], role);
}

std::string partition_of_arn(const std::string& arn) {
  const std::vector<std::string_view> parts = split(arn, ':');
  return parts.size() > 1 ? std::string(parts[1]) : "aws";
}

// The tags that the fleet's machines have, as conditions name them.
Json context_of(const Patient& patient) {
  JsonArray entries;
  if (patient.config) {
    for (const char* key :
         {"aws:ResourceTag/parallax:fleet", "ec2:ResourceTag/parallax:fleet", "ssm:resourceTag/parallax:fleet"}) {
      entries.push_back(Json::object({{"ContextKeyName", key},
                                      {"ContextKeyValues", Json::array({patient.config->fleet.name})},
                                      {"ContextKeyType", "string"}}));
    }
  }
  return Json(std::move(entries));
}

Decision read_decision(const Json& result) {
  if (result.text("EvalDecision") == "allowed") {
    return {Verdict::ok, ""};
  }
  std::string missing;
  for (const Json& key : result.list("MissingContextValues")) {
    missing += fmt::format("{}{}", missing.empty() ? "" : ", ", key.string() == nullptr ? "" : *key.string());
  }
  if (!missing.empty() && result.text("EvalDecision") != "explicitDeny") {
    return {Verdict::unknown, fmt::format("depends on {}", missing)};
  }
  return {Verdict::problem, result.text("EvalDecision")};
}

template <typename Actions>
Result<> simulate(const Patient& patient, const std::string& source, const Actions& actions,
                  const std::string& resource, std::string_view suffix, Decisions& decisions) {
  JsonArray names;
  for (const std::string_view action : actions) {
    names.emplace_back(action);
  }
  Json params = Json::object({{"PolicySourceArn", source}, {"ActionNames", std::move(names)}});
  params.set("ResourceArns", Json::array({resource}));
  Json context = context_of(patient);
  if (!context.items()->empty()) {
    params.set("ContextEntries", std::move(context));
  }
  const Json answer =
      TRY(aws::collect_pages(*patient.session.client, {"iam", patient.regions.front()}, "SimulatePrincipalPolicy",
                             params, {.deadline = patient.deadline, .stop = patient.world.stop}));
  for (const Json& result : answer.list("EvaluationResults")) {
    decisions[result.text("EvalActionName") + std::string(suffix)] = read_decision(result);
  }
  return {};
}

Result<Decisions> ask_simulator(const Patient& patient) {
  Decisions decisions;
  const std::string source = policy_source(patient);
  const std::string partition = partition_of_arn(patient.arn);
  const std::string& region = patient.regions.front();
  TRY(simulate(patient, source, kReading, "*", "", decisions));
  TRY(simulate(patient, source, kOnInstances,
               fmt::format("arn:{}:ec2:{}:{}:instance/{}", partition, region, patient.account, kAnyInstance), "",
               decisions));
  TRY(simulate(patient, source, std::array{kDocumentAction},
               fmt::format("arn:{}:ssm:{}::document/AWS-RunShellScript", partition, region), " (AWS-RunShellScript)",
               decisions));
  return decisions;
}

// ---- trying

Decision outcome_of(const Result<Json>& answer) {
  if (answer || answer.error().code == aws::kDryRunCode) {
    return {Verdict::ok, ""};
  }
  const Error& error = answer.error();
  const bool refused = error.kind == ErrorKind::denied;
  return {refused ? Verdict::problem : Verdict::unknown,
          error.code.empty() ? std::string(to_string(error.kind)) : error.code};
}

// A machine of the fleet, for DryRun calls that need one; empty where there is none.
std::string some_instance(const Patient& patient) {
  if (!patient.config) {
    return {};
  }
  const Json filters = Json::array(
      {Json::object({{"Name", "tag:parallax:fleet"}, {"Values", Json::array({patient.config->fleet.name})}})});
  const Result<Json> answer =
      patient.call("ec2", patient.regions.front(), "DescribeInstances", Json::object({{"Filters", filters}}));
  if (!answer) {
    return {};
  }
  for (const Json& reservation : answer->list("Reservations")) {
    for (const Json& instance : reservation.list("Instances")) {
      if (instance.at("State", "Name") != nullptr && instance.find("State")->text("Name") != "terminated") {
        return instance.text("InstanceId");
      }
    }
  }
  return {};
}

Decisions try_calls(const Patient& patient) {
  Decisions decisions;
  const std::string& region = patient.regions.front();
  for (const char* operation : {"DescribeRegions", "DescribeInstances"}) {
    decisions[fmt::format("ec2:{}", operation)] =
        outcome_of(patient.call("ec2", region, operation, Json::object({{"DryRun", true}})));
  }
  for (const char* operation : {"DescribeInstanceInformation", "ListCommands"}) {
    decisions[fmt::format("ssm:{}", operation)] =
        outcome_of(patient.call("ssm", region, operation, Json::object({{"MaxResults", 5}})));
  }
  const std::string id = some_instance(patient);
  if (id.empty()) {
    return decisions;
  }
  const Json ids = Json::array({id});
  decisions["ec2:DescribeInstanceAttribute"] =
      outcome_of(patient.call("ec2", region, "DescribeInstanceAttribute",
                              Json::object({{"DryRun", true}, {"InstanceId", id}, {"Attribute", "instanceType"}})));
  for (const char* operation : {"StartInstances", "StopInstances"}) {
    decisions[fmt::format("ec2:{}", operation)] =
        outcome_of(patient.call("ec2", region, operation, Json::object({{"DryRun", true}, {"InstanceIds", ids}})));
  }
  const Json tags = Json::array({Json::object({{"Key", "parallax:doctor"}, {"Value", "dry run"}})});
  decisions["ec2:CreateTags"] = outcome_of(
      patient.call("ec2", region, "CreateTags", Json::object({{"DryRun", true}, {"Resources", ids}, {"Tags", tags}})));
  return decisions;
}

std::string list_of(const Decisions& decisions, Verdict verdict) {
  std::string text;
  for (const auto& [action, decision] : decisions) {
    if (decision.verdict == verdict) {
      text += fmt::format("{}{}{}", text.empty() ? "" : ", ", action,
                          decision.how.empty() ? "" : fmt::format(" ({})", decision.how));
    }
  }
  return text;
}

}  // namespace

void check_permissions(Patient& patient) {
  Result<Decisions> simulated = ask_simulator(patient);
  const std::string method = simulated ? "of IAM's policy simulator"
                                       : fmt::format("by trying, since iam:SimulatePrincipalPolicy failed ({})",
                                                     simulated.error().code.empty() ? to_string(simulated.error().kind)
                                                                                    : simulated.error().code);
  patient.add({"rights", "asked", Verdict::ok, method, "", ""});
  Decisions decisions = simulated ? *std::move(simulated) : try_calls(patient);
  for (const std::string_view action : kReading) {
    decisions.try_emplace(std::string(action), Decision{Verdict::unknown, "not tried"});
  }
  for (const std::string_view action : kOnInstances) {
    decisions.try_emplace(std::string(action), Decision{Verdict::unknown, "not tried"});
  }
  if (const std::string allowed = list_of(decisions, Verdict::ok); !allowed.empty()) {
    patient.add({"rights", "allowed", Verdict::ok, allowed, "", ""});
  }
  if (const std::string denied = list_of(decisions, Verdict::problem); !denied.empty()) {
    // Without a fleet nothing needs them yet.
    patient.add({"rights", "denied", patient.config ? Verdict::problem : Verdict::warning, denied,
                 "the fleet commands need them; docs/user/getting-started.md has the policy", ""});
  }
  if (const std::string open = list_of(decisions, Verdict::unknown); !open.empty()) {
    patient.add({"rights", "not known", Verdict::unknown, open, "", ""});
  }
}

}  // namespace parallax::cli
