// What the fleet's resources cost, from the embedded price table. Unknown is never 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fleet/spec.h"

namespace parallax::fleet {

// US dollars for one unit of an item of data/aws-prices.csv ("ebs-gp3", "ebs-snapshot", "public-ipv4", ...): the
// region's own row, else the row "*" where the region is of the partition aws.
std::optional<double> unit_price(std::string_view region, std::string_view item);

inline constexpr double kHoursPerMonth = 730;

std::optional<double> volume_month(std::string_view region, std::string_view type, std::int64_t gib);
std::optional<double> snapshot_month(std::string_view region, std::int64_t gib);
std::optional<double> address_month(std::string_view region);
// Machine and public address while it runs, `runs_per_day` of `billed` seconds each.
std::optional<double> running_month(std::string_view region, std::string_view instance_type, double runs_per_day,
                                    std::int64_t billed);

// "$1.23", or "unknown".
std::string money(const std::optional<double>& usd);

}  // namespace parallax::fleet
