#include "sim/cloud/schedule_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/cloud/operations.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kMinutesADay = 1440;
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2199;
// Leap days are up to eight years apart; what is later than this never comes.
constexpr int kDaysAhead = 366 * 9;

Error invalid_expression(std::string_view text) {
  return client_error("ValidationException", fmt::format("Invalid Schedule Expression {}.", text));
}

std::optional<int> parse_int(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional<int>(value) : std::nullopt;
}

struct FieldRules {
  int min;
  int max;
  const std::vector<std::string_view>* names = nullptr;  // of min, min + 1, ...
};

std::optional<int> parse_item(std::string_view text, const FieldRules& rules) {
  if (rules.names != nullptr) {
    for (std::size_t i = 0; i < rules.names->size(); ++i) {
      if (equals_ignore_case(text, (*rules.names)[i])) {
        return rules.min + static_cast<int>(i);
      }
    }
  }
  const std::optional<int> value = parse_int(text);
  return value && *value >= rules.min && *value <= rules.max ? value : std::nullopt;
}

// One item of a list: "*", "5", "1-5", "*/2", "1-10/3", "0/15".
bool set_part(std::string_view part, const FieldRules& rules, std::vector<int>& values) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    const std::optional<int> parsed = parse_int(part.substr(slash + 1));
    if (!parsed || *parsed < 1) {
      return false;
    }
    step = *parsed;
  }
  int first = rules.min;
  int last = rules.max;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    const std::optional<int> begin = parse_item(range.substr(0, dash), rules);
    const std::optional<int> end = dash == std::string_view::npos ? begin : parse_item(range.substr(dash + 1), rules);
    if (!begin || !end || *begin > *end) {
      return false;
    }
    first = *begin;
    last = dash == std::string_view::npos && slash != std::string_view::npos ? rules.max : *end;
  }
  for (int value = first; value <= last; value += step) {
    values.push_back(value);
  }
  return true;
}

template <std::size_t kSize>
bool set_field(std::string_view text, const FieldRules& rules, std::bitset<kSize>& out, int offset = 0) {
  std::vector<int> values;
  for (const std::string_view part : split(text, ',')) {
    if (!set_part(part, rules, values)) {
      return false;
    }
  }
  for (const int value : values) {
    out.set(static_cast<std::size_t>(value - offset));
  }
  return true;
}

bool parse_cron(std::string_view text, CronFields& cron) {
  static const std::vector<std::string_view> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  static const std::vector<std::string_view> kDays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
  std::vector<std::string_view> fields;
  for (const std::string_view field : split(text, ' ')) {
    if (!field.empty()) {
      fields.push_back(field);
    }
  }
  if (fields.size() != 6) {
    return false;
  }
  cron.any_day = fields[2] == "?";
  cron.any_week_day = fields[4] == "?";
  cron.last_day = fields[2] == "L";
  // One of the two day fields must be ?, and only one.
  if (cron.any_day == cron.any_week_day) {
    return false;
  }
  return set_field(fields[0], {0, 59}, cron.minutes) && set_field(fields[1], {0, 23}, cron.hours) &&
         (cron.any_day || cron.last_day || set_field(fields[2], {1, 31}, cron.days)) &&
         set_field(fields[3], {1, 12, &kMonths}, cron.months) &&
         (cron.any_week_day || set_field(fields[4], {1, 7, &kDays}, cron.week_days)) &&
         set_field(fields[5], {kFirstYear, kLastYear}, cron.years, kFirstYear);
}

std::optional<Micros> parse_rate(std::string_view text) {
  const std::size_t blank = text.find(' ');
  const std::optional<int> value = parse_int(text.substr(0, blank));
  if (!value || *value < 1 || blank == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view unit = trim(text.substr(blank + 1));
  static constexpr std::array<std::pair<std::string_view, int>, 3> kUnits = {
      {{"minute", 60}, {"hour", 3600}, {"day", 86400}}};
  for (const auto& [name, seconds] : kUnits) {
    if (unit == name || unit == std::string(name) + "s") {
      return Seconds(std::int64_t{seconds} * *value);
    }
  }
  return std::nullopt;
}

bool day_fits(const CronFields& cron, std::chrono::sys_days day) {
  const std::chrono::year_month_day date{day};
  const auto year = static_cast<int>(date.year());
  if (year < kFirstYear || year > kLastYear || !cron.years.test(static_cast<std::size_t>(year - kFirstYear)) ||
      !cron.months.test(static_cast<unsigned>(date.month()))) {
    return false;
  }
  if (!cron.any_week_day) {
    return cron.week_days.test(std::chrono::weekday{day}.c_encoding() + 1);
  }
  const std::chrono::year_month_day_last last{date.year(), std::chrono::month_day_last{date.month()}};
  return cron.last_day ? date.day() == last.day() : cron.days.test(static_cast<unsigned>(date.day()));
}

std::optional<Instant> next_cron(const CronFields& cron, Instant from) {
  const auto begin = std::chrono::ceil<std::chrono::minutes>(from);
  const auto first_day = std::chrono::floor<std::chrono::days>(begin);
  for (int ahead = 0; ahead < kDaysAhead; ++ahead) {
    const std::chrono::sys_days day = first_day + std::chrono::days(ahead);
    if (!day_fits(cron, day)) {
      continue;
    }
    for (std::size_t minute = 0; minute < kMinutesADay; ++minute) {
      const auto time = day + std::chrono::minutes(minute);
      if (time >= begin && cron.hours.test(minute / 60) && cron.minutes.test(minute % 60)) {
        return Instant(time);
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Result<ScheduleExpression> parse_schedule_expression(std::string_view text) {
  ScheduleExpression expression;
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) {
    return invalid_expression(text);
  }
  const std::string_view inside = text.substr(open + 1, text.size() - open - 2);
  const std::string_view kind = text.substr(0, open);
  if (kind == "at") {
    const Result<Instant> at = parse_iso8601(inside);
    if (!at || inside.size() != std::string_view("2026-01-02T03:04:05").size()) {
      return invalid_expression(text);
    }
    expression.at = *at;
    return expression;
  }
  if (kind == "rate") {
    const std::optional<Micros> every = parse_rate(inside);
    if (!every) {
      return invalid_expression(text);
    }
    expression.kind = ScheduleExpression::Kind::rate;
    expression.every = *every;
    return expression;
  }
  expression.kind = ScheduleExpression::Kind::cron;
  if (kind != "cron" || !parse_cron(inside, expression.cron)) {
    return invalid_expression(text);
  }
  return expression;
}

std::optional<Instant> next_time(const ScheduleExpression& expression, Instant begin, Instant from) {
  switch (expression.kind) {
    case ScheduleExpression::Kind::at:
      return expression.at >= from ? std::optional<Instant>(expression.at) : std::nullopt;
    case ScheduleExpression::Kind::rate: {
      if (from <= begin) {
        return begin;
      }
      const std::int64_t periods = (from - begin + expression.every - Micros(1)) / expression.every;
      return begin + periods * expression.every;
    }
    case ScheduleExpression::Kind::cron:
      return next_cron(expression.cron, std::max(from, begin));
  }
  return std::nullopt;
}

}  // namespace parallax::sim
