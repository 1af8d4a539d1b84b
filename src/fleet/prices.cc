#include "fleet/prices.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace parallax::fleet {

extern const std::string_view aws_prices_csv;  // embedded

namespace {

using Table = std::map<std::pair<std::string, std::string>, double, std::less<>>;

// Columns: region,item,unit,usd,source,as_of. The table is ours and quotes no cell that we read.
Table read_table() {
  Table table;
  for (const std::string_view line : split(aws_prices_csv, '\n')) {
    const std::vector<std::string_view> cells = split(line, ',');
    if (cells.size() < 4 || cells[2] != "hour") {
      continue;
    }
    double usd = 0;
    const auto [end, status] = std::from_chars(cells[3].data(), cells[3].data() + cells[3].size(), usd);
    if (status == std::errc()) {
      table.emplace(std::pair(std::string(cells[0]), std::string(cells[1])), usd);
    }
  }
  return table;
}

}  // namespace

std::optional<double> hourly_price(std::string_view region, std::string_view instance_type) {
  static const Table kTable = read_table();
  const auto found = kTable.find(std::pair(std::string(region), std::string(instance_type)));
  return found == kTable.end() ? std::nullopt : std::optional(found->second);
}

std::int64_t billed_seconds(Micros running) {
  constexpr std::int64_t kMinimum = 60;
  const auto seconds = std::chrono::ceil<Seconds>(std::max(running, Micros(0))).count();
  return std::max<std::int64_t>(kMinimum, seconds);
}

std::optional<double> run_cost(std::string_view region, std::string_view instance_type, std::int64_t billed) {
  const std::optional<double> price = hourly_price(region, instance_type);
  return price ? std::optional(*price * static_cast<double>(billed) / 3600.0) : std::nullopt;
}

}  // namespace parallax::fleet
