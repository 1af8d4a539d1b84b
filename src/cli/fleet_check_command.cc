// parallax fleet check

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/table.h"
#include "fleet/lease.h"
#include "fleet/prices.h"
#include "fleet/stop.h"

namespace parallax::cli {

namespace {

constexpr Micros kCheckTimeout{Seconds(60)};

Json check_to_json(const fleet::RegionCheck& check) {
  Json region = Json::object({{"region", check.region}});
  region.set("problem", check.problem.empty() ? Json() : Json(check.problem));
  JsonArray rows;
  for (const fleet::CheckRow& row : check.rows) {
    const fleet::Instance& instance = row.vantage.instance;
    Json item = Json::object({{"vantage", row.vantage.name},
                              {"instance_id", instance.id},
                              {"name", instance.name},
                              {"type", instance.type},
                              {"zone", instance.zone},
                              {"state", fleet::to_string(instance.state)},
                              {"shutdown_behaviour", row.shutdown_behaviour},
                              {"usd_per_hour", fleet::hourly_price(instance.region, instance.type)}});
    item.set("launch_time", instance.launch_time ? Json(to_iso8601(*instance.launch_time)) : Json());
    item.set("last_ping", row.last_ping ? Json(to_iso8601(*row.last_ping)) : Json());
    item.set("lease", instance.tag(fleet::kLeaseTag).empty() ? Json() : Json(instance.tag(fleet::kLeaseTag)));
    JsonArray problems;
    for (const std::string& problem : row.problems) {
      problems.emplace_back(problem);
    }
    item.set("problems", std::move(problems));
    rows.push_back(std::move(item));
  }
  region.set("instances", std::move(rows));
  return region;
}

void add_check_row(Table& table, const fleet::CheckRow& row) {
  const fleet::Instance& instance = row.vantage.instance;
  const std::optional<double> price = fleet::hourly_price(instance.region, instance.type);
  const bool running = instance.state == fleet::InstanceState::running;
  const std::string agent = row.last_ping ? "online" : "no answer";
  table.add({row.vantage.name, instance.id, instance.type, std::string(fleet::to_string(instance.state)),
             running ? agent : "-", price ? fmt::format("{:.4f}", *price) : "unknown",
             instance.state == fleet::InstanceState::stopped ? "" : instance.tag(fleet::kLeaseTag)});
}

// What is wrong, a sentence each: the region's problem, then its machines'.
std::vector<std::string> problems_of(const fleet::RegionCheck& region) {
  std::vector<std::string> problems;
  if (!region.problem.empty()) {
    problems.push_back(fmt::format("{}: {}", region.region, region.problem));
  }
  for (const fleet::CheckRow& row : region.rows) {
    for (const std::string& problem : row.problems) {
      problems.push_back(fmt::format("{} {}: {}", row.vantage.name, row.vantage.instance.id, problem));
    }
  }
  return problems;
}

Result<int> check(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const std::vector<fleet::RegionVantages> found = TRY(find_selected(arguments, world, session));
  const std::vector<fleet::RegionCheck> checks =
      fleet::check_vantages(session.deps(world), found, kCheckTimeout, world.stop);
  JsonArray list;
  Table table({"vantage", "instance", "type", "state", "agent", "$/hour>", "lease"});
  for (const fleet::RegionCheck& region : checks) {
    list.push_back(check_to_json(region));
    for (const fleet::CheckRow& row : region.rows) {
      add_check_row(table, row);
    }
  }
  print(json ? Json(std::move(list)).pretty() + "\n" : table.text());
  std::size_t failed = 0;
  for (const fleet::RegionCheck& region : checks) {
    failed += region.problem.empty() ? 0U : 1U;
    for (const std::string& problem : problems_of(region)) {
      log::error(problem);
    }
  }
  if (world.stop.stop_requested()) {
    return 130;
  }
  return failed == 0 ? 0 : failed == checks.size() ? 1 : 3;
}

}  // namespace

Command fleet_check_command() {
  return Command{
      "check", "what exists, its state and what is wrong with it", fleet_options() + selection_options(), check, {}};
}

}  // namespace parallax::cli
