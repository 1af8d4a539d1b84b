// The table: operation -> what it touches. Operations that are in no table touch "*", as AWS's Describe calls do.
#include "sim/cloud/authorization.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/ec2_common.h"
#include "sim/cloud/identity.h"

namespace parallax::sim {

namespace {

enum class Touch { existing, created };

// EC2: the resources whose ids are in `member` (one or a list), or of a type that the call makes.
struct Ec2Row {
  std::string_view operation;
  std::string_view member;
  std::string_view type;
  Touch touch = Touch::existing;
};

constexpr Touch kMade = Touch::created;

constexpr std::array kEc2Table = {
    Ec2Row{"StartInstances", "InstanceIds", "instance"},
    Ec2Row{"StopInstances", "InstanceIds", "instance"},
    Ec2Row{"RebootInstances", "InstanceIds", "instance"},
    Ec2Row{"TerminateInstances", "InstanceIds", "instance"},
    Ec2Row{"MonitorInstances", "InstanceIds", "instance"},
    Ec2Row{"UnmonitorInstances", "InstanceIds", "instance"},
    Ec2Row{"ModifyInstanceAttribute", "InstanceId", "instance"},
    Ec2Row{"ModifyInstanceMetadataOptions", "InstanceId", "instance"},
    Ec2Row{"ResetInstanceAttribute", "InstanceId", "instance"},
    Ec2Row{"GetConsoleOutput", "InstanceId", "instance"},
    Ec2Row{"AssociateIamInstanceProfile", "InstanceId", "instance"},
    Ec2Row{"DisassociateIamInstanceProfile", "AssociationId", "instance"},
    Ec2Row{"ReplaceIamInstanceProfileAssociation", "AssociationId", "instance"},
    Ec2Row{"CreateSecurityGroup", "", "security-group", kMade},
    Ec2Row{"CreateSecurityGroup", "VpcId", "vpc"},
    Ec2Row{"DeleteSecurityGroup", "GroupId", "security-group"},
    Ec2Row{"DeleteSecurityGroup", "GroupName", "security-group"},
    Ec2Row{"AuthorizeSecurityGroupIngress", "GroupId", "security-group"},
    Ec2Row{"AuthorizeSecurityGroupIngress", "GroupName", "security-group"},
    Ec2Row{"AuthorizeSecurityGroupEgress", "GroupId", "security-group"},
    Ec2Row{"RevokeSecurityGroupIngress", "GroupId", "security-group"},
    Ec2Row{"RevokeSecurityGroupIngress", "GroupName", "security-group"},
    Ec2Row{"RevokeSecurityGroupEgress", "GroupId", "security-group"},
    Ec2Row{"ModifySecurityGroupRules", "GroupId", "security-group"},
    Ec2Row{"UpdateSecurityGroupRuleDescriptionsIngress", "GroupId", "security-group"},
    Ec2Row{"UpdateSecurityGroupRuleDescriptionsEgress", "GroupId", "security-group"},
    Ec2Row{"CreateKeyPair", "", "key-pair", kMade},
    Ec2Row{"ImportKeyPair", "", "key-pair", kMade},
    Ec2Row{"DeleteKeyPair", "KeyName", "key-pair"},
    Ec2Row{"DeleteKeyPair", "KeyPairId", "key-pair"},
    Ec2Row{"CreateImage", "InstanceId", "instance"},
    Ec2Row{"CreateImage", "", "image", kMade},
    Ec2Row{"CreateImage", "", "snapshot", kMade},
    Ec2Row{"RegisterImage", "", "image", kMade},
    Ec2Row{"CopyImage", "", "image", kMade},
    Ec2Row{"CopyImage", "", "snapshot", kMade},
    Ec2Row{"DeregisterImage", "ImageId", "image"},
    Ec2Row{"ModifyImageAttribute", "ImageId", "image"},
    Ec2Row{"ResetImageAttribute", "ImageId", "image"},
    Ec2Row{"CreateSnapshot", "VolumeId", "volume"},
    Ec2Row{"CreateSnapshot", "", "snapshot", kMade},
    Ec2Row{"CopySnapshot", "", "snapshot", kMade},
    Ec2Row{"DeleteSnapshot", "SnapshotId", "snapshot"},
    Ec2Row{"ModifySnapshotAttribute", "SnapshotId", "snapshot"},
    Ec2Row{"CreateVolume", "", "volume", kMade},
    Ec2Row{"DeleteVolume", "VolumeId", "volume"},
    Ec2Row{"ModifyVolume", "VolumeId", "volume"},
    Ec2Row{"AttachVolume", "VolumeId", "volume"},
    Ec2Row{"AttachVolume", "InstanceId", "instance"},
    Ec2Row{"DetachVolume", "VolumeId", "volume"},
    Ec2Row{"DetachVolume", "InstanceId", "instance"},
    Ec2Row{"CreateVpc", "", "vpc", kMade},
    Ec2Row{"DeleteVpc", "VpcId", "vpc"},
    Ec2Row{"ModifyVpcAttribute", "VpcId", "vpc"},
    Ec2Row{"CreateSubnet", "VpcId", "vpc"},
    Ec2Row{"CreateSubnet", "", "subnet", kMade},
    Ec2Row{"DeleteSubnet", "SubnetId", "subnet"},
    Ec2Row{"ModifySubnetAttribute", "SubnetId", "subnet"},
    Ec2Row{"CreateInternetGateway", "", "internet-gateway", kMade},
    Ec2Row{"AttachInternetGateway", "InternetGatewayId", "internet-gateway"},
    Ec2Row{"AttachInternetGateway", "VpcId", "vpc"},
    Ec2Row{"DetachInternetGateway", "InternetGatewayId", "internet-gateway"},
    Ec2Row{"DetachInternetGateway", "VpcId", "vpc"},
    Ec2Row{"DeleteInternetGateway", "InternetGatewayId", "internet-gateway"},
    Ec2Row{"AllocateAddress", "", "elastic-ip", kMade},
    Ec2Row{"ReleaseAddress", "AllocationId", "elastic-ip"},
    Ec2Row{"AssociateAddress", "AllocationId", "elastic-ip"},
    Ec2Row{"AssociateAddress", "InstanceId", "instance"},
    Ec2Row{"CreateRouteTable", "VpcId", "vpc"},
    Ec2Row{"CreateRouteTable", "", "route-table", kMade},
    Ec2Row{"DeleteRouteTable", "RouteTableId", "route-table"},
    Ec2Row{"CreateRoute", "RouteTableId", "route-table"},
    Ec2Row{"DeleteRoute", "RouteTableId", "route-table"},
    Ec2Row{"AssociateRouteTable", "RouteTableId", "route-table"},
    Ec2Row{"AssociateRouteTable", "SubnetId", "subnet"},
};

// Members of a description that are condition keys of its type.
struct DescriptionKey {
  std::string_view type;
  std::string_view member;
  std::string_view key;
};

constexpr std::array kDescriptionKeys = {
    DescriptionKey{"image", "OwnerId", "ec2:owner"},
    DescriptionKey{"image", "ImageType", "ec2:imagetype"},
    DescriptionKey{"image", "Public", "ec2:public"},
    DescriptionKey{"image", "RootDeviceType", "ec2:rootdevicetype"},
    DescriptionKey{"snapshot", "OwnerId", "ec2:owner"},
    DescriptionKey{"snapshot", "VolumeSize", "ec2:volumesize"},
    DescriptionKey{"volume", "Size", "ec2:volumesize"},
    DescriptionKey{"volume", "VolumeType", "ec2:volumetype"},
    DescriptionKey{"volume", "Encrypted", "ec2:encrypted"},
    DescriptionKey{"volume", "AvailabilityZone", "ec2:availabilityzone"},
    DescriptionKey{"subnet", "VpcId", "ec2:vpcid"},
    DescriptionKey{"subnet", "SubnetId", "ec2:subnetid"},
    DescriptionKey{"subnet", "AvailabilityZone", "ec2:availabilityzone"},
    DescriptionKey{"security-group", "GroupId", "ec2:securitygroupid"},
    DescriptionKey{"vpc", "VpcId", "ec2:vpcid"},
    DescriptionKey{"key-pair", "KeyName", "ec2:keypairname"},
    DescriptionKey{"key-pair", "KeyType", "ec2:keypairtype"},
};

std::vector<std::string> ids_in(const Json& input, std::string_view member) {
  const Json* value = input.find(member);
  if (value == nullptr) {
    return {};
  }
  return value->string() == nullptr ? strings_of(input, member) : std::vector<std::string>{*value->string()};
}

void add_resource_tags(ConditionKeys& keys, const Tags& tags, std::string_view own_key) {
  for (const auto& [key, value] : tags) {
    keys["aws:resourcetag/" + to_lower(key)] = {value};
    keys[fmt::format("{}/{}", own_key, to_lower(key))] = {value};
  }
}

void add_request_tags(ConditionKeys& keys, const JsonArray& tags) {
  for (const Json& tag : tags) {
    keys["aws:requesttag/" + to_lower(tag.text("Key"))] = {tag.text("Value")};
    keys["aws:tagkeys"].push_back(tag.text("Key"));
  }
}

void add_description_keys(ConditionKeys& keys, std::string_view type, const Json& description) {
  for (const DescriptionKey& row : kDescriptionKeys) {
    const Json* value = row.type == type ? description.find(row.member) : nullptr;
    if (value != nullptr && !value->is_null()) {
      keys[std::string(row.key)] = {value->string() == nullptr ? value->dump() : *value->string()};
    }
  }
  // "amazon" or "aws-marketplace" where it is one of those.
  if (const std::string alias = description.text("ImageOwnerAlias"); type == "image" && !alias.empty()) {
    keys["ec2:owner"] = {alias};
  }
}

class Ec2Checks {
 public:
  Ec2Checks(Context& context, const std::string& operation, const Json& input)
      : context_(context), region_(context.region), operation_(operation), input_(input) {}

