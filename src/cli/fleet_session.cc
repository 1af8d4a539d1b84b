#include "cli/fleet_session.h"

#include <algorithm>
#include <array>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "fleet/regions.h"

namespace parallax::cli {

std::vector<Option> fleet_options() {
  std::vector<Option> options{
      Option{"--config", OptionKind::value, "FILE", "the configuration (default parallax.toml)"},
      Option{"--region", OptionKind::list, "REGION", "this region of the fleet; repeatable (default: all)"},
      Option{"--all", OptionKind::flag, "", "all regions of the fleet"},
      Option{"--output", OptionKind::value, "FORMAT", "table (default) or json"}};
  for (Option& option : aws_options()) {
    options.push_back(std::move(option));
  }
  return options;
}

std::string controller_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) {
    host = {'h', 'o', 's', 't'};
  }
  return fmt::format("{}:{}", host.data(), ::getpid());
}

std::string state_directory(const Arguments& arguments, World& world, const std::string& fleet) {
  if (const std::optional<std::string> given = arguments.value("--state")) {
    return *given;
  }
  std::string safe_name = fleet;
  for (char& c : safe_name) {
    c = c == '/' || c == '.' ? '_' : c;
  }
  if (const std::optional<std::string> state = world.environment("XDG_STATE_HOME")) {
    return fmt::format("{}/parallax/{}", *state, safe_name);
  }
  return fmt::format("{}/.local/state/parallax/{}", world.environment("HOME").value_or("/var/lib"), safe_name);
}

namespace {

Result<> check_asked(const std::string& region, const std::vector<std::string>& all, RegionChoice choice) {
  if (std::find(all.begin(), all.end(), region) != all.end()) {
    return {};
  }
  const std::string_view best = suggest(region, std::vector<std::string_view>(all.begin(), all.end()));
  if (choice == RegionChoice::of_fleet) {
    return make_error(ErrorKind::invalid, fmt::format("--region: '{}' is not among the fleet's regions{}", region,
                                                      best.empty() ? "" : fmt::format("; did you mean '{}'?", best)));
  }
  TRY(fleet::check_region(region).with_context("reading --region"));
  log::note(fmt::format("{} is not among the configuration's regions{}; looking for what bears the fleet's tag there",
                        region, best.empty() ? "" : fmt::format(" (did you mean '{}'?)", best)));
  return {};
}

}  // namespace

Result<FleetSession> open_fleet(const Arguments& arguments, World& world, RegionChoice choice) {
  FleetSession session;
  session.config = TRY(load_config(world.files, arguments.value_or("--config", "parallax.toml")));
  const std::vector<std::string>& all = session.config.fleet.regions;
  const std::vector<std::string> asked = arguments.list("--region");
  if (!asked.empty() && arguments.has("--all")) {
    return make_error(ErrorKind::invalid, "--all and --region exclude each other");
  }
  for (const std::string& region : asked) {
    TRY(check_asked(region, all, choice));
    if (std::find(session.regions.begin(), session.regions.end(), region) == session.regions.end()) {
      session.regions.push_back(region);
    }
  }
  session.regions = session.regions.empty() ? all : session.regions;
  session.aws = TRY(open_aws(arguments, world));
  TRY(require_credentials(session.aws, world));
  return session;
}

}  // namespace parallax::cli
