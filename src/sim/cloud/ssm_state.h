// Parameter Store's data. Included by state.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace parallax::sim {

struct ParameterVersion {
  std::int64_t version = 1;
  std::string value;
  std::string description;
  Instant modified;
  std::string modified_by;  // ARN
};

struct Parameter {
  std::string name;
  std::string type;  // String, StringList, SecureString
  std::string tier = "Standard";
  std::string data_type = "text";
  std::string key_id;  // of a SecureString
  std::map<std::string, std::string> tags;
  std::vector<ParameterVersion> versions;  // oldest first, never empty
};

}  // namespace parallax::sim
