#include "tests/scenario/by_hand.h"

#include "codec/base64.h"
#include "fleet/lease.h"
#include "fleet/spec.h"

namespace parallax::scenario {

namespace {

Json filtered(const std::string& name, const std::string& value) {
  return Json::object({{"Filters", Json::array({Json::object({{"Name", name}, {"Values", Json::array({value})}})})}});
}

Json tag(const std::string& id, const std::string& key, const std::string& value) {
  return Json::object(
      {{"Resources", Json::array({id})}, {"Tags", Json::array({Json::object({{"Key", key}, {"Value", value}})})}});
}

Json rule_of(const std::string& group) {
  return Json::object(
      {{"GroupId", group}, {"IpProtocol", "tcp"}, {"FromPort", 22}, {"ToPort", 22}, {"CidrIp", "0.0.0.0/0"}});
}

// The region's hands on one machine of ours.
class Hands {
 public:
  Hands(FleetWorld& fleet, const std::string& region) : fleet_(fleet), region_(region) {
    for (const sim::InstanceView& view : fleet.fleet_instances()) {
      if (view.region == region && (view.state == "stopped" || view.state == "running")) {
        machine_ = view;
      }
    }
  }

  void change(Drift drift) {
    if (drift == Drift::rule_added || drift == Drift::rule_revoked) {
      change_group(drift);
    } else if (drift == Drift::key_deleted && fleet_.spec().key) {
      attempt("DeleteKeyPair", Json::object({{"KeyName", "NAVO"}}));
    } else if (drift == Drift::image_deregistered && region_ != fleet_.regions()[0] &&
               fleet_.spec().image.kind == fleet::ImageSpec::Kind::copy) {
      const Json images = fleet_.by_hand(region_, "DescribeImages", filtered("name", "NAVO"));
      if (!images.list("Images").empty()) {
        attempt("DeregisterImage", Json::object({{"ImageId", images.list("Images").at(0).text("ImageId")}}));
      }
    } else if (!machine_.instance_id.empty()) {
      change_machine(drift);
    }
  }

 private:
  void attempt(const std::string& operation, const Json& input) {
    ignore(fleet_.try_by_hand(region_, operation, input), "there may be nothing to do it to");
  }

  void change_group(Drift drift) {
    const Json groups = fleet_.by_hand(region_, "DescribeSecurityGroups", filtered("group-name", "NAVO"));
    const bool original = region_ == fleet_.regions()[0] && !fleet_.spec().group.like_home.empty();
    if (groups.list("SecurityGroups").empty() || original) {
      return;
    }
    const std::string group = groups.list("SecurityGroups").at(0).text("GroupId");
    if (drift == Drift::rule_added) {
      attempt("AuthorizeSecurityGroupIngress", rule_of(group));
      return;
    }
    const Json rules = fleet_.by_hand(region_, "DescribeSecurityGroupRules", filtered("group-id", group));
    for (const Json& rule : rules.list("SecurityGroupRules")) {
      if (!rule.boolean("IsEgress", false)) {
        attempt("RevokeSecurityGroupIngress",
                Json::object(
                    {{"GroupId", group}, {"SecurityGroupRuleIds", Json::array({rule.text("SecurityGroupRuleId")})}}));
      }
    }
  }

  void change_machine(Drift drift) {
    const std::string& id = machine_.instance_id;
    const Json ids = Json::object({{"InstanceIds", Json::array({id})}});
    switch (drift) {
      case Drift::metadata_v1:
        return attempt("ModifyInstanceMetadataOptions", Json::object({{"InstanceId", id}, {"HttpTokens", "optional"}}));
      case Drift::slot_tag_removed:
        return attempt("DeleteTags", Json::object({{"Resources", Json::array({id})},
                                                   {"Tags", Json::array({Json::object({{"Key", fleet::kSlotTag}})})}}));
      case Drift::name_tag_changed:
        return attempt("CreateTags", tag(id, "Name", "renamed"));
      case Drift::boot_timer_old:
        if (machine_.state == "stopped") {
          const std::string old = base64_encode("#cloud-boothook\n#!/bin/sh\nshutdown -P +15\n");
          attempt("ModifyInstanceAttribute",
                  Json::object({{"InstanceId", id}, {"UserData", Json::object({{"Value", old}})}}));
          attempt("CreateTags", tag(id, fleet::kBootTimerTag, "15m-00000000"));
        }
        return;
      case Drift::profile_removed:
        return remove_profile(id);
      case Drift::machine_terminated:
        fleet_.invariants().expect_end_of(id);
        fleet_.resources().forgive_rule_of(id);
        return attempt("TerminateInstances", ids);
      case Drift::machine_started:
        return attempt("StartInstances", ids);
      case Drift::machine_disowned:
        if (machine_.state == "stopped") {
          fleet_.disown(machine_);
        }
        return;
      default:
        return;
    }
  }

  void remove_profile(const std::string& id) {
    const Json found = fleet_.by_hand(region_, "DescribeIamInstanceProfileAssociations", filtered("instance-id", id));
    for (const Json& association : found.list("IamInstanceProfileAssociations")) {
      attempt("DisassociateIamInstanceProfile", Json::object({{"AssociationId", association.text("AssociationId")}}));
    }
  }

  FleetWorld& fleet_;
  const std::string region_;
  sim::InstanceView machine_;
};

}  // namespace

void drift_by_hand(FleetWorld& fleet, const std::string& region, Drift drift) {
  fleet.note_hands();
  Hands(fleet, region).change(drift);
}

void withdraw_by_hand(FleetWorld& fleet, const std::vector<std::string>& actions) {
  if (actions.empty()) {
    ignore(fleet.try_by_hand("us-east-1", "DeleteUserPolicy",
                             Json::object({{"UserName", "limited"}, {"PolicyName", "withdrawn"}}), "iam"),
           "it may be given back already");
    return;
  }
  JsonArray list;
  for (const std::string& action : actions) {
    list.emplace_back(action);
  }
  const Json statement = Json::object({{"Effect", "Deny"}, {"Action", Json(std::move(list))}, {"Resource", "*"}});
  const Json policy = Json::object({{"Version", "2012-10-17"}, {"Statement", Json::array({statement})}});
  fleet.by_hand("us-east-1", "PutUserPolicy",
                Json::object({{"UserName", "limited"}, {"PolicyName", "withdrawn"}, {"PolicyDocument", policy.dump()}}),
                "iam");
}

}  // namespace parallax::scenario
