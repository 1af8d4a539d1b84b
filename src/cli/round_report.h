// What is shown at the end of a round: service x vantage, and what it cost.
#pragma once

#include <string>
#include <vector>

#include "fleet/run.h"
#include "store/store.h"

namespace parallax::cli {

// Two lines per series: median total / median first byte in milliseconds, and the verdicts. Vantages in the order
// given.
std::string summary_table(const store::Summary& summary, const std::vector<std::string>& vantages);

// Per region: billed seconds and dollars, "unknown" where the price is not known, and the totals.
std::string cost_table(const fleet::RoundOutcome& outcome);

}  // namespace parallax::cli