  std::vector<PolicyRequest> make() {
    if (operation_ == "RunInstances") {
      run_instances();
    } else if (operation_ == "CreateTags" || operation_ == "DeleteTags") {
      tagging();
    } else {
      from_table();
    }
    if (operation_ == "ModifyInstanceAttribute") {
      for (const std::string& id : ids_in(input_, "Groups")) {
        existing("security-group", id);
      }
    }
    if (operation_ == "CopyImage") {
      add(image_arn(input_.text("SourceRegion"), input_.text("SourceImageId")), {});
    }
    pass_role();
    tag_at_creation();
    if (checks_.empty()) {
      add("*", {});
    }
    return std::move(checks_);
  }

 private:
  void add(std::string arn, ConditionKeys keys, std::string action = "") {
    keys["ec2:region"] = {region_.name};
    checks_.push_back({action.empty() ? "ec2:" + operation_ : std::move(action), std::move(arn), std::move(keys)});
  }

  static std::string image_arn(std::string_view region, std::string_view id) {
    return fmt::format("arn:aws:ec2:{}::image/{}", region, id);
  }

  std::string arn(std::string_view type, std::string_view id) const {
    const bool without_account = type == "image" || type == "snapshot";
    return fmt::format("arn:aws:ec2:{}:{}:{}/{}", region_.name, without_account ? "" : kSimulatedAccount, type, id);
  }

