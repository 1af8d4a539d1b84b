#include "fleet/region_list.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <tuple>
#include <utility>

#include "fleet/lease.h"
#include "fleet/prices.h"
#include "fleet/resource_api.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

constexpr double kEarthRadiusKm = 6371;

double radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}

RegionRow make_row(const std::string& id, const std::string& opt_in, const Spec& spec) {
  RegionRow row;
  row.id = id;
  row.opt_in = opt_in;
  row.home = spec.is_home(id);
  row.in_fleet = std::find(spec.regions.begin(), spec.regions.end(), id) != spec.regions.end();
  const RegionInfo* info = find_region(id);
  const RegionInfo* home = find_region(spec.home);
  if (info != nullptr) {
    row.name = info->name;
  }
  if (info != nullptr && home != nullptr) {
    row.distance_km = distance_km(*info, *home);
  }
  for (const std::string& type : spec.instance_types) {
    row.usd_per_hour = hourly_price(id, type);
    if (row.usd_per_hour) {
      row.priced_type = type;
      break;
    }
  }
  return row;
}

// A resource has several tags, but one of this key.
Result<std::map<std::string, int>> count_resources(ResourceApi& api, const std::string& fleet) {
  std::map<std::string, int> counts;
  for (const TagSeen& tag : TRY(api.tags({{"key", {kFleetTag}}, {"value", {fleet}}}))) {
    ++counts[tag.type];
  }
  return counts;
}

void sort_rows(std::vector<RegionRow>& rows) {
  const auto key = [](const RegionRow& row) {
    return std::tuple(!row.enabled(), row.distance_km.value_or(std::numeric_limits<double>::max()),
                      std::string_view(row.id));
  };
  std::sort(rows.begin(), rows.end(), [&](const RegionRow& a, const RegionRow& b) { return key(a) < key(b); });
}

}  // namespace

double distance_km(const RegionInfo& a, const RegionInfo& b) {
  const double latitude_a = radians(a.latitude);
  const double latitude_b = radians(b.latitude);
  const double half_latitude = std::sin((latitude_b - latitude_a) / 2);
  const double half_longitude = std::sin(radians(b.longitude - a.longitude) / 2);
  // The haversine form keeps its digits at small distances; rounding may lead it beyond 1 at antipodes.
  const double chord =
      half_latitude * half_latitude + std::cos(latitude_a) * std::cos(latitude_b) * half_longitude * half_longitude;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::min(1.0, chord)));
}

RegionList list_regions(const FleetDeps& deps, const Spec& spec, Micros timeout, std::stop_token stop,
                        const TroubleObserver& trouble) {
  RegionList list;
  const Monotonic deadline = deps.clock.monotonic() + timeout;
  ResourceApi home(deps, spec.home, deadline, stop, trouble);
  const Result<Json> answer = home.call("ec2", "DescribeRegions", Json::object({{"AllRegions", true}}));
  if (!answer) {
    list.problem = answer.error();
    return list;
  }
  list.partition = aws::partition_of(spec.home).id;
  for (const Json& region : answer->list("Regions")) {
    list.rows.push_back(make_row(region.text("RegionName"), region.text("OptInStatus"), spec));
  }
  for_each_task(deps.executor, "regions", list.rows.size(), [&](std::size_t i) {
    RegionRow& row = list.rows[i];
    if (!row.enabled()) {
      return;
    }
    ResourceApi api(deps, row.id, deadline, stop, trouble);
    Result<std::map<std::string, int>> counts = count_resources(api, spec.fleet);
    if (counts) {
      row.resources = std::move(counts).value();
    } else {
      row.problem = counts.error().text();
    }
  });
  sort_rows(list.rows);
  return list;
}

}  // namespace parallax::fleet
