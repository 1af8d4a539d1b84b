// Actions, resources and condition keys are those of AWS's service authorization reference (aws-facts, section 6).
#include "fleet/policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

using Texts = std::vector<std::string>;

struct Condition {
  std::string comparison, key;
  Texts values;
};

using Conditions = std::vector<Condition>;

struct Statement {
  std::string sid;
  Texts actions, resources;
  Conditions conditions;
};

using Statements = std::vector<Statement>;

constexpr std::array<std::pair<PolicyFor, std::string_view>, 7> kWords = {{{PolicyFor::setup, "setup"},
                                                                           {PolicyFor::run, "run"},
                                                                           {PolicyFor::check, "check"},
                                                                           {PolicyFor::clear, "clear"},
                                                                           {PolicyFor::adopt, "adopt"},
                                                                           {PolicyFor::machine, "machine"},
                                                                           {PolicyFor::scheduler, "scheduler"}}};

// Writes the documents of one fleet.
class Writer {
 public:
  Writer(const Spec& spec, const std::string& account, const std::string& partition)
      : spec_(spec), account_(account), partition_(partition) {}

  Statements machine() const;
  Statements scheduler() const;
  Statements check() const;
  Statements seeing() const;
  Statements run() const;
  Statements setup() const;
  Statements clear() const;
  Statements adopt() const;

 private:
  std::string arn(std::string_view service, std::string_view region, std::string_view rest) const {
    return fmt::format("arn:{}:{}:{}:{}:{}", partition_, service, region, account_, rest);
  }

  // Images and snapshots have no account in their ARNs.
  std::string ec2(std::string_view type, std::string_view id = "*") const {
    return type == "image" || type == "snapshot" ? fmt::format("arn:{}:ec2:*::{}/{}", partition_, type, id)
                                                 : arn("ec2", "*", fmt::format("{}/{}", type, id));
  }

  std::string role(std::string_view name) const { return arn("iam", "", fmt::format("role/{}", name)); }

  std::string profile() const { return arn("iam", "", "instance-profile/" + spec_.profile.name); }

  std::string schedules() const {
    return arn("scheduler", "*", fmt::format("schedule/{}/{}", kScheduleGroup, schedule_name("*")));
  }

  Condition ours() const { return {"StringEquals", fmt::format("aws:ResourceTag/{}", kFleetTag), {spec_.fleet}}; }

  Condition made_ours() const { return {"StringEquals", fmt::format("aws:RequestTag/{}", kFleetTag), {spec_.fleet}}; }

  static Condition no_original() { return {"Null", fmt::format("aws:ResourceTag/{}", kOriginalTag), {"true"}}; }

  Condition in_regions() const {
    Texts regions = spec_.regions;
    if (std::find(regions.begin(), regions.end(), spec_.home) == regions.end()) {
      regions.push_back(spec_.home);
    }
    return {"StringEquals", "aws:RequestedRegion", std::move(regions)};
  }

  static Condition passed_to(std::string service) {
    return {"StringEquals", "iam:PassedToService", {std::move(service)}};
  }

  Statement look(std::string sid, Texts actions) const { return {std::move(sid), std::move(actions), {"*"}, {}}; }

  Statements look_at_role() const;
  Statements commands() const;
  Statements power() const;

  // Each UpdateSchedule names the role again.
  Statement role_to_schedules() const {
    return {"GiveRoleToSchedules", {"iam:PassRole"}, {role(kSchedulerRole)}, {passed_to("scheduler.amazonaws.com")}};
  }

  Statements find_stock_image() const;
  Statements setup_image() const;
  Statements setup_network() const;
  Statements setup_machines() const;
  Statements setup_role() const;
  Statements setup_schedules() const;

  const Spec& spec_;
  const std::string& account_;
  const std::string& partition_;
};