  const Resource* find_resource(std::string_view type, const std::string& id) const {
    for (const auto& resources : region_.resources) {
      if (const auto found = resources.find(id); found != resources.end()) {
        return &found->second;
      }
    }
    // By name: key pairs and groups.
    const bool key = type == "key-pair";
    if (key || type == "security-group") {
      const ResourceKind kind = key ? ResourceKind::key_pair : ResourceKind::security_group;
      for (const auto& [other, resource] : region_.of(kind)) {
        if (resource.description.text(key ? "KeyName" : "GroupName") == id) {
          return &resource;
        }
      }
    }
    return nullptr;
  }

  void existing_instance(const std::string& id, ConditionKeys keys) {
    const auto found = region_.instances.find(id);
    if (found != region_.instances.end()) {
      const Instance& instance = found->second;
      add_resource_tags(keys, instance.tags, "ec2:resourcetag");
      keys["ec2:instancetype"] = {instance.type};
      keys["ec2:availabilityzone"] = {instance.zone};
      keys["ec2:tenancy"] = {"default"};
      keys["ec2:rootdevicetype"] = {"ebs"};
      keys["ec2:instanceid"] = {id};
      if (!instance.profile_arn.empty()) {
        keys["ec2:instanceprofile"] = {instance.profile_arn};
      }
    }
    add(arn("instance", id), std::move(keys));
  }

  void existing(std::string_view type, const std::string& id, ConditionKeys keys = {}) {
    const Resource* resource = type == "instance" && id.starts_with("i-") ? nullptr : find_resource(type, id);
    if (type == "instance") {
      // An association stands for its instance.
      existing_instance(resource == nullptr ? id : resource->description.text("InstanceId"), std::move(keys));
      return;
    }
    std::string shown = id;
    if (resource != nullptr) {
      add_resource_tags(keys, resource->tags, "ec2:resourcetag");
      add_description_keys(keys, type, resource->description);
      shown = type == "key-pair" ? resource->description.text("KeyName") : resource->id;
      if (const std::string vpc = resource->description.text("VpcId"); !vpc.empty()) {
        keys["ec2:vpc"] = {arn("vpc", vpc)};
      }
    }
    add(arn(type, shown), std::move(keys));
  }

