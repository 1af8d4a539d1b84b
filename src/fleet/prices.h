// What a machine costs, from the embedded price table (data/aws-prices.csv; each row names its source and date).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace parallax::fleet {

// US dollars an hour for Linux On-Demand, or nothing where the table does not know: unknown is never 0.
std::optional<double> hourly_price(std::string_view region, std::string_view instance_type);

// Seconds billed for one start: per second while running, 60 at least. (EC2 User Guide, instance lifecycle)
std::int64_t billed_seconds(Micros running);

// Dollars for one start, or nothing where the price is unknown.
std::optional<double> run_cost(std::string_view region, std::string_view instance_type, std::int64_t billed);

}  // namespace parallax::fleet
