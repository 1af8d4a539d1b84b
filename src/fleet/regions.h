// The regions that we know of, from the embedded table (data/aws-regions.csv).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace parallax::fleet {

struct RegionInfo {
  std::string id, partition, name;
  double latitude = 0, longitude = 0;  // degrees, approximate
  bool opt_in_required = false;
};

const std::vector<RegionInfo>& known_regions();
const RegionInfo* find_region(std::string_view id);

// A region of the table, or one that is newer than this build: it has the form of a region id and is no slip of the
// hand for one that we know. Error: invalid, with a suggestion where there is one.
Result<> check_region(std::string_view id);

}  // namespace parallax::fleet
