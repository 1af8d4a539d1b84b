#include "fleet/costs.h"

#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "fleet/prices.h"
#include "fleet/regions.h"

namespace parallax::fleet {

extern const std::string_view aws_prices_csv;  // embedded

namespace {

constexpr double kDaysPerMonth = kHoursPerMonth / 24;
constexpr double kSecondsPerHour = 3600;

using Table = std::map<std::string, std::map<std::string, double, std::less<>>, std::less<>>;  // region, item

// Columns: region,item,unit,usd,source,as_of. The table is ours and quotes no cell that we read.
Table read_table() {
  Table table;
  for (const std::string_view line : split(aws_prices_csv, '\n')) {
    const std::vector<std::string_view> cells = split(line, ',');
    if (cells.size() < 4) {
      continue;
    }
    double usd = 0;
    const auto [end, status] = std::from_chars(cells[3].data(), cells[3].data() + cells[3].size(), usd);
    if (status == std::errc()) {
      table[std::string(cells[0])].emplace(std::string(cells[1]), usd);
    }
  }
  return table;
}

std::optional<double> row(std::string_view region, std::string_view item) {
  static const Table kTable = read_table();
  const auto items = kTable.find(region);
  if (items == kTable.end()) {
    return std::nullopt;
  }
  const auto found = items->second.find(item);
  return found == items->second.end() ? std::nullopt : std::optional(found->second);
}

std::optional<double> times(const std::optional<double>& price, double units) {
  return price ? std::optional(*price * units) : std::nullopt;
}

}  // namespace

std::optional<double> unit_price(std::string_view region, std::string_view item) {
  if (const std::optional<double> own = row(region, item)) {
    return own;
  }
  // A region that is newer than the table may be of any partition.
  const RegionInfo* info = find_region(region);
  return info != nullptr && info->partition == "aws" ? row("*", item) : std::nullopt;
}

std::optional<double> volume_month(std::string_view region, std::string_view type, std::int64_t gib) {
  return times(unit_price(region, fmt::format("ebs-{}", type)), static_cast<double>(gib));
}

std::optional<double> snapshot_month(std::string_view region, std::int64_t gib) {
  return times(unit_price(region, "ebs-snapshot"), static_cast<double>(gib));
}

std::optional<double> address_month(std::string_view region) {
  return times(unit_price(region, "public-ipv4"), kHoursPerMonth);
}

std::optional<double> running_month(std::string_view region, std::string_view instance_type, double runs_per_day,
                                    std::int64_t billed) {
  const std::optional<double> machine = hourly_price(region, instance_type);
  const std::optional<double> address = unit_price(region, "public-ipv4");
  if (!machine || !address) {
    return std::nullopt;
  }
  const double hours = runs_per_day * kDaysPerMonth * static_cast<double>(billed) / kSecondsPerHour;
  return (*machine + *address) * hours;
}

std::string money(const std::optional<double>& usd) {
  if (!usd) {
    return "unknown";
  }
  // What rounds to nothing is no "-$0.00".
  const double amount = *usd > -0.005 && *usd < 0.005 ? 0 : *usd;
  return amount < 0 ? fmt::format("-${:.2f}", -amount) : fmt::format("${:.2f}", amount);
}

}  // namespace parallax::fleet
