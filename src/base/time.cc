#include "base/time.h"

#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace parallax {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// Reads exactly `count` decimal digits at the front of `text` and drops them.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) {
    return std::nullopt;
  }
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    }
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

struct Civil {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<Instant> to_instant(const Civil& civil) {
  const std::chrono::year_month_day date{std::chrono::year(civil.year),
                                         std::chrono::month(static_cast<unsigned>(civil.month)),
                                         std::chrono::day(static_cast<unsigned>(civil.day))};
  // A leap second (60) is read as the second after; no other field may be out of range.
  if (!date.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 60) {
    return std::nullopt;
  }
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(civil.hour) + std::chrono::minutes(civil.minute) +
         Seconds(civil.second);
}

struct Broken {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<Micros> time;
  unsigned weekday = 0;
};

Broken break_down(Instant instant) {
  const auto days = std::chrono::floor<std::chrono::days>(instant);
  return Broken{std::chrono::year_month_day(days), std::chrono::hh_mm_ss<Micros>(instant - days),
                std::chrono::weekday(days).c_encoding()};
}

std::optional<Instant> read_iso8601(std::string_view text) {
  Civil civil;
  const auto field = [&](int& target, std::size_t digits) {
    const std::optional<int> value = take_digits(text, digits);
    target = value.value_or(0);
    return value.has_value();
  };
  if (!field(civil.year, 4) || !take(text, '-') || !field(civil.month, 2) || !take(text, '-') || !field(civil.day, 2)) {
    return std::nullopt;
  }
  if (!take(text, 'T') && !take(text, ' ')) {
    return std::nullopt;
  }
  if (!field(civil.hour, 2) || !take(text, ':') || !field(civil.minute, 2) || !take(text, ':') ||
      !field(civil.second, 2)) {
    return std::nullopt;
  }
  std::int64_t micros = 0;
  if (take(text, '.')) {
    std::size_t digits = 0;
    for (; digits < text.size() && digits < 10 && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      if (digits < 6) {
        micros = micros * 10 + (text[digits] - '0');
      }
    }
    if (digits == 0 || digits > 9) {
      return std::nullopt;
    }
    for (std::size_t i = digits; i < 6; ++i) {
      micros *= 10;
    }
    text.remove_prefix(digits);
  }
  if (text != "Z" && text != "+00:00" && !text.empty()) {
    return std::nullopt;
  }
  const std::optional<Instant> instant = to_instant(civil);
  return instant ? std::optional(*instant + Micros(micros)) : std::nullopt;
}

}  // namespace

std::string to_iso8601(Instant instant) {
  const Broken b = break_down(instant);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(b.date.year()),
                     static_cast<unsigned>(b.date.month()), static_cast<unsigned>(b.date.day()), b.time.hours().count(),
                     b.time.minutes().count(), b.time.seconds().count(), b.time.subseconds().count());
}

std::string to_iso8601_seconds(Instant instant) {
  return to_iso8601(instant).substr(0, 19) + "Z";
}

Result<Instant> parse_iso8601(std::string_view text) {
  const std::optional<Instant> instant = read_iso8601(text);
  if (!instant) {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is not an instant in UTC such as 2026-11-22T10:00:00.000000Z", text));
  }
  return *instant;
}

Result<Instant> parse_http_date(std::string_view text) {
  const std::string_view whole = text;
  const auto bad = [&] {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is not an HTTP date such as Sun, 06 Nov 1994 08:49:37 GMT", whole));
  };
  const std::size_t comma = text.find(", ");
  if (comma == std::string_view::npos) {
    return bad();
  }
  text.remove_prefix(comma + 2);
  Civil civil;
  const auto field = [&](int& target, std::size_t digits) {
    const std::optional<int> value = take_digits(text, digits);
    target = value.value_or(0);
    return value.has_value();
  };
  if (!field(civil.day, 2) || !take(text, ' ') || text.size() < 4) {
    return bad();
  }
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (text.substr(0, 3) == kMonths[i]) {
      civil.month = static_cast<int>(i) + 1;
    }
  }
  text.remove_prefix(3);
  if (!take(text, ' ') || !field(civil.year, 4) || !take(text, ' ') || !field(civil.hour, 2) || !take(text, ':') ||
      !field(civil.minute, 2) || !take(text, ':') || !field(civil.second, 2) || text != " GMT") {
    return bad();
  }
  const std::optional<Instant> instant = to_instant(civil);
  if (!instant) {
    return bad();
  }
  return *instant;
}

std::string to_http_date(Instant instant) {
  const Broken b = break_down(instant);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[b.weekday],
                     static_cast<unsigned>(b.date.day()), kMonths[static_cast<unsigned>(b.date.month()) - 1],
                     static_cast<int>(b.date.year()), b.time.hours().count(), b.time.minutes().count(),
                     b.time.seconds().count());
}

Result<Micros> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is not a duration; write for example 250ms, 30s, 20m, 1h30m or 2d", text));
  };

  struct UnitName {
    std::string_view name;
    std::int64_t micros;
  };

  constexpr std::array<UnitName, 6> kUnits = {
      {{"us", 1}, {"ms", 1'000}, {"s", 1'000'000}, {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}}};
  constexpr std::int64_t kMax = 366LL * 86'400'000'000;
  std::string_view rest = text;
  std::int64_t total = 0;
  if (rest.empty()) {
    return bad();
  }
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (status != std::errc() || number < 0) {
      return bad();
    }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t letters = 0;
    while (letters < rest.size() && std::isalpha(static_cast<unsigned char>(rest[letters])) != 0) {
      ++letters;
    }
    const std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(letters);
    std::int64_t unit = 0;
    for (const UnitName& candidate : kUnits) {
      if (candidate.name == name) {
        unit = candidate.micros;
      }
    }
    if (unit == 0) {
      return bad();
    }
    if (number > kMax / unit || total + number * unit > kMax) {
      return make_error(ErrorKind::invalid, fmt::format("'{}' is longer than 366 days", text));
    }
    total += number * unit;
  }
  return Micros(total);
}

std::string to_human(Micros duration) {
  const std::int64_t us = duration.count();
  if (us < 1'000) {
    return fmt::format("{} us", us);
  }
  if (us < 1'000'000) {
    return us < 10'000 ? fmt::format("{:.2f} ms", static_cast<double>(us) / 1e3)
                       : fmt::format("{:.0f} ms", static_cast<double>(us) / 1e3);
  }
  if (us < 60'000'000) {
    return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
  }
  if (us < 3'600'000'000) {
    return fmt::format("{} min {:02} s", us / 60'000'000, us / 1'000'000 % 60);
  }
  return fmt::format("{} h {:02} min", us / 3'600'000'000, us / 60'000'000 % 60);
}

}  // namespace parallax
