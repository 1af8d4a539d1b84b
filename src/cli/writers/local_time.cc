#include "cli/writers/local_time.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

namespace {

struct LocalTime {
  std::tm parts{};
  std::int64_t micros = 0;
};

LocalTime local_time(Instant instant) {
  LocalTime local;
  const auto seconds = std::chrono::floor<Seconds>(instant);
  const auto time = static_cast<std::time_t>(seconds.time_since_epoch().count());
  ::localtime_r(&time, &local.parts);
  local.micros = (instant - seconds).count();
  return local;
}

}  // namespace

std::string local_time_text(Instant instant) {
  const LocalTime local = local_time(instant);
  const std::tm& t = local.parts;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec, local.micros);
}

Result<std::string> with_time_marks(std::string_view name, Instant instant) {
  const LocalTime local = local_time(instant);
  const std::tm& t = local.parts;
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      result += name[i];
      continue;
    }
    ++i;
    switch (i < name.size() ? name[i] : '\0') {
      case 'Y':
        result += fmt::format("{:04}", t.tm_year + 1900);
        break;
      case 'm':
        result += fmt::format("{:02}", t.tm_mon + 1);
        break;
      case 'd':
        result += fmt::format("{:02}", t.tm_mday);
        break;
      case 'H':
        result += fmt::format("{:02}", t.tm_hour);
        break;
      case 'M':
        result += fmt::format("{:02}", t.tm_min);
        break;
      case 'S':
        result += fmt::format("{:02}", t.tm_sec);
        break;
      case 'j':
        result += fmt::format("{:03}", t.tm_yday + 1);
        break;
      case 'f':
        result += fmt::format("{:06}", local.micros);
        break;
      case '%':
        result += '%';
        break;
      default:
        return make_error(ErrorKind::invalid,
                          fmt::format("{}: '{}' is no mark for a time; known are %Y %m %d %H %M %S %j %f and %%",
                                      terminal_safe(name, 300), terminal_safe(name.substr(i - 1, 2), 8)));
    }
  }
  return result;
}

}  // namespace parallax::cli
