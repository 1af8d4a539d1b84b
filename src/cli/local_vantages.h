// Vantages of one's own ([[local]] in the configuration): no cloud tells of them, so the collector is asked what it
// last heard from each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/config.h"
#include "cli/world.h"
#include "codec/json.h"

namespace parallax::cli {

// A vantage that has been silent for so many of its intervals is a problem.
inline constexpr int kLocalSilentIntervals = 3;

// What the collector knows of one local vantage. The counts are of its latest run: the one with the latest measurement
// among those that arrived last.
struct LocalStatus {
  std::string name;
  Micros interval{0};
  std::optional<Instant> last_at;  // when its latest measurement began, by the vantage's own clock; absent: none known
  std::string run_id;              // of that measurement
  std::string build;               // of the program that made it
  std::int64_t measurements = 0, successes = 0;
  std::map<std::string, std::int64_t> verdicts;
  bool partial = false;  // the run has more measurements than were counted
  std::string problem;   // a sentence; empty: it reports as it should
};

// One entry for each of the configuration's local vantages, in its order; none without [[local]] and then nothing is
// asked. Whatever goes wrong is a `problem`: no collector in the configuration, no key, no answer, a vantage that never
// reported or has been silent for kLocalSilentIntervals intervals. Needs [collector] url and key.
std::vector<LocalStatus> look_at_local_vantages(World& world, const Config& config);

// {"vantage", "local": true, "interval_s", "last_at", "run_id", "build", "measurements", "successes", "verdicts",
// "partial", "problem"}; what is not known is null.
Json to_json(const LocalStatus& status);

// "2 h 13 min ago, 118 of 120 good (2 timeout)", or "never": one cell of a table.
std::string describe(const LocalStatus& status, Instant now);

}  // namespace parallax::cli
