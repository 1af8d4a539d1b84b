// Schedule expressions: at(), rate() and cron(), in UTC.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace parallax::sim {

// cron(minutes hours day-of-month month day-of-week year): *, ?, lists, ranges, steps, names, and L as day of the
// month.
struct CronFields {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;      // of the month, from 1
  std::bitset<13> months;    // from 1
  std::bitset<8> week_days;  // 1: Sunday
  std::bitset<256> years;    // from 1970
  bool last_day = false;     // L
  bool any_day = false;      // day of the month is ?
  bool any_week_day = false;
};

struct ScheduleExpression {
  enum class Kind { at, rate, cron };
  Kind kind = Kind::at;
  Instant at;
  Micros every{0};
  CronFields cron;
};

// Error: ValidationException.
Result<ScheduleExpression> parse_schedule_expression(std::string_view text);

// The first time at or after `from`; nullopt when there is none. A rate counts from `begin`.
std::optional<Instant> next_time(const ScheduleExpression& expression, Instant begin, Instant from);

}  // namespace parallax::sim
