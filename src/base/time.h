// The two kinds of time: instants (UTC, microseconds) and monotonic time for durations and deadlines.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// A moment in UTC. Never used to measure a duration of ours.
using Instant = std::chrono::sys_time<Micros>;

// A tag type: the time since boot, suspended time included (CLOCK_BOOTTIME), or virtual time in simulation.
struct MonotonicTimeline {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Micros;
  using time_point = std::chrono::time_point<MonotonicTimeline>;
  static constexpr bool is_steady = true;
};

using Monotonic = MonotonicTimeline::time_point;

// "2026-11-22T10:00:00.123456Z": always six digits and Z.
std::string to_iso8601(Instant instant);

// "2026-11-22T10:00:00Z": whole seconds, rounded down.
std::string to_iso8601_seconds(Instant instant);

// Reads ISO 8601 in UTC: "T" or a blank between date and time, 0 to 9 digits of a second's fraction (cut to 6), "Z",
// "+00:00" or nothing at the end. Error: invalid.
Result<Instant> parse_iso8601(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), the form HTTP's Date and Retry-After use. Error: invalid.
Result<Instant> parse_http_date(std::string_view text);
std::string to_http_date(Instant instant);

// Reads "250ms", "30s", "20m", "1h30m", "2d"; a bare number is refused. Zero is allowed, negative is not.
// Error: invalid, with the text and the accepted units.
Result<Micros> parse_duration(std::string_view text);

// For people: "850 ms", "12.3 s", "4 min 05 s".
std::string to_human(Micros duration);

inline std::int64_t count_seconds(Micros duration) {
  return std::chrono::duration_cast<Seconds>(duration).count();
}

}  // namespace parallax
