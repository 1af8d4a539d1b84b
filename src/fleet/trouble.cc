#include "fleet/trouble.h"

#include <string_view>

#include <fmt/format.h>

namespace parallax::fleet {

namespace {

// Empty: no trouble.
std::string_view what_it_does(const Error& error) {
  switch (error.kind) {
    case ErrorKind::throttled:
      return "asks us to slow down";
    case ErrorKind::denied:
      return "refuses our calls";
    case ErrorKind::timeout:
      return "does not answer";
    case ErrorKind::unavailable:
      return error.status == 0 ? "cannot be reached" : "answers with errors";
    case ErrorKind::corrupt:
      return "answers what cannot be read";
    default:
      return "";
  }
}

}  // namespace

std::string time_of_day(Instant instant) {
  return to_iso8601_seconds(instant).substr(11, 8);
}

std::optional<std::string> Trouble::failed(const Error& error, const CallTimes& times) {
  const std::string_view what = what_it_does(error);
  if (what.empty()) {
    return error.kind == ErrorKind::cancelled ? std::nullopt : answered(times);
  }
  if (!since_) {
    since_ = times.began;
  }
  if (times.ended - *since_ < kToldAfter || told_ == what) {
    return std::nullopt;
  }
  told_ = what;
  return fmt::format("{} {} since {}, trying until {} UTC: {}", service_, what,
                     time_of_day(times.ended_at - (times.ended - *since_)),
                     time_of_day(times.ended_at + (times.give_up - times.ended)), error.text());
}

std::optional<std::string> Trouble::answered(const CallTimes& times) {
  std::optional<std::string> text;
  if (!told_.empty() && since_) {
    text = fmt::format("{} answers again after {}", service_, to_human(times.ended - *since_));
  }
  since_.reset();
  told_.clear();
  return text;
}

}  // namespace parallax::fleet
