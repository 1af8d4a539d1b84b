// parallax schedule

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/config.h"
#include "cli/round_times.h"
#include "cli/table.h"

namespace parallax::cli {

namespace {

constexpr std::int64_t kDaysMax = 366;

// As a shell takes it.
std::string quoted(const std::string& path) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:+@%";
  if (path.find_first_not_of(kPlain) == std::string::npos) {
    return path;
  }
  std::string text = "'";
  for (const char c : path) {
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + "'";
}

Result<int> schedule(const Arguments& arguments, World& world) {
  const std::string path = arguments.value_or("--config", "parallax.toml");
  const std::string format = arguments.value_or("--format", "table");
  const int days = static_cast<int>(TRY(arguments.integer("--days", 1, 1, kDaysMax)));
  const Config config = TRY(load_config(world.files, path));
  const std::vector<RoundTimes> times = TRY(round_times(config.schedule, config.fleet.regions));
  const std::string command = fmt::format("parallax fleet run --quiet --config {}", quoted(path));
  if (format == "crontab") {
    print(to_crontab(times, command));
    return 0;
  }
  if (format == "systemd") {
    print(to_systemd(times, command));
    return 0;
  }
  if (format != "table") {
    return make_error(ErrorKind::invalid, fmt::format("--format: '{}' is not table, crontab or systemd", format));
  }
  Table table({"begins (UTC)", "vantages"});
  for (const DueRound& round : due_rounds(times, world.clock.now(), days)) {
    table.add({to_iso8601_seconds(round.at), round.region.empty() ? "all" : round.region});
  }
  print(table.text());
  return 0;
}

}  // namespace

Command schedule_command() {
  return Command{"schedule",
                 "when rounds are due: a timetable, a crontab or systemd units",
                 {Option{"--config", OptionKind::value, "FILE", "the configuration (default parallax.toml)"},
                  Option{"--format", OptionKind::value, "FORMAT", "table (default), crontab or systemd"},
                  Option{"--days", OptionKind::value, "N", "of the table: from today on (default 1)"}},
                 schedule,
                 {}};
}

}  // namespace parallax::cli
