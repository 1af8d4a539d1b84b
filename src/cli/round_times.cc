#include "cli/round_times.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace parallax::cli {

namespace {

constexpr int kDayMinutes = 24 * 60;
constexpr int kHourMinutes = 60;
constexpr int kMinute = 30;  // of the first round, as the reference has it
constexpr int kRoundsMax = 24;
constexpr int kDaysOfMonth = 31;

std::string joined(const std::vector<int>& numbers, int width = 0) {
  std::string text;
  for (const int number : numbers) {
    text += fmt::format("{}{:0{}}", text.empty() ? "" : ",", number, width);
  }
  return text;
}

// Crontab and OnCalendar take several hours only with one minute.
std::map<int, std::vector<int>> hours_by_minute(const RoundTimes& times) {
  std::map<int, std::vector<int>> hours;
  for (const int minute : times.minutes) {
    hours[minute % kHourMinutes].push_back(minute / kHourMinutes);
  }
  return hours;
}

std::vector<RoundTimes> paired(int rounds) {
  const int shifts = (24 + rounds - 1) / rounds;  // whole hours between two rounds
  std::vector<RoundTimes> all(static_cast<std::size_t>(shifts));
  for (int shift = 0; shift < shifts; ++shift) {
    RoundTimes& times = all[static_cast<std::size_t>(shift)];
    for (int day = 1 + shift; shifts > 1 && day <= kDaysOfMonth; day += shifts) {
      times.days.push_back(day);
    }
    for (int round = 0; round < rounds; ++round) {
      times.minutes.push_back((24 * round / rounds + shift) % 24 * kHourMinutes + kMinute);
    }
    std::sort(times.minutes.begin(), times.minutes.end());
    times.minutes.erase(std::unique(times.minutes.begin(), times.minutes.end()), times.minutes.end());
  }
  return all;
}

std::vector<RoundTimes> rotate(int rounds, const std::vector<std::string>& regions) {
  const int count = static_cast<int>(regions.size());
  std::vector<RoundTimes> all;
  for (int i = 0; i < count; ++i) {
    RoundTimes times{regions[static_cast<std::size_t>(i)], {}, {}};
    for (int round = 0; round < rounds; ++round) {
      times.minutes.push_back((kMinute + kDayMinutes * (round * count + i) / (rounds * count)) % kDayMinutes);
    }
    std::sort(times.minutes.begin(), times.minutes.end());
    all.push_back(std::move(times));
  }
  return all;
}

std::string escape_percent(const std::string& command, const std::string& with) {
  std::string escaped;
  for (const char c : command) {
    escaped += c == '%' ? with : std::string(1, c);
  }
  return escaped;
}

std::string target(const RoundTimes& times) {
  return times.region.empty() ? " --all" : " --region " + times.region;
}

}  // namespace

Result<std::vector<RoundTimes>> round_times(const Config::Schedule& schedule, const std::vector<std::string>& regions) {
  if (schedule.mode == "paired") {
    if (schedule.rounds_per_day > kRoundsMax) {
      return make_error(ErrorKind::invalid,
                        fmt::format("[schedule] rounds_per_day: {} is more than one round an hour, which the printed "
                                    "timetables do not hold",
                                    schedule.rounds_per_day));
    }
    return paired(schedule.rounds_per_day);
  }
  if (static_cast<std::size_t>(schedule.rounds_per_day) * regions.size() > kDayMinutes) {
    return make_error(ErrorKind::invalid,
                      fmt::format("[schedule] rounds_per_day: {} for each of {} regions is more than one run a minute",
                                  schedule.rounds_per_day, regions.size()));
  }
  return rotate(schedule.rounds_per_day, regions);
}

std::vector<DueRound> due_rounds(const std::vector<RoundTimes>& times, Instant from, int days) {
  std::vector<DueRound> due;
  const auto first = std::chrono::floor<std::chrono::days>(from);
  for (int i = 0; i < days; ++i) {
    const auto day = first + std::chrono::days(i);
    const int of_month = static_cast<int>(static_cast<unsigned>(std::chrono::year_month_day(day).day()));
    for (const RoundTimes& each : times) {
      if (!each.days.empty() && std::find(each.days.begin(), each.days.end(), of_month) == each.days.end()) {
        continue;
      }
      for (const int minute : each.minutes) {
        due.push_back({Instant(day) + std::chrono::minutes(minute), each.region});
      }
    }
  }
  std::stable_sort(due.begin(), due.end(), [](const DueRound& a, const DueRound& b) { return a.at < b.at; });
  return due;
}

std::string to_crontab(const std::vector<RoundTimes>& times, const std::string& command) {
  const std::string escaped = escape_percent(command, "\\%");
  // cron takes the host's time zone where it does not know CRON_TZ.
  std::string text =
      "# Times are UTC: where cron does not know CRON_TZ, the host's time zone must be UTC.\nCRON_TZ=UTC\n";
  for (const RoundTimes& each : times) {
    for (const auto& [minute, hours] : hours_by_minute(each)) {
      const bool always = hours.size() == 24;
      text += fmt::format("{} {} {} * * {}{}\n", minute, always ? "*" : joined(hours),
                          each.days.empty() ? "*" : joined(each.days), escaped, target(each));
    }
  }
  return text;
}

std::string to_systemd(const std::vector<RoundTimes>& times, const std::string& command) {
  std::string text;
  std::map<std::string, std::vector<const RoundTimes*>> units;
  for (const RoundTimes& each : times) {
    units[each.region.empty() ? "parallax-round" : "parallax-round-" + each.region].push_back(&each);
  }
  for (const auto& [name, those] : units) {
    text += fmt::format(
        "# /etc/systemd/system/{0}.service\n[Unit]\nDescription=A Parallax round\nAfter=network-online.target\n"
        "Wants=network-online.target\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/env {1}{2}\n\n"
        "# /etc/systemd/system/{0}.timer\n[Unit]\nDescription=When a Parallax round is due\n\n[Timer]\n",
        name, escape_percent(command, "%%"), target(*those.front()));
    for (const RoundTimes* each : those) {
      for (const auto& [minute, hours] : hours_by_minute(*each)) {
        text += fmt::format("OnCalendar=*-*-{} {}:{:02}:00 UTC\n", each->days.empty() ? "*" : joined(each->days, 2),
                            joined(hours, 2), minute);
      }
    }
    text += "\n[Install]\nWantedBy=timers.target\n\n";
  }
  return text;
}

}  // namespace parallax::cli