void append(Statements& to, Statements more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// AmazonSSMManagedInstanceCore without Parameter Store, State Manager, inventory, patches and packages: an agent that
// only takes commands tries those once in a while, is refused and goes on.
Statements Writer::machine() const {
  return {
      look("Register", {"ssm:UpdateInstanceInformation"}),
      look("TakeCommands",
           {"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel", "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage",
            "ec2messages:FailMessage", "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply"})};
}

Statements Writer::scheduler() const {
  return {{"StopMachines", {"ec2:StopInstances"}, {ec2("instance")}, {ours()}}};
}

Statements Writer::look_at_role() const {
  return {{"LookAtRole",
           {"iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
            "iam:GetInstanceProfile"},
           {role(spec_.profile.name), role(kSchedulerRole), profile()},
           {}}};
}

// Reading is not tied to regions: `fleet regions` and `fleet sweep` look at all that the account has enabled. EC2's and
// SSM's Describe and List calls know no resource but "*".
Statements Writer::seeing() const {
  return {look("Look", {"ec2:DescribeInstances", "ec2:DescribeInstanceAttribute", "ec2:DescribeTags",
                        "ec2:DescribeImages", "ec2:DescribeSecurityGroups", "ec2:DescribeKeyPairs",
                        "ec2:DescribeSnapshots", "ec2:DescribeVolumes", "ec2:DescribeAddresses", "ec2:DescribeRegions",
                        "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeInstanceTypeOfferings",
                        "ec2:DescribeIamInstanceProfileAssociations", "scheduler:ListSchedules"})};
}

Statements Writer::check() const {
  Statements all = seeing();
  all.push_back(look("LookAtAgents", {"ssm:DescribeInstanceInformation"}));
  append(all, look_at_role());
  append(all, find_stock_image());
  return all;
}

Statements Writer::power() const {
  Statements all = {{"Start", {"ec2:StartInstances"}, {ec2("instance")}, {ours(), in_regions()}},
                    {"Stop", {"ec2:StopInstances"}, {ec2("instance")}, {ours()}},
                    {"WriteLease",
                     {"ec2:CreateTags"},
                     {ec2("instance")},
                     {ours(), {"ForAllValues:StringEquals", "aws:TagKeys", {kLeaseTag}}}}};
  if (spec_.deadman == Deadman::guest_and_scheduler) {
    all.push_back({"SetStopRules", {"scheduler:UpdateSchedule"}, {schedules()}, {in_regions()}});
    all.push_back(role_to_schedules());
  }
  return all;
}

Statements Writer::commands() const {
  return {
      look("FollowCommands", {"ssm:DescribeInstanceInformation", "ssm:ListCommands", "ssm:ListCommandInvocations",
                              "ssm:GetCommandInvocation", "ssm:CancelCommand"}),
      {"SendScripts", {"ssm:SendCommand"}, {fmt::format("arn:{}:ssm:*::document/AWS-RunShellScript", partition_)}, {}},
      {"SendToMachines", {"ssm:SendCommand"}, {ec2("instance")}, {ours()}}};
}

Statements Writer::run() const {
  Statements all = {look("Look", {"ec2:DescribeInstances", "ec2:DescribeInstanceAttribute"})};
  append(all, power());
  append(all, commands());
  return all;
}

// AWS's own parameter, which anybody may read.
Statements Writer::find_stock_image() const {
  if (spec_.image.kind != ImageSpec::Kind::stock) {
    return {};
  }
  return {{"FindStockImage",
           {"ssm:GetParameter"},
           {fmt::format("arn:{}:ssm:*::parameter{}", partition_, spec_.image.parameter())},
           {in_regions()}}};
}

Statements Writer::setup_image() const {
  if (spec_.image.kind == ImageSpec::Kind::stock) {
    return find_stock_image();
  }
  return {
      {"MakeImage", {"ec2:CopyImage", "ec2:CreateImage"}, {ec2("image"), ec2("snapshot")}, {made_ours(), in_regions()}},
      // Home's first machine need not be ours yet.
      {"MakeImageOfMachine",
       {"ec2:CreateImage"},
       {fmt::format("arn:{}:ec2:{}:{}:instance/*", partition_, spec_.home, account_)},
       {}},
      {"CopyFromHome",
       {"ec2:CopyImage"},
       {fmt::format("arn:{}:ec2:{}::image/*", partition_, spec_.home),
        fmt::format("arn:{}:ec2:{}::snapshot/*", partition_, spec_.home)},
       {}},
      {"ReplaceFailedImage",
       {"ec2:DeregisterImage", "ec2:DeleteSnapshot"},
       {ec2("image"), ec2("snapshot")},
       {ours(), no_original()}}};
}

Statements Writer::setup_network() const {
  Statements all = {{"MakeGroup", {"ec2:CreateSecurityGroup"}, {ec2("security-group")}, {made_ours(), in_regions()}},
                    {"MakeGroupInVpc", {"ec2:CreateSecurityGroup"}, {ec2("vpc")}, {in_regions()}},
                    {"KeepRules",
                     {"ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress",
                      "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"},
                     {ec2("security-group")},
                     {ours(), no_original()}}};
  if (spec_.key) {
    all.push_back(
        {"ImportKey", {"ec2:ImportKeyPair"}, {ec2("key-pair", spec_.key->name)}, {made_ours(), in_regions()}});
    all.push_back({"ReplaceKey", {"ec2:DeleteKeyPair"}, {ec2("key-pair", spec_.key->name)}, {ours(), no_original()}});
  }
  return all;
}

Statements Writer::setup_machines() const {
  const std::string owner = spec_.image.kind == ImageSpec::Kind::stock ? "amazon" : account_;
  Texts beside = {ec2("subnet"), ec2("security-group"), ec2("network-interface")};
  if (spec_.key) {
    beside.push_back(ec2("key-pair", spec_.key->name));
  }
  return {{"LaunchMachines", {"ec2:RunInstances"}, {ec2("instance"), ec2("volume")}, {made_ours(), in_regions()}},
          {"LaunchFromImage",
           {"ec2:RunInstances"},
           {ec2("image"), ec2("snapshot")},
           {{"StringEquals", "ec2:Owner", {owner}}, in_regions()}},
          {"LaunchBeside", {"ec2:RunInstances"}, std::move(beside), {in_regions()}},
          {"TagWhatIsMade",
           {"ec2:CreateTags"},
           {ec2("*"), ec2("image"), ec2("snapshot")},
           {made_ours(),
            {"StringEquals",
             "ec2:CreateAction",
             {"RunInstances", "CopyImage", "CreateImage", "ImportKeyPair", "CreateSecurityGroup"}}}},
          {"KeepTags", {"ec2:CreateTags"}, {ec2("*"), ec2("image"), ec2("snapshot")}, {ours(), no_original()}},
          {"KeepMachines",
           {"ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:ModifyInstanceMetadataOptions",
            "ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation"},
           {ec2("instance")},
           {ours()}},
          {"SetGroups", {"ec2:ModifyInstanceAttribute"}, {ec2("security-group")}, {in_regions()}}};
}

Statements Writer::setup_role() const {
  const std::string ec2_service = partition_ == "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com";
  const Statement pass{"GiveRoleToMachines",
                       {"iam:PassRole"},
                       {spec_.profile.ours ? role(spec_.profile.name) : role("*")},
                       {passed_to(ec2_service)}};
  if (!spec_.profile.ours) {
    return {pass};
  }
  return {{"MakeRole",
           {"iam:CreateRole", "iam:TagRole", "iam:CreateInstanceProfile", "iam:TagInstanceProfile"},
           {role(spec_.profile.name), profile()},
           {made_ours()}},
          {"KeepRole",
           {"iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:UpdateAssumeRolePolicy",
            "iam:AddRoleToInstanceProfile"},
           {role(spec_.profile.name), profile()},
           {ours()}},
          pass};
}

Statements Writer::setup_schedules() const {
  if (spec_.deadman != Deadman::guest_and_scheduler) {
    return {};
  }
  return {{"KeepSchedules", {"scheduler:CreateSchedule", "scheduler:UpdateSchedule"}, {schedules()}, {in_regions()}},
          {"MakeSchedulerRole", {"iam:CreateRole", "iam:TagRole"}, {role(kSchedulerRole)}, {made_ours()}},
          {"KeepSchedulerRole",
           {"iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:UpdateAssumeRolePolicy"},
           {role(kSchedulerRole)},
           {ours()}},
          role_to_schedules()};
}

Statements Writer::setup() const {
  Statements all = seeing();
  append(all, look_at_role());
  append(all, setup_image());
  append(all, setup_network());
  append(all, setup_machines());
  append(all, setup_role());
  append(all, setup_schedules());
  return all;
}

// Machines are started once more to empty their spools.
Statements Writer::clear() const {
  Statements all = seeing();
  append(all, look_at_role());
  append(all, power());
  append(all, commands());
  const Conditions deletable = {ours(), no_original()};
  append(all, {{"DeleteWhatIsOurs",
                {"ec2:TerminateInstances", "ec2:DeregisterImage", "ec2:DeleteSnapshot", "ec2:DeleteVolume",
                 "ec2:ReleaseAddress", "ec2:DeleteKeyPair", "ec2:DeleteSecurityGroup"},
                {ec2("instance"), ec2("image"), ec2("snapshot"), ec2("volume"), ec2("elastic-ip"), ec2("key-pair"),
                 ec2("security-group")},
                deletable},
               {"DeleteSchedules", {"scheduler:DeleteSchedule"}, {schedules()}, {}},
               {"DeleteRole",
                {"iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole", "iam:RemoveRoleFromInstanceProfile",
                 "iam:DeleteInstanceProfile"},
                {role(spec_.profile.name), role(kSchedulerRole), profile()},
                {ours()}}});
  return all;
}

// Only what bears no fleet's tag can be taken over.
Statements Writer::adopt() const {
  Statements all = seeing();
  append(all, {{"TakeOver",
                {"ec2:CreateTags"},
                {ec2("instance"), ec2("image"), ec2("snapshot"), ec2("volume"), ec2("elastic-ip"), ec2("key-pair"),
                 ec2("security-group")},
                {made_ours(), {"Null", fmt::format("aws:ResourceTag/{}", kFleetTag), {"true"}}, in_regions()}}});
  return all;
}

Json one_or_list(const Texts& texts) {
  if (texts.size() == 1) {
    return Json(texts.front());
  }
  JsonArray list;
  for (const std::string& text : texts) {
    list.emplace_back(text);
  }
  return Json(std::move(list));
}

// One value is written as itself, several as a list: as IAM shows them.
Json to_json(const Statement& statement) {
  Json json = Json::object({{"Sid", statement.sid},
                            {"Effect", "Allow"},
                            {"Action", one_or_list(statement.actions)},
                            {"Resource", one_or_list(statement.resources)}});
  if (statement.conditions.empty()) {
    return json;
  }
  JsonObject block;
  for (const Condition& condition : statement.conditions) {
    Json* keys = block.find(condition.comparison);
    if (keys == nullptr) {
      keys = &block.set(condition.comparison, Json::object());
    }
    keys->set(condition.key, one_or_list(condition.values));
  }
  json.set("Condition", Json(std::move(block)));
  return json;
}

Json policy_of(const Statements& statements) {
  JsonArray list;
  for (const Statement& statement : statements) {
    list.push_back(to_json(statement));
  }
  return Json::object({{"Version", "2012-10-17"}, {"Statement", std::move(list)}});
}

Statements statements_of(const Writer& writer, PolicyFor whom) {
  switch (whom) {
    case PolicyFor::setup:
      return writer.setup();
    case PolicyFor::run:
      return writer.run();
    case PolicyFor::check:
      return writer.check();
    case PolicyFor::clear:
      return writer.clear();
    case PolicyFor::adopt:
      return writer.adopt();
    case PolicyFor::machine:
      return writer.machine();
    case PolicyFor::scheduler:
      return writer.scheduler();
  }
  return {};
}

}  // namespace

