// The regions of AWS as a table (data/aws-regions.csv): what exists, in which partition, whether it must be opted in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

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

// "unknown region 'us-esat-1'; did you mean 'us-east-1'?"
std::string unknown_region(std::string_view name);

// How long a packet takes from one region to the other and back: the great circle, light in glass (about 204,000 km/s)
// and a quarter more for cables that do not run straight. The region itself: 2 ms.
Micros estimated_round_trip(const RegionInfo& from, const RegionInfo& to);

}  // namespace parallax::sim
