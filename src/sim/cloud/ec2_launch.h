// What RunInstances wants, checked: the plan that ec2_run.cc carries out.
#pragma once

#include <string>
#include <vector>

#include "sim/cloud/ec2_parts.h"

namespace parallax::sim {

struct PlannedVolume {
  std::string device;
  VolumeSpec spec;  // without its zone
  bool delete_on_termination = true;
};

struct LaunchPlan {
  int count = 1;
  std::string image_id;
  std::string type;
  std::string architecture;
  std::string root_device;
  std::string zone;
  std::string subnet_id;
  std::string vpc_id;
  std::vector<std::string> group_ids;
  std::string private_ip;  // empty: any
  std::string interface_description;
  bool public_ip = false;
  std::string key_name;
  std::string profile_arn;
  std::string user_data;
  std::vector<PlannedVolume> volumes;
  Json options;  // members of the model's Instance
  std::map<std::string, Tags> tags;
  std::string failure;  // the launch will fail with this StateReason; empty: it will not
};

// Everything that EC2 checks before it answers, except room. Error: what is wrong.
Result<LaunchPlan> plan_launch(Context& context, const Json& input);

// The network's part of the plan: subnet, zone, groups, addresses.
Result<> plan_network(Context& context, const Json& input, LaunchPlan& plan);
// The volumes': the image's devices with what the request changes or adds.
Result<> plan_volumes(Context& context, const Json& input, const Json& image, LaunchPlan& plan);
// MetadataOptions with EC2's defaults, in the state that DescribeInstances shows.
Result<Json> metadata_options(const Json* wanted, const Json& present);
// User data: base64, at most 16 KB of it decoded.
Result<> check_user_data(const std::string& text);

}  // namespace parallax::sim