Result<PolicyFor> parse_policy_for(std::string_view word) {
  std::string words;
  for (const auto& [whom, name] : kWords) {
    if (name == word) {
      return whom;
    }
    words += fmt::format("{}{}", words.empty() ? "" : ", ", name);
  }
  return make_error(ErrorKind::invalid, fmt::format("'{}' is none of {}", word, words));
}

std::string_view to_string(PolicyFor whom) {
  const auto* const found =
      std::find_if(kWords.begin(), kWords.end(), [&](const auto& word) { return word.first == whom; });
  return found == kWords.end() ? "" : found->second;
}

Json policy_document(const Spec& spec, PolicyFor whom, const std::string& account, const std::string& partition) {
  return policy_of(statements_of(Writer(spec, account, partition), whom));
}

// A confused deputy is kept out of the scheduler's role by the account; EC2 gives a machine's role to nobody else.
Json trust_document(PolicyFor whom, const std::string& account, const std::string& partition) {
  const bool scheduler = whom == PolicyFor::scheduler;
  const std::string suffix = partition == "aws-cn" && !scheduler ? ".cn" : "";
  const std::string service = fmt::format("{}.amazonaws.com{}", scheduler ? "scheduler" : "ec2", suffix);
  Json statement = Json::object({{"Sid", scheduler ? "Scheduler" : "Machines"},
                                 {"Effect", "Allow"},
                                 {"Principal", Json::object({{"Service", service}})},
                                 {"Action", "sts:AssumeRole"}});
  if (scheduler) {
    statement.set("Condition", Json::object({{"StringEquals", Json::object({{"aws:SourceAccount", account}})}}));
  }
  return Json::object({{"Version", "2012-10-17"}, {"Statement", Json::array({std::move(statement)})}});
}

}  // namespace parallax::fleet
