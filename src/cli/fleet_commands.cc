#include "cli/fleet_commands.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"

namespace parallax::cli {

namespace {

constexpr std::int64_t kCountMax = 100'000;

}  // namespace

Result<bool> wants_json(const Arguments& arguments) {
  const std::string output = arguments.value_or("--output", "table");
  if (output != "table" && output != "json") {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not table or json", output));
  }
  return output == "json";
}

std::size_t count_vantages(const std::vector<fleet::RegionVantages>& found) {
  std::size_t count = 0;
  for (const fleet::RegionVantages& region : found) {
    count += region.vantages.size();
  }
  return count;
}

std::size_t count_problems(const std::vector<fleet::RegionVantages>& found) {
  return static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(), [](const auto& region) { return !region.problem.empty(); }));
}

void tell_problems(const std::vector<fleet::RegionVantages>& found) {
  for (const fleet::RegionVantages& region : found) {
    if (!region.problem.empty()) {
      log::error(fmt::format("{}: {}", region.region, region.problem));
    }
  }
}

void tell_trouble(const std::string& region, const std::string& text) {
  log::note(fmt::format("{}: {}", region, text));
}

std::vector<Option> selection_options() {
  return {Option{"--instance", OptionKind::list, "ID", "this machine; repeatable (default: all)"},
          Option{"--tag", OptionKind::list, "KEY=VALUE", "machines with this tag; repeated: with all of them"},
          Option{"--count", OptionKind::value, "N", "at most N machines of each region"}};
}

Result<fleet::Selection> read_selection(const Arguments& arguments) {
  fleet::Selection selection;
  selection.instances = arguments.list("--instance");
  for (const std::string& text : arguments.list("--tag")) {
    selection.tags.push_back(TRY(fleet::parse_tag(text)));
  }
  if (arguments.has("--count")) {
    selection.count = static_cast<std::size_t>(TRY(arguments.integer("--count", 1, 1, kCountMax)));
  }
  return selection;
}

Result<std::vector<fleet::RegionVantages>> find_selected(const Arguments& arguments, World& world,
                                                         const FleetSession& session) {
  const fleet::Selection selection = TRY(read_selection(arguments));
  return fleet::select_vantages(fleet::find_vantages(session.deps(world), session.config.fleet.name, session.regions,
                                                     kFindTimeout, world.stop, tell_trouble),
                                selection);
}

Option poll_option() {
  return {"--poll", OptionKind::value, "TIME", "between two looks at a region (default 1s)"};
}

Option state_option() {
  return {"--state", OptionKind::value, "DIR", "where the controller keeps its journal"};
}

Result<fleet::RunOptions> run_options(const Arguments& arguments) {
  fleet::RunOptions options;
  options.owner = controller_name();
  options.poll = TRY(parse_duration(arguments.value_or("--poll", "1s")).with_context("reading --poll"));
  if (options.poll < Millis(50)) {
    return make_error(ErrorKind::invalid, "--poll: below 50ms the polls would use up the regions' request buckets");
  }
  return options;
}

std::vector<Option> operator+(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace parallax::cli
