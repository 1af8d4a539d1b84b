// Instance profiles at instances.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"
#include "sim/cloud/ec2_parts.h"
#include "sim/cloud/identity.h"
#include "sim/cloud/lifecycle.h"

namespace parallax::sim {

namespace {

constexpr Micros kAssociating = Seconds(4);

const DescribeSpec& associations_spec() {
  static const DescribeSpec kSpec = {"DescribeIamInstanceProfileAssociations",
                                     "IamInstanceProfileAssociations",
                                     {{"instance-id", "InstanceId"}, {"state", "State"}}};
  return kSpec;
}

Resource* association_of(RegionState& region, const std::string& instance_id) {
  for (auto& [id, association] : region.of(ResourceKind::profile_association)) {
    if (association.description.text("InstanceId") == instance_id) {
      return &association;
    }
  }
  return nullptr;
}

Json shown(const Resource& association, std::string_view state) {
  Json json = association.description;
  json.set("State", state);
  return json;
}

Result<> check_alive(const Instance& instance) {
  const InstanceState state = instance.status.state;
  if (state != InstanceState::running && state != InstanceState::stopped) {
    return client_error("IncorrectInstanceState",
                        fmt::format("The instance '{}' is not in the 'running' or 'stopped' states.", instance.id));
  }
  return {};
}

Result<Json> associate(Context& context, const Json& input) {
  Instance& instance = *TRY(find_instance(context, input.text("InstanceId")));
  TRY(check_alive(instance));
  const Json* specification = input.find("IamInstanceProfile");
  const std::string arn = TRY(profile_of(context, specification == nullptr ? Json::object() : *specification));
  if (association_of(context.region, instance.id) != nullptr) {
    return client_error("IncorrectState", fmt::format("There is an existing association for instance {}", instance.id));
  }
  TRY(end_of_dry_run(context));
  Resource& association = add_profile_association(context.world, context.region, instance, arn);
  association.description.set("State", "associating");
  later(context.world, context.region, ResourceKind::profile_association, association.id,
        context.world.mono + context.world.scaled(kAssociating),
        [](World&, RegionState&, Resource& done) { done.description.set("State", "associated"); });
  agent_tries_again(context.world, context.region, instance);
  return Json::object({{"IamInstanceProfileAssociation", association.description}});
}

Result<Resource*> find_association(Context& context, const std::string& id) {
  if (!id.starts_with("iip-assoc-")) {
    return client_error("InvalidAssociationID.NotFound",
                        fmt::format("An invalid association-id of '{}' was given", id));
  }
  return find_resource(context, ResourceKind::profile_association, id);
}

Result<Json> disassociate(Context& context, const Json& input) {
  Resource& association = *TRY(find_association(context, input.text("AssociationId")));
  TRY(end_of_dry_run(context));
  Json answer = Json::object({{"IamInstanceProfileAssociation", shown(association, "disassociating")}});
  const auto instance = context.region.instances.find(association.description.text("InstanceId"));
  if (instance != context.region.instances.end()) {
    end_profile_association(context.region, instance->second);
  }
  return answer;
}

Result<Json> replace(Context& context, const Json& input) {
  Resource& association = *TRY(find_association(context, input.text("AssociationId")));
  const Json* specification = input.find("IamInstanceProfile");
  const std::string arn = TRY(profile_of(context, specification == nullptr ? Json::object() : *specification));
  Instance& instance = context.region.instances.at(association.description.text("InstanceId"));
  TRY(check_alive(instance));
  TRY(end_of_dry_run(context));
  end_profile_association(context.region, instance);
  const Resource& fresh = add_profile_association(context.world, context.region, instance, arn);
  return Json::object({{"IamInstanceProfileAssociation", shown(fresh, "associating")}});
}

Result<Json> describe(Context& context, const Json& input) {
  std::vector<Json> rendered;
  const std::vector<std::string> ids = strings_of(input, "AssociationIds");
  rendered.reserve(ids.size());
  for (const std::string& id : ids) {
    rendered.push_back(TRY(find_association(context, id))->description);
  }
  if (ids.empty()) {
    rendered = TRY(choose_resources(context, ResourceKind::profile_association, {}));
    for (Json& json : rendered) {
      json.members()->erase("Tags");
    }
  }
  return finish_describe(associations_spec(), std::move(rendered), input);
}

}  // namespace

Resource& add_profile_association(World& world, RegionState& region, Instance& instance, const std::string& arn) {
  instance.profile_arn = arn;
  Resource& association = add_resource(
      world, region, ResourceKind::profile_association,
      Json::object({{"InstanceId", instance.id},
                    {"IamInstanceProfile", Json::object({{"Arn", arn}, {"Id", id_of_profile(world, arn)}})},
                    {"State", "associated"},
                    {"Timestamp", epoch_seconds(world.now)}}),
      {});
  association.visible_at = world.mono;
  return association;
}

void end_profile_association(RegionState& region, Instance& instance) {
  if (Resource* association = association_of(region, instance.id)) {
    region.of(ResourceKind::profile_association).erase(std::string(association->id));
  }
  instance.profile_arn.clear();
}

std::string id_of_profile(const World& world, const std::string& arn) {
  return profile_id(world, arn);
}

Result<std::string> profile_of(Context& context, const Json& specification) {
  const std::string name = specification.text("Name");
  const std::string arn = specification.text("Arn");
  if (name.empty() && arn.empty()) {
    return missing_parameter("iamInstanceProfile");
  }
  if (!name.empty() && !arn.empty()) {
    return bad_combination(
        "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'");
  }
  const std::string& given = name.empty() ? arn : name;
  TRY(profile_usable(context.world, context.region, given));
  return profile_arn(context.world, given);
}

std::vector<OperationEntry> ec2_profile_operations() {
  return {{"AssociateIamInstanceProfile", associate, DryRun::after_checks},
          {"DisassociateIamInstanceProfile", disassociate, DryRun::after_checks},
          {"ReplaceIamInstanceProfileAssociation", replace, DryRun::after_checks},
          {"DescribeIamInstanceProfileAssociations", describe}};
}

}  // namespace parallax::sim
