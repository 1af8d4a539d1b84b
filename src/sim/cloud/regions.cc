#include "sim/cloud/regions.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

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

std::string unknown_region(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RegionInfo& info : all_regions()) {
    names.push_back(info.name);
  }
  const std::string_view near = suggest(name, names);
  return fmt::format("unknown region '{}'{}", terminal_safe(name, 60),
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

Micros estimated_round_trip(const RegionInfo& from, const RegionInfo& to) {
  constexpr double kEarthRadiusKm = 6371;
  constexpr double kKmPerMs = 204;
  constexpr double kDetour = 1.25;
  constexpr double kWithinRegionMs = 2;
  const auto radians = [](double degrees) { return degrees * std::numbers::pi / 180; };
  const double north = std::sin(radians(to.latitude - from.latitude) / 2);
  const double east = std::sin(radians(to.longitude - from.longitude) / 2);
  const double half_chord =
      north * north + std::cos(radians(from.latitude)) * std::cos(radians(to.latitude)) * east * east;
  const double km = 2 * kEarthRadiusKm * std::asin(std::min(1.0, std::sqrt(half_chord)));
  return Micros(std::llround((2 * km * kDetour / kKmPerMs + kWithinRegionMs) * 1000));
}

}  // namespace parallax::sim