  const JsonArray& request_tags(std::string_view type) const {
    static const JsonArray kNone;
    for (const Json& specification : input_.list("TagSpecifications")) {
      if (specification.text("ResourceType") == type) {
        return specification.list("Tags");
      }
    }
    return kNone;
  }

  void created(std::string_view type, ConditionKeys keys = {}) {
    add_request_tags(keys, request_tags(type));
    add(arn(type, type == "key-pair" ? input_.text("KeyName") : "*"), std::move(keys));
  }

  void from_table() {
    for (const Ec2Row& row : kEc2Table) {
      if (row.operation != operation_) {
        continue;
      }
      if (row.touch == Touch::created) {
        created(row.type);
      }
      for (const std::string& id : ids_in(input_, row.member)) {
        existing(row.type, id);
      }
      if (row.type == "vpc" && row.touch == Touch::existing && input_.find(row.member) == nullptr) {
        existing("vpc", default_id(ResourceKind::vpc, "IsDefault"));
      }
    }
  }

  std::string default_id(ResourceKind kind, std::string_view flag) const {
    for (const auto& [id, resource] : region_.of(kind)) {
      if (resource.description.boolean(flag, false)) {
        return id;
      }
    }
    return "*";
  }

  // What runs, and what the members of the call or of its first network interface name; else the defaults.
  void run_instances() {
    ConditionKeys common = {{"ec2:instancetype", {input_.text("InstanceType", "m1.small")}}};
    if (const Json* profile = input_.find("IamInstanceProfile")) {
      common["ec2:instanceprofile"] = {profile_arn(context_.world, profile->text("Arn", profile->text("Name")))};
    }
    existing("image", input_.text("ImageId"), common);
    created("instance", common);
    created("network-interface", common);
    created("volume", common);
    std::vector<std::string> subnets = ids_in(input_, "SubnetId");
    std::vector<std::string> groups = ids_in(input_, "SecurityGroupIds");
    for (const std::string& name : ids_in(input_, "SecurityGroups")) {
      groups.push_back(name);
    }
    for (const Json& interface : input_.list("NetworkInterfaces")) {
      for (const std::string& id : ids_in(interface, "SubnetId")) {
        subnets.push_back(id);
      }
      for (const std::string& id : strings_of(interface, "Groups")) {
        groups.push_back(id);
      }
    }
    if (subnets.empty()) {
      subnets.push_back(default_id(ResourceKind::subnet, "DefaultForAz"));
    }
    if (groups.empty()) {
      groups.emplace_back("default");
    }
    for (const std::string& id : subnets) {
      existing("subnet", id, common);
    }
    for (const std::string& id : groups) {
      existing("security-group", id, common);
    }
    if (!input_.text("KeyName").empty()) {
      existing("key-pair", input_.text("KeyName"), common);
    }
    for (const Json& mapping : input_.list("BlockDeviceMappings")) {
      const Json* ebs = mapping.find("Ebs");
      if (ebs != nullptr && !ebs->text("SnapshotId").empty()) {
        existing("snapshot", ebs->text("SnapshotId"), common);
      }
    }
  }

  void tagging() {
    for (const std::string& id : strings_of(input_, "Resources")) {
      ConditionKeys keys;
      add_request_tags(keys, input_.list("Tags"));
      const std::string type = resource_type_of(id);
      existing(type.empty() ? "*" : type, id, std::move(keys));
    }
  }

  void pass_role() {
    const Json* profile = input_.find("IamInstanceProfile");
    if (profile == nullptr) {
      return;
    }
    const std::string wanted = profile->text("Arn", profile->text("Name"));
    std::string role = "*";
    for (const auto& [name, known] : context_.world.iam.profiles) {
      const auto found = context_.world.iam.roles.find(known.role_name);
      if ((known.arn == wanted || name == wanted) && found != context_.world.iam.roles.end()) {
        role = found->second.arn;
      }
    }
    add(role, {{"iam:passedtoservice", {"ec2.amazonaws.com"}}}, "iam:PassRole");
  }

