// When rounds are due, from [schedule]: a pure function, so that table, crontab and systemd units say the same.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cli/config.h"

namespace parallax::cli {

// Times of day (minutes after midnight UTC, in their order) and the days of the month on which they hold.
struct RoundTimes {
  std::string region;     // the one vantage that runs; empty: all
  std::vector<int> days;  // 1 to 31; empty: every day
  std::vector<int> minutes;
};

// paired: all vantages, `rounds_per_day` times, an hour later each day of the month until the gap between two rounds is
// covered, so that every hour of the day is seen. rotate: each region `rounds_per_day` times a day, evenly one after
// another; with the reference's six regions and four rounds its own timetable, one run an hour at minute 30.
// Error: invalid (more rounds than the times can hold).
Result<std::vector<RoundTimes>> round_times(const Config::Schedule& schedule, const std::vector<std::string>& regions);

struct DueRound {
  Instant at;
  std::string region;  // empty: all
};

// Those from midnight of the day of `from`, for so many days, in the order of time.
std::vector<DueRound> due_rounds(const std::vector<RoundTimes>& times, Instant from, int days);

// `command` runs a round of all vantages; " --all" or " --region NAME" is appended.
std::string to_crontab(const std::vector<RoundTimes>& times, const std::string& command);
std::string to_systemd(const std::vector<RoundTimes>& times, const std::string& command);

}  // namespace parallax::cli
