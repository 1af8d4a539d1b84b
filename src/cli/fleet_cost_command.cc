// parallax fleet cost

#include <map>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/collector_call.h"
#include "cli/fleet_commands.h"
#include "cli/fleet_spec.h"
#include "cli/secrets.h"
#include "cli/table.h"
#include "fleet/costs.h"
#include "fleet/plan.h"
#include "http/url.h"
#include "record/token.h"

namespace parallax::cli {

namespace {

constexpr int kRunsMax = 10'000;  // the collector gives no more at once
constexpr Micros kMonth{Seconds(30 * 86400)};

using Dollars = std::optional<double>;

// Unknown in, unknown out.
Dollars sum(const Dollars& a, const Dollars& b) {
  return a && b ? Dollars(*a + *b) : std::nullopt;
}

// What the runs of the last 30 days cost.
struct Spent {
  std::map<std::string, double> by_region;
  std::size_t runs = 0, unknown = 0;
  bool all = true;  // the collector's list reaches back far enough
};

Result<Json> ask_for_runs(World& world, const Config& config) {
  const SigningKey key = TRY(read_signing_key(world, config.collector.key));
  const std::string url = fmt::format("{}/api/v1/runs?fleet={}&limit={}", config.collector.url,
                                      http::percent_encode(config.fleet.name), kRunsMax);
  return get_from_collector(world, url, TRY(brief_controller_token(world, key, config.fleet.name)));
}

Result<Spent> ask_collector(World& world, const Config& config) {
  const Json answer = TRY(ask_for_runs(world, config).with_context("asking the collector for its runs"));
  const Instant since = world.clock.now() - kMonth;
  Spent spent;
  spent.all = answer.list("runs").size() < static_cast<std::size_t>(kRunsMax);
  for (const Json& json : answer.list("runs")) {
    const Result<Run> run = run_from_json(json);
    if (!run || !run->started_at) {
      continue;  // nothing was started, so nothing was paid
    }
    if (*run->started_at < since) {
      spent.all = true;  // newest first: the rest is older
      continue;
    }
    ++spent.runs;
    spent.unknown += run->cost_usd ? 0U : 1U;
    spent.by_region[run->region] += run->cost_usd.value_or(0);
  }
  return spent;
}

Json money_json(const Dollars& usd) {
  return usd ? Json(*usd) : Json();
}

struct Projection {
  Dollars at_rest = 0.0, running = 0.0;
  std::size_t problems = 0;
};

Json spent_json(const std::optional<Spent>& spent) {
  if (!spent) {
    return {};
  }
  double all = 0;
  for (const auto& [region, usd] : spent->by_region) {
    all += usd;
  }
  return Json::object({{"days", 30},
                       {"runs", static_cast<std::int64_t>(spent->runs)},
                       {"runs_without_price", static_cast<std::int64_t>(spent->unknown)},
                       {"complete", spent->all},
                       {"usd", all}});
}

std::string spent_text(const std::optional<Spent>& spent, const std::string& region) {
  if (!spent) {
    return "not known";
  }
  const auto found = spent->by_region.find(region);
  return fmt::format("${:.4f}", found == spent->by_region.end() ? 0.0 : found->second);
}

void tell_of(const std::optional<Spent>& spent) {
  if (!spent) {
    return;
  }
  if (spent->unknown > 0) {
    log::note(fmt::format("{} of {} runs have no known price and are not in the sum", spent->unknown, spent->runs));
  }
  if (!spent->all) {
    log::note(fmt::format("the collector lists the last {} runs alone: the sum is too small", kRunsMax));
  }
}

void tell_of_budget(const Projection& all, const fleet::Spec& spec) {
  const Dollars total = sum(all.at_rest, all.running);
  if (spec.budget_usd_per_month && total && *total > *spec.budget_usd_per_month) {
    log::error(fmt::format("projected {} a month is above [fleet] budget_usd_per_month = {}", fleet::money(total),
                           fleet::money(spec.budget_usd_per_month)));
  }
}

Result<int> report(const fleet::Plan& plan, const fleet::Spec& spec, const std::optional<Spent>& spent, bool json) {
  Projection all;
  JsonArray list;
  Table table({"region", "at rest $/month>", "running $/month>", "together>", "paid in 30 days>"});
  for (const fleet::RegionPlan& region : plan.regions) {
    if (!region.problem.empty()) {
      ++all.problems;
      log::error(fmt::format("{}: {}", region.region, region.problem));
    }
    const Dollars rest = region.usd_per_month_at_rest;
    const Dollars running = region.usd_per_month_running;
    all.at_rest = sum(all.at_rest, rest);
    all.running = sum(all.running, running);
    const auto paid = spent ? spent->by_region.find(region.region) : std::map<std::string, double>::const_iterator();
    list.push_back(Json::object(
        {{"region", region.region},
         {"usd_per_month_at_rest", money_json(rest)},
         {"usd_per_month_running", money_json(running)},
         {"usd_paid_30_days", !spent ? Json() : Json(paid == spent->by_region.end() ? 0.0 : paid->second)}}));
    table.add({region.region, fleet::money(rest), fleet::money(running), fleet::money(sum(rest, running)),
               spent_text(spent, region.region)});
  }
  table.add(
      {"all", fleet::money(all.at_rest), fleet::money(all.running), fleet::money(sum(all.at_rest, all.running)), ""});
  if (json) {
    print(Json::object({{"regions", std::move(list)},
                        {"usd_per_month_at_rest", money_json(all.at_rest)},
                        {"usd_per_month_running", money_json(all.running)},
                        {"paid", spent_json(spent)}})
              .pretty() +
          "\n");
  } else {
    print(table.text());
  }
  tell_of(spent);
  tell_of_budget(all, spec);
  return all.problems == 0 ? 0 : all.problems == plan.regions.size() ? 1 : 3;
}

Result<int> cost(const Arguments& arguments, World& world) {
  const bool json = TRY(wants_json(arguments));
  const FleetSession session = TRY(open_fleet(arguments, world));
  fleet::Spec spec = TRY(make_spec(world.files, session.config, arguments.value_or("--config", "parallax.toml")));
  spec.regions = session.regions;
  fleet::ObserveOptions options;
  options.regions = session.regions;
  options.for_check = true;
  const fleet::Plan plan =
      fleet::plan_apply(spec, fleet::observe(session.deps(world), spec, options, world.stop, tell_trouble));
  if (!plan.problem.empty()) {
    return make_error(ErrorKind::unavailable, plan.problem);
  }
  std::optional<Spent> spent;
  const Config::Collector& collector = session.config.collector;
  if (collector.url.empty() || collector.key.empty()) {
    log::note("what was paid is not known: [collector] names no 'url' and 'key', so nobody counts the runs");
  } else if (Result<Spent> asked = ask_collector(world, session.config); asked) {
    spent = std::move(asked).value();
  } else {
    log::error("what was paid is not known: " + asked.error().text());
  }
  const int code = TRY(report(plan, spec, spent, json));
  const bool silent = !spent && !collector.url.empty() && !collector.key.empty();
  return world.stop.stop_requested() ? 130 : code == 0 && silent ? 3 : code;
}

}  // namespace

Command fleet_cost_command() {
  return Command{
      "cost", "dollars a month, at rest and running; what the last 30 days' runs cost", fleet_options(), cost, {}};
}

}  // namespace parallax::cli
