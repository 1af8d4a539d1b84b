// The tables of the page, each from its records.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "collector/html.h"
#include "record/measurement.h"
#include "record/run.h"
#include "store/store.h"

namespace parallax::collector {

// Services by vantages: median total, median first byte, verdicts; tinted by how a vantage compares within its row.
Html summary_table(const store::Summary& summary);
// The latest runs with their steps, seconds, dollars and last lines of output.
Html runs_table(const std::vector<Run>& runs);
// The latest measurements that were no success, newest first.
Html failures_table(const std::vector<Measurement>& failures);

// <time datetime=...>2026-11-22 10:00:00 UTC</time>
Html time_of(Instant instant);
// "12,345"
std::string with_commas(std::int64_t number);
// 0 (the fastest of its row) to 5: on a logarithmic scale between the fastest and the slowest, which must differ by a
// tenth to show at all.
int heat(std::int64_t value, std::int64_t fastest, std::int64_t slowest);

}  // namespace parallax::collector
