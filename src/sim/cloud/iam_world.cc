// The account's IAM when it begins: well-known users, AWS's managed policies, the fleet's role.
#include <array>

#include "base/check.h"
#include "sim/cloud/identity.h"

namespace parallax::sim {

namespace {

constexpr Micros kLongAgo = Seconds(30 * 86400);

struct NamedPolicy {
  std::string_view name;
  std::string_view id;
  std::string_view version;
  std::string_view description;
  std::string_view document;
};

// Of AWS's some thousand managed policies those that a fleet and its tests attach.
constexpr std::array kManagedPolicies = {
    NamedPolicy{"AdministratorAccess", "ANPAPARALLAXSIMADMIN1", "v1",
                "Provides full access to AWS services and resources.",
                R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"},
    NamedPolicy{
        "AmazonSSMManagedInstanceCore", "ANPAPARALLAXSIMSSMCO1", "v2",
        "The policy for Amazon EC2 Role to enable AWS Systems Manager service core functionality.",
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:DescribeAssociation",)"
        R"("ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest",)"
        R"("ssm:GetParameter","ssm:GetParameters","ssm:ListAssociations","ssm:ListInstanceAssociations",)"
        R"("ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult",)"
        R"("ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation"],)"
        R"("Resource":"*"},{"Effect":"Allow","Action":["ssmmessages:CreateControlChannel",)"
        R"("ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],)"
        R"("Resource":"*"},{"Effect":"Allow","Action":["ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage",)"
        R"("ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"],)"
        R"("Resource":"*"}]})"},
    NamedPolicy{"AmazonEC2FullAccess", "ANPAPARALLAXSIMEC2FA1", "v5",
                "Provides full access to Amazon EC2 via the AWS Management Console.",
                R"({"Version":"2012-10-17","Statement":[{"Action":"ec2:*","Effect":"Allow","Resource":"*"},)"
                R"({"Effect":"Allow","Action":"elasticloadbalancing:*","Resource":"*"},)"
                R"({"Effect":"Allow","Action":"cloudwatch:*","Resource":"*"},)"
                R"({"Effect":"Allow","Action":"autoscaling:*","Resource":"*"}]})"},
    NamedPolicy{"AmazonEC2ReadOnlyAccess", "ANPAPARALLAXSIMEC2RO1", "v1",
                "Provides read only access to Amazon EC2 via the AWS Management Console.",
                R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]})"},
    NamedPolicy{"AmazonSSMReadOnlyAccess", "ANPAPARALLAXSIMSSMRO1", "v1", "Provides read only access to Amazon SSM.",
                R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:Describe*","ssm:Get*",)"
                R"("ssm:List*"],"Resource":"*"}]})"},
    NamedPolicy{"IAMReadOnlyAccess", "ANPAPARALLAXSIMIAMRO1", "v4",
                "Provides read only access to IAM via the AWS Management Console.",
                R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCredentialReport",)"
                R"("iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy",)"
                R"("iam:SimulatePrincipalPolicy"],"Resource":"*"}]})"},
};

StoredPolicy stored(std::string_view text, PolicyUse use, std::string_view source) {
  Result<Policy> policy = parse_policy(text, use);
  CHECK(policy.has_value(), text);
  policy->source = source;
  return {std::string(text), *std::move(policy)};
}

void add_managed_policies(World& world) {
  for (const NamedPolicy& named : kManagedPolicies) {
    ManagedPolicy policy;
    policy.name = named.name;
    policy.id = named.id;
    policy.arn = "arn:aws:iam::aws:policy/" + policy.name;
    policy.description = named.description;
    policy.created = world.now - kLongAgo;
    policy.updated = policy.created;
    policy.default_version = named.version;
    policy.of_aws = true;
    policy.versions.push_back(
        {policy.default_version, stored(named.document, PolicyUse::identity, policy.arn), policy.created});
    world.iam.policies.emplace(policy.arn, std::move(policy));
  }
}

IamUser& add_user(World& world, std::string name, std::string id) {
  IamUser user;
  user.name = name;
  user.id = std::move(id);
  user.arn = iam_arn("user", "/" + name);
  user.created = world.now - kLongAgo;
  return world.iam.users.emplace(std::move(name), std::move(user)).first->second;
}

void add_key(World& world, const IamUser& user, std::string_view id, std::string_view secret) {
  AccessKey key;
  key.id = id;
  key.secret = secret;
  key.created = user.created;
  key.who = user_principal(user);
  world.iam.access_keys.emplace(key.id, std::move(key));
}

void add_fleet_role(World& world) {
  IamRole role;
  role.name = fleet_profile(world.options);
  role.id = "AROAPARALLAXSIMROLE01";
  role.arn = iam_arn("role", "/" + role.name);
  if (world.options.world == WorldKind::adopted) {
    role.tags = {{"parallax:fleet", world.options.fleet}};
  }
  role.created = world.now - kLongAgo;
  role.description = "What the fleet's instances may do";
  role.trust = stored(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":)"
                      R"({"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]})",
                      PolicyUse::trust, "trust");
  role.attached = {"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"};
  IamProfile profile;
  profile.name = role.name;
  profile.id = "AIPAPARALLAXSIMPROF01";
  profile.arn = iam_arn("instance-profile", "/" + role.name);
  profile.tags = role.tags;
  profile.created = role.created;
  profile.role_name = role.name;
  profile.role_id = role.id;
  world.iam.roles.emplace(role.name, std::move(role));
  world.iam.profiles.emplace(profile.name, std::move(profile));
}

}  // namespace

std::string fleet_profile(const CloudOptions& options) {
  return options.world == WorldKind::reference ? "AmazonSSMRoleForInstancesQuickSetup" : "parallax-" + options.fleet;
}

void build_iam(World& world) {
  add_managed_policies(world);
  IamUser& user = add_user(world, "parallax", "AIDAPARALLAXSIMUSER01");
  user.all_rights = true;
  user.attached = {"arn:aws:iam::aws:policy/AdministratorAccess"};
  add_key(world, user, kSimulatedAccessKey, kSimulatedSecret);
  if (!world.options.policy.empty()) {
    IamUser& limited = add_user(world, "limited", "AIDAPARALLAXSIMUSER02");
    limited.inline_policies["limited"] = stored(world.options.policy, PolicyUse::identity, "limited");
    add_key(world, limited, kLimitedAccessKey, kLimitedSecret);
  }
  if (world.options.world != WorldKind::empty) {
    add_fleet_role(world);
  }
}

}  // namespace parallax::sim
