// parallax fleet sweep

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_spec.h"
#include "cli/table.h"
#include "fleet/costs.h"
#include "fleet/plan.h"
#include "fleet/region_list.h"
#include "fleet/stop.h"
#include "fleet/sweep.h"

namespace parallax::cli {

namespace {

constexpr Micros kListTimeout{Seconds(60)};

struct Swept {
  std::vector<std::string> regions;  // where something of ours is
  std::size_t unseen = 0;            // regions that could not be looked at
  fleet::Overdue overdue;
  std::vector<fleet::StopOutcome> stopped;
  std::vector<fleet::Leftover> leftovers;
};

// Everything enabled is looked at, not the fleet's regions alone: one that was taken out of the configuration may hold
// a machine yet.
Result<Swept> look(World& world, const FleetSession& session, const fleet::Spec& spec) {
  Swept swept;
  const fleet::FleetDeps deps = session.deps(world);
  const fleet::RegionList list = fleet::list_regions(deps, spec, kListTimeout, world.stop, tell_trouble);
  if (list.problem) {
    return *list.problem;
  }
  for (const fleet::RegionRow& row : list.rows) {
    if (!row.problem.empty()) {
      ++swept.unseen;
      log::error(fmt::format("{}: {}", row.id, row.problem));
    } else if (row.resources && !row.resources->empty()) {
      swept.regions.push_back(row.id);
    }
  }
  const std::vector<fleet::RegionVantages> found =
      fleet::find_vantages(deps, spec.fleet, swept.regions, kFindTimeout, world.stop, tell_trouble);
  for (const fleet::RegionVantages& region : found) {
    if (region.unseen) {
      ++swept.unseen;
      log::error(fmt::format("{}: {}", region.region, region.problem));
    }
  }
  swept.overdue = fleet::find_overdue(found, spec.boot_timer, world.clock.now());
  return swept;
}

// In the fleet's regions what a plan leaves alone; elsewhere all that is ours.
void find_leftovers(World& world, const FleetSession& session, const fleet::Spec& spec, Swept& swept) {
  fleet::Spec inside = spec;
  fleet::Spec outside = spec;
  inside.regions.clear();
  outside.regions.clear();
  for (const std::string& region : swept.regions) {
    const bool ours = std::find(spec.regions.begin(), spec.regions.end(), region) != spec.regions.end();
    (ours ? inside : outside).regions.push_back(region);
  }
  const fleet::FleetDeps deps = session.deps(world);
  const auto observe = [&](const fleet::Spec& some, bool for_clear) {
    fleet::ObserveOptions options;
    options.regions = some.regions;
    options.for_clear = for_clear;
    options.for_check = !for_clear;
    return fleet::observe(deps, some, options, world.stop, tell_trouble);
  };
  if (!inside.regions.empty()) {
    for (const fleet::RegionPlan& region : fleet::plan_apply(inside, observe(inside, false)).regions) {
      swept.leftovers.insert(swept.leftovers.end(), region.leftovers.begin(), region.leftovers.end());
    }
  }
  if (outside.regions.empty()) {
    return;
  }
  for (const fleet::RegionPlan& region : fleet::plan_clear(outside, observe(outside, true)).regions) {
    for (const fleet::Step& step : region.steps) {
      const std::optional<double> cost = step.usd_per_month ? std::optional(-*step.usd_per_month) : std::nullopt;
      swept.leftovers.push_back(
          {step.resource, step.region, step.id, step.name, "in a region that is not the fleet's", cost});
    }
  }
}

Json swept_json(const Swept& swept, bool dry_run) {
  JsonArray machines;
  for (const fleet::RegionVantages& region : swept.overdue.machines) {
    for (const fleet::Vantage& vantage : region.vantages) {
      const auto outcome = std::find_if(swept.stopped.begin(), swept.stopped.end(), [&](const fleet::StopOutcome& o) {
        return o.instance_id == vantage.instance.id;
      });
      machines.push_back(Json::object({{"region", region.region},
                                       {"instance_id", vantage.instance.id},
                                       {"why", swept.overdue.why.at(vantage.instance.id)},
                                       {"stopped", !dry_run && outcome != swept.stopped.end() && outcome->stopped},
                                       {"note", outcome == swept.stopped.end() ? "" : outcome->note}}));
    }
  }
  JsonArray leftovers;
  for (const fleet::Leftover& leftover : swept.leftovers) {
    leftovers.push_back(Json::object({{"region", leftover.region},
                                      {"kind", fleet::to_string(leftover.resource)},
                                      {"id", leftover.id},
                                      {"name", leftover.name},
                                      {"what", leftover.what},
                                      {"usd_per_month", leftover.usd_per_month}}));
  }
  return Json::object({{"overdue", std::move(machines)}, {"leftovers", std::move(leftovers)}});
}

void print_tables(const Swept& swept) {
  Table machines({"region", "instance", "overdue because", "result"});
  for (const fleet::RegionVantages& region : swept.overdue.machines) {
    for (const fleet::Vantage& vantage : region.vantages) {
      const auto outcome = std::find_if(swept.stopped.begin(), swept.stopped.end(), [&](const fleet::StopOutcome& o) {
        return o.instance_id == vantage.instance.id;
      });
      machines.add({region.region, vantage.instance.id, swept.overdue.why.at(vantage.instance.id),
                    outcome == swept.stopped.end() ? "would be stopped" : outcome->note});
    }
  }
  if (swept.overdue.machines.empty()) {
    log::note("no machine of ours runs longer than it may");
  } else {
    print(machines.text());
  }
  if (swept.leftovers.empty()) {
    log::note("nothing is left over");
    return;
  }
  Table leftovers({"region", "left over", "id", "name", "what", "$/month>"});
  for (const fleet::Leftover& leftover : swept.leftovers) {
    leftovers.add({leftover.region, std::string(fleet::to_string(leftover.resource)), leftover.id, leftover.name,
                   leftover.what, fleet::money(leftover.usd_per_month)});
  }
  print(leftovers.text());
}

Result<int> sweep(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const bool dry_run = arguments.has("--dry-run");
  const fleet::RunOptions options = TRY(run_options(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  const fleet::Spec spec = TRY(make_spec(world.files, session.config, arguments.value_or("--config", "parallax.toml")));
  Swept swept = TRY(look(world, session, spec));
  if (!dry_run && !swept.overdue.machines.empty()) {
    swept.stopped = fleet::stop_vantages(session.deps(world), swept.overdue.machines, options.poll,
                                         options.stop_timeout, world.stop, tell_trouble);
  }
  find_leftovers(world, session, spec, swept);
  if (json) {
    print(swept_json(swept, dry_run).pretty() + "\n");
  } else {
    print_tables(swept);
  }
  std::size_t failed = 0;
  for (const fleet::StopOutcome& outcome : swept.stopped) {
    failed += outcome.stopped ? 0U : 1U;
  }
  if (world.stop.stop_requested()) {
    return 130;
  }
  const bool nothing = swept.regions.empty() || (failed > 0 && failed == swept.stopped.size());
  return failed + swept.unseen == 0 ? 0 : nothing ? 1 : 3;
}

}  // namespace

Command fleet_sweep_command() {
  std::vector<Option> options = {
      Option{"--config", OptionKind::value, "FILE", "the configuration (default parallax.toml)"},
      Option{"--output", OptionKind::value, "FORMAT", "table (default) or json"}, poll_option(),
      Option{"--dry-run", OptionKind::flag, "", "tell what would be stopped, stop nothing"}};
  return Command{"sweep",
                 "stop what of ours runs longer than it may, in all enabled regions; list what is left over",
                 options + aws_options(),
                 sweep,
                 {}};
}

}  // namespace parallax::cli