  // Tags given to a call that makes something need CreateTags, which can be tied to the call by ec2:CreateAction.
  void tag_at_creation() {
    for (const Json& specification : input_.list("TagSpecifications")) {
      if (specification.list("Tags").empty()) {
        continue;
      }
      const std::string type = specification.text("ResourceType");
      ConditionKeys keys = {{"ec2:createaction", {operation_}}};
      add_request_tags(keys, specification.list("Tags"));
      add(arn(type, type == "key-pair" ? input_.text("KeyName") : "*"), std::move(keys), "ec2:CreateTags");
    }
  }

  Context& context_;
  RegionState& region_;
  const std::string& operation_;
  const Json& input_;
  std::vector<PolicyRequest> checks_;
};

std::string parameter_arn(const RegionState& region, std::string name) {
  if (name.starts_with("arn:")) {
    return name;
  }
  const bool public_one = name.starts_with("/aws/");
  // Parameters have slashes in front where they are in a path, and ARNs do not double it.
  name = name.substr(name.starts_with('/') ? 1 : 0);
  name = name.substr(0, name.find(':'));
  return fmt::format("arn:aws:ssm:{}:{}:parameter/{}", region.name, public_one ? "" : kSimulatedAccount, name);
}

bool in_targets(const Instance& instance, const JsonArray& targets) {
  return std::ranges::all_of(targets, [&](const Json& target) {
    const std::string key = target.text("Key");
    const std::vector<std::string> values = strings_of(target, "Values");
    if (key == "InstanceIds") {
      return std::ranges::find(values, instance.id) != values.end();
    }
    const auto tag = instance.tags.find(key.starts_with("tag:") ? key.substr(4) : "");
    return tag != instance.tags.end() && std::ranges::find(values, tag->second) != values.end();
  });
}

std::vector<PolicyRequest> send_command(const Context& context, const Json& input) {
  const RegionState& region = context.region;
  const std::string action = "ssm:SendCommand";
  const std::string document = input.text("DocumentName");
  const bool arn = document.starts_with("arn:");
  const std::string owner = document.starts_with("AWS-") ? "" : std::string(kSimulatedAccount);
  std::vector<PolicyRequest> checks = {
      {action, arn ? document : fmt::format("arn:aws:ssm:{}:{}:document/{}", region.name, owner, document), {}}};
  std::vector<std::string> ids = strings_of(input, "InstanceIds");
  if (!input.list("Targets").empty()) {
    for (const auto& [id, instance] : region.instances) {
      if (in_targets(instance, input.list("Targets"))) {
        ids.push_back(id);
      }
    }
    if (ids.empty()) {
      ids.emplace_back("*");
    }
  }
  for (const std::string& id : ids) {
    ConditionKeys keys;
    const auto found = region.instances.find(id);
    if (found != region.instances.end()) {
      add_resource_tags(keys, found->second.tags, "ssm:resourcetag");
    }
    checks.push_back(
        {action, fmt::format("arn:aws:ec2:{}:{}:instance/{}", region.name, kSimulatedAccount, id), std::move(keys)});
  }
  return checks;
}

std::vector<PolicyRequest> ssm_permissions(const Context& context, const std::string& operation, const Json& input) {
  if (operation == "SendCommand") {
    return send_command(context, input);
  }
  const std::string action = "ssm:" + operation;
  std::vector<PolicyRequest> checks;
  if (operation.find("Parameter") != std::string::npos && operation != "DescribeParameters") {
    std::vector<std::string> names = ids_in(input, "Names");
    for (const std::string_view member : {"Name", "Path"}) {
      for (const std::string& name : ids_in(input, member)) {
        names.push_back(name);
      }
    }
    for (const std::string& name : names) {
      ConditionKeys keys;
      if (operation == "PutParameter") {
        add_request_tags(keys, input.list("Tags"));
      }
      checks.push_back({action, parameter_arn(context.region, name), std::move(keys)});
    }
  }
  if (checks.empty()) {
    checks.push_back({action, "*", {}});
  }
  return checks;
}

// Roles, users, profiles: the entity's own ARN where it exists, else what it would be.
template <typename Map>
PolicyRequest on_entity(const std::string& action, std::string_view kind, const Map& map, const std::string& name,
                        const Json& input) {
  PolicyRequest request{action, iam_arn(kind, input.text("Path", "/") + name), {}};
  if (const auto found = map.find(name); found != map.end()) {
    request.resource = found->second.arn;
    add_resource_tags(request.keys, found->second.tags, "iam:resourcetag");
  }
  return request;
}

PolicyRequest iam_resource(const Context& context, const std::string& action, const Json& input) {
  const IamState& iam = context.world.iam;
  if (input.find("InstanceProfileName") != nullptr) {
    return on_entity(action, "instance-profile", iam.profiles, input.text("InstanceProfileName"), input);
  }
  if (input.find("RoleName") != nullptr) {
    return on_entity(action, "role", iam.roles, input.text("RoleName"), input);
  }
  if (input.find("UserName") != nullptr) {
    return on_entity(action, "user", iam.users, input.text("UserName"), input);
  }
  const bool own_user = action == "iam:GetUser" || action.ends_with("AccessKey") || action == "iam:ListAccessKeys";
  if (own_user && context.caller != nullptr) {
    return {action, context.caller->entity_arn, {}};
  }
  if (action == "iam:CreatePolicy") {
    return {action, iam_arn("policy", input.text("Path", "/") + input.text("PolicyName")), {}};
  }
  const std::string source = input.text("PolicySourceArn", input.text("PolicyArn"));
  return {action, source.empty() ? "*" : source, {}};
}

std::vector<PolicyRequest> iam_permissions(const Context& context, const std::string& operation, const Json& input) {
  PolicyRequest request = iam_resource(context, "iam:" + operation, input);
  add_request_tags(request.keys, input.list("Tags"));
  for (const std::string& key : strings_of(input, "TagKeys")) {
    request.keys["aws:tagkeys"].push_back(key);
  }
  if (operation.starts_with("Attach") || operation.starts_with("Detach")) {
    request.keys["iam:policyarn"] = {input.text("PolicyArn")};
  }
  // What is made with tags needs the right to tag it.
  const bool tagged = !input.list("Tags").empty() && operation.starts_with("Create");
  std::vector<PolicyRequest> checks = {request};
  if (tagged) {
    request.action = "iam:Tag" + operation.substr(std::string_view("Create").size());
    checks.push_back(std::move(request));
  }
  if (operation == "AddRoleToInstanceProfile") {
    PolicyRequest pass = on_entity("iam:PassRole", "role", context.world.iam.roles, input.text("RoleName"), input);
    pass.keys["iam:passedtoservice"] = {"ec2.amazonaws.com"};
    checks.push_back(std::move(pass));
  }
  return checks;
}

std::vector<PolicyRequest> scheduler_permissions(const Context& context, const std::string& operation,
                                                 const Json& input) {
  const std::string action = "scheduler:" + operation;
  const auto arn = [&](std::string_view kind, const std::string& name) {
    return fmt::format("arn:aws:scheduler:{}:{}:{}/{}", context.region.name, kSimulatedAccount, kind, name);
  };
  std::string resource = "*";
  if (operation.ends_with("ScheduleGroup")) {
    resource = arn("schedule-group", input.text("Name"));
  } else if (operation.ends_with("Schedule")) {
    resource = arn("schedule", input.text("GroupName", "default") + "/" + input.text("Name"));
  }
  std::vector<PolicyRequest> checks = {{action, resource, {}}};
  add_request_tags(checks[0].keys, input.list("Tags"));
  const Json* role = input.at("Target", "RoleArn");
  if (role != nullptr && role->string() != nullptr) {
    checks.push_back({"iam:PassRole", *role->string(), {{"iam:passedtoservice", {"scheduler.amazonaws.com"}}}});
  }
  return checks;
}

std::vector<PolicyRequest> sts_permissions(const std::string& operation) {
  // AssumeRole asks the role's trust policy too, so it decides itself.
  if (operation == "GetCallerIdentity" || operation == "GetSessionToken" || operation == "AssumeRole") {
    return {};
  }
  return {{"sts:" + operation, "*", {}}};
}

}  // namespace

std::vector<PolicyRequest> required_permissions(Context& context, const Call& call, const Json& input) {
  if (call.service == "ec2") {
    return Ec2Checks(context, call.operation, input).make();
  }
  if (call.service == "ssm") {
    return ssm_permissions(context, call.operation, input);
  }
  if (call.service == "iam") {
    return iam_permissions(context, call.operation, input);
  }
  if (call.service == "scheduler") {
    return scheduler_permissions(context, call.operation, input);
  }
  if (call.service == "sts") {
    return sts_permissions(call.operation);
  }
  return {{call.service + ":" + call.operation, "*", {}}};
}

}  // namespace parallax::sim
