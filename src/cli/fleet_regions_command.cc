// parallax fleet regions

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_spec.h"
#include "cli/table.h"
#include "fleet/region_list.h"

namespace parallax::cli {

namespace {

constexpr Micros kListTimeout{Seconds(60)};

std::string resources_text(const fleet::RegionRow& row) {
  if (!row.resources) {
    return row.enabled() ? "unknown" : "-";
  }
  std::string text;
  for (const auto& [kind, count] : *row.resources) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, kind);
  }
  return text;
}

std::string fleet_text(const fleet::RegionRow& row) {
  return fmt::format("{}{}", row.in_fleet ? "yes" : "", row.home ? (row.in_fleet ? ", home" : "home") : "");
}

Json row_json(const fleet::RegionRow& row) {
  Json json = Json::object({{"region", row.id},
                            {"name", row.name},
                            {"opt_in", row.opt_in},
                            {"enabled", row.enabled()},
                            {"in_fleet", row.in_fleet},
                            {"home", row.home},
                            {"distance_km", row.distance_km},
                            {"instance_type", row.priced_type},
                            {"usd_per_hour", row.usd_per_hour}});
  Json resources;
  if (row.resources) {
    resources = Json::object();
    for (const auto& [kind, count] : *row.resources) {
      resources.set(kind, count);
    }
  }
  json.set("resources", std::move(resources));
  json.set("problem", row.problem.empty() ? Json() : Json(row.problem));
  return json;
}

Result<int> regions(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const fleet::Spec spec = TRY(make_spec(world.files, session.config, arguments.value_or("--config", "parallax.toml")));
  const fleet::RegionList list = fleet::list_regions(session.deps(world), spec, kListTimeout, world.stop, tell_trouble);
  if (list.problem) {
    return *list.problem;
  }
  JsonArray rows;
  Table table({"region", "name", "opt-in", "fleet", "km from home>", "type", "$/hour>", "ours"});
  std::size_t failed = 0;
  for (const fleet::RegionRow& row : list.rows) {
    rows.push_back(row_json(row));
    table.add({row.id, row.name, row.opt_in, fleet_text(row),
               row.distance_km ? fmt::format("{:.0f}", *row.distance_km) : "unknown", row.priced_type,
               row.usd_per_hour ? fmt::format("{:.4f}", *row.usd_per_hour) : "unknown", resources_text(row)});
    if (!row.problem.empty()) {
      ++failed;
      log::error(fmt::format("{}: {}", row.id, row.problem));
    }
  }
  print(json ? Json(std::move(rows)).pretty() + "\n" : table.text());
  if (world.stop.stop_requested()) {
    return 130;
  }
  return failed == 0 ? 0 : failed == list.rows.size() ? 1 : 3;
}

}  // namespace

Command fleet_regions_command() {
  std::vector<Option> options = {
      Option{"--config", OptionKind::value, "FILE", "the configuration (default parallax.toml)"},
      Option{"--output", OptionKind::value, "FORMAT", "table (default) or json"}};
  return Command{"regions",
                 "all regions: which can be used, how far, at what price, what of ours is there",
                 options + aws_options(),
                 regions,
                 {}};
}

}  // namespace parallax::cli
