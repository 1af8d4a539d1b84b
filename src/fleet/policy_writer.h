// The statements of a fleet's policies. Internal to policy*.cc.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/policy.h"

namespace parallax::fleet::policy {

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

// Writes the statements of one fleet. Keeps references to what it is made of.
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
    return {"GiveRoleToSchedules",
            {"iam:PassRole"},
            {role(scheduler_role(spec_.fleet))},
            {passed_to("scheduler.amazonaws.com")}};
  }

  Statement make() const;
  Statement keep() const;
  Statements find_stock_image() const;
  Statements setup_image() const;
  Statements setup_machines() const;
  Statements setup_roles() const;

  const Spec& spec_;
  const std::string& account_;
  const std::string& partition_;
};

}  // namespace parallax::fleet::policy
