// Actions, resources and condition keys are those of AWS's service authorization reference (aws-facts, section 6).
#include <iterator>

#include "fleet/policy_writer.h"

namespace parallax::fleet::policy {

namespace {

void append(Statements& to, Statements more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

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
           {role(spec_.profile.name), role(scheduler_role(spec_.fleet)), profile()},
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
    all.push_back({"SetStopRules", {"scheduler:UpdateSchedule"}, {schedules()}, {}});
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
           {fmt::format("arn:{}:ssm:*::parameter{}", partition_, spec_.stock_parameter())},
           {}}};
}

// All that bears the fleet's tag from the call that makes it on. It alone names the regions: each of these calls needs
// it, so the statements about what else they touch need not name them again. (A managed policy has 6,144 characters,
// 34 regions take 500 of them.)
Statement Writer::make() const {
  Statement all{"Make",
                {"ec2:RunInstances", "ec2:CreateSecurityGroup"},
                {ec2("instance"), ec2("volume"), ec2("security-group")},
                {made_ours(), in_regions()}};
  if (spec_.key) {
    all.actions.emplace_back("ec2:ImportKeyPair");
    all.resources.push_back(ec2("key-pair", spec_.key->name));
  }
  if (spec_.image.kind == ImageSpec::Kind::copy) {
    all.actions.emplace_back("ec2:CopyImage");
    all.resources.push_back(ec2("image"));
    all.resources.push_back(ec2("snapshot"));
  }
  return all;
}

// What is ours, whatever kind it is: each of these actions knows its own kind of resource alone.
Statement Writer::keep() const {
  Statement all{"Keep",
                {"ec2:CreateTags", "ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress",
                 "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"},
                {ec2("*"), ec2("image"), ec2("snapshot")},
                {ours(), no_original()}};
  if (spec_.key) {
    all.actions.emplace_back("ec2:DeleteKeyPair");
  }
  if (spec_.image.kind == ImageSpec::Kind::copy) {
    all.actions.emplace_back("ec2:DeregisterImage");  // a copy that failed
    all.actions.emplace_back("ec2:DeleteSnapshot");
  }
  return all;
}

Statements Writer::setup_image() const {
  if (spec_.image.kind == ImageSpec::Kind::stock) {
    return find_stock_image();
  }
  return {{"MakeImage", {"ec2:CreateImage"}, {ec2("image"), ec2("snapshot")}, {made_ours()}},
          // Home's first machine need not be ours yet.
          {"MakeImageOfMachine",
           {"ec2:CreateImage"},
           {fmt::format("arn:{}:ec2:{}:{}:instance/*", partition_, spec_.home, account_)},
           {}},
          {"CopyFromHome",
           {"ec2:CopyImage"},
           {fmt::format("arn:{}:ec2:{}::image/*", partition_, spec_.home),
            fmt::format("arn:{}:ec2:{}::snapshot/*", partition_, spec_.home)},
           {}}};
}

Statements Writer::setup_machines() const {
  const std::string owner = spec_.image.kind == ImageSpec::Kind::stock ? "amazon" : account_;
  Texts beside = {ec2("subnet"), ec2("security-group"), ec2("network-interface")};
  if (spec_.key) {
    beside.push_back(ec2("key-pair", spec_.key->name));
  }
  return {{"MakeGroupInVpc", {"ec2:CreateSecurityGroup"}, {ec2("vpc")}, {}},
          {"LaunchFromImage",
           {"ec2:RunInstances"},
           {ec2("image"), ec2("snapshot")},
           {{"StringEquals", "ec2:Owner", {owner}}}},
          {"LaunchBeside", {"ec2:RunInstances", "ec2:ModifyInstanceAttribute"}, std::move(beside), {}},
          {"TagWhatIsMade",
           {"ec2:CreateTags"},
           {ec2("*"), ec2("image"), ec2("snapshot")},
           {made_ours(),
            {"StringEquals",
             "ec2:CreateAction",
             {"RunInstances", "CopyImage", "CreateImage", "ImportKeyPair", "CreateSecurityGroup"}}}},
          {"KeepMachines",
           {"ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:ModifyInstanceMetadataOptions",
            "ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation"},
           {ec2("instance")},
           {ours()}}};
}

// The roles of ours that the specification asks for, and the profile.
Statements Writer::setup_roles() const {
  const std::string ec2_service = partition_ == "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com";
  const bool scheduler = spec_.deadman == Deadman::guest_and_scheduler;
  Texts make_actions = {"iam:CreateRole", "iam:TagRole"};
  Texts keep_actions = {"iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
                        "iam:UpdateAssumeRolePolicy"};
  Texts roles;
  if (spec_.profile.ours) {
    make_actions.insert(make_actions.end(), {"iam:CreateInstanceProfile", "iam:TagInstanceProfile"});
    keep_actions.emplace_back("iam:AddRoleToInstanceProfile");
    roles.insert(roles.end(), {role(spec_.profile.name), profile()});
  }
  if (scheduler) {
    roles.push_back(role(scheduler_role(spec_.fleet)));
  }
  Statements all;
  if (!roles.empty()) {
    all.push_back({"MakeRoles", std::move(make_actions), roles, {made_ours()}});
    all.push_back({"KeepRoles", std::move(keep_actions), std::move(roles), {ours()}});
  }
  all.push_back({"GiveRoleToMachines",
                 {"iam:PassRole"},
                 {spec_.profile.ours ? role(spec_.profile.name) : role("*")},
                 {passed_to(ec2_service)}});
  if (scheduler) {
    all.push_back({"KeepSchedules", {"scheduler:CreateSchedule", "scheduler:UpdateSchedule"}, {schedules()}, {}});
    all.push_back(role_to_schedules());
  }
  return all;
}

Statements Writer::setup() const {
  Statements all = seeing();
  append(all, look_at_role());
  all.push_back(make());
  all.push_back(keep());
  append(all, setup_image());
  append(all, setup_machines());
  append(all, setup_roles());
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
                {role(spec_.profile.name), role(scheduler_role(spec_.fleet)), profile()},
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

}  // namespace parallax::fleet::policy
