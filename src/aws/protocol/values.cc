#include "aws/protocol/values.h"

#include <cmath>

namespace parallax::aws {

std::string_view location_of(const Member& member, std::string_view fallback) {
  if (!member.location_name.empty()) {
    return member.location_name;
  }
  return member.shape->location_name.empty() ? fallback : std::string_view(member.shape->location_name);
}

Result<Instant> instant_from_seconds(double seconds) {
  constexpr double kFirst = -62135596800.0;  // 0001-01-01
  constexpr double kLast = 253402300799.0;   // 9999-12-31T23:59:59
  if (!(seconds >= kFirst && seconds <= kLast)) {
    return bad_answer("a timestamp outside the years 1 to 9999");
  }
  return Instant(Micros(std::llround(seconds * 1e6)));
}

Result<Instant> instant_of(const Json& value) {
  if (const std::string* text = value.string()) {
    return parse_iso8601(*text);
  }
  if (const std::optional<double> seconds = value.number()) {
    return instant_from_seconds(*seconds);
  }
  return make_error(ErrorKind::invalid, "an instant is ISO 8601 text or a number of seconds since 1970");
}

TimestampFormat format_of(const Member& member, TimestampFormat fallback) {
  if (member.timestamp_format != TimestampFormat::unset) {
    return member.timestamp_format;
  }
  const TimestampFormat own = member.shape->timestamp_format;
  return own == TimestampFormat::unset ? fallback : own;
}

std::string timestamp_text(Instant instant, TimestampFormat format) {
  if (format == TimestampFormat::unix_seconds) {
    return timestamp_number(instant).dump();
  }
  if (format == TimestampFormat::rfc822) {
    return to_http_date(instant);
  }
  const bool whole = instant == std::chrono::floor<Seconds>(instant);
  return whole ? to_iso8601_seconds(instant) : to_iso8601(instant);
}

Json timestamp_number(Instant instant) {
  const std::int64_t micros = instant.time_since_epoch().count();
  if (micros % 1'000'000 == 0) {
    return Json(micros / 1'000'000);
  }
  return Json(static_cast<double>(micros) / 1e6);
}

Json timestamp_json(Instant instant, TimestampFormat format) {
  return format == TimestampFormat::unix_seconds ? timestamp_number(instant) : Json(timestamp_text(instant, format));
}

Json read_timestamp_text(std::string text) {
  const Result<Instant> date = parse_http_date(text);
  return date ? Json(to_iso8601(*date)) : Json(std::move(text));
}

std::string scalar_text(const Json& value) {
  const std::string* text = value.string();
  return text == nullptr ? value.dump() : *text;
}

Error bad_answer(std::string message) {
  Error error = make_error(ErrorKind::corrupt, std::move(message));
  error.code = "bad-answer";
  return error;
}

}  // namespace parallax::aws
