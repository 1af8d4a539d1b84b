// Which service in which region a call goes to.
#pragma once

#include <string>

namespace parallax::aws {

struct CallTarget {
  std::string service;  // "ec2", "ssm", "iam", "sts"
  std::string region;   // IAM: any region of the partition
};

}  // namespace parallax::aws
