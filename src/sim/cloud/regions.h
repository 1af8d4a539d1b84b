// The regions of AWS as a table (data/aws-regions.csv): what exists, in which partition, whether it must be opted in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parallax::sim {

struct RegionInfo {
  std::string name;       // "eu-west-3"
  std::string partition;  // "aws"
  std::string city;
  double latitude = 0;
  double longitude = 0;
  bool opt_in_required = false;
};

// Sorted by name.
const std::vector<RegionInfo>& all_regions();

// nullptr for a name that is not in the table.
const RegionInfo* find_region(std::string_view name);

}  // namespace parallax::sim
