#include "sim/cloud/regions.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/text.h"

namespace parallax::sim {

extern const std::string_view kRegionTableCsv;

namespace {

double parse_degrees(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  CHECK(error == std::errc(), text);
  return value;
}

std::vector<RegionInfo> read_table() {
  std::vector<RegionInfo> regions;
  for (const std::string_view line : split(kRegionTableCsv, '\n')) {
    const std::vector<std::string_view> cells = split(trim(line), ',');
    if (cells.size() < 7 || cells[0] == "region") {
      continue;
    }
    regions.push_back(RegionInfo{std::string(cells[0]), std::string(cells[1]), std::string(cells[2]),
                                 parse_degrees(cells[3]), parse_degrees(cells[4]), cells[5] == "yes"});
  }
  std::ranges::sort(regions, {}, &RegionInfo::name);
  return regions;
}

}  // namespace

const std::vector<RegionInfo>& all_regions() {
  static const std::vector<RegionInfo> kRegions = read_table();
  return kRegions;
}

const RegionInfo* find_region(std::string_view name) {
  const auto& regions = all_regions();
  const auto found = std::ranges::find(regions, name, &RegionInfo::name);
  return found == regions.end() ? nullptr : &*found;
}

}  // namespace parallax::sim
