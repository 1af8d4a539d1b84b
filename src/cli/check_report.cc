#include "cli/check_report.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/check_report_parts.h"
#include "cli/plan_report.h"
#include "cli/table.h"
#include "fleet/lease.h"
#include "fleet/prices.h"

namespace parallax::cli {

using fleet::InstanceState;
using fleet::MachineSeen;
using fleet::RegionPlan;
using fleet::RegionSeen;
using fleet::ResourceKind;

const RegionPlan& plan_of(const CheckData& check, std::size_t region) {
  static const RegionPlan nothing;
  return region < check.plan.regions.size() ? check.plan.regions[region] : nothing;
}

std::string region_trouble(const CheckData& check, std::size_t region) {
  const RegionSeen& seen = check.observed.regions[region];
  return seen.problem ? seen.problem->text() : plan_of(check, region).problem;
}

std::string vantage_name(const RegionSeen& region, const MachineSeen& machine) {
  return region.machines.size() == 1 ? region.region : fmt::format("{}/{}", region.region, machine.instance.id);
}

std::optional<Instant> ping_of(const RegionSeen& region, const std::string& id) {
  const auto ping = region.pings.find(id);
  return ping == region.pings.end() ? std::nullopt : std::optional(ping->second);
}

std::vector<std::string> machine_problems(const CheckData& check, const MachineSeen& machine) {
  const fleet::Instance& instance = machine.instance;
  std::vector<std::string> problems;
  const std::optional<fleet::Lease> lease = fleet::parse_lease(instance.tag(fleet::kLeaseTag));
  if (instance.state == InstanceState::running && (!lease || lease->expiry < check.now)) {
    problems.push_back(lease ? fmt::format("running although its lease (run {}) expired at {}", lease->run_id,
                                           to_iso8601_seconds(lease->expiry))
                             : std::string("running without a lease: not started by parallax, or its controller died"));
  }
  return problems;
}

PartlyKnown sum_of(const CheckData& check, std::optional<double> RegionPlan::*part) {
  PartlyKnown sum;
  sum.is_whole = check.plan.problem.empty();
  for (const RegionPlan& region : check.plan.regions) {
    sum.add(region.problem.empty() ? region.*part : std::nullopt);
  }
  return sum;
}

namespace {

constexpr std::size_t kLinesShownMax = 100;    // of what is missing, different or left over, in all regions together
constexpr std::size_t kProblemsShownMax = 20;  // of one region's machines

std::string states_of(const RegionSeen& region) {
  std::map<std::string, std::size_t> states;
  for (const MachineSeen& machine : region.machines) {
    ++states[std::string(fleet::to_string(machine.instance.state))];
  }
  std::string text;
  for (const auto& [state, count] : states) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
  }
  return text.empty() ? "none" : text;
}

void add_machine(Table& table, const RegionSeen& region, const MachineSeen& machine) {
  const fleet::Instance& instance = machine.instance;
  const std::optional<double> price = fleet::hourly_price(instance.region, instance.type);
  const bool running = instance.state == InstanceState::running;
  const std::string agent = ping_of(region, instance.id) ? "online" : "no answer";
  table.add({vantage_name(region, machine), instance.id, instance.type, std::string(fleet::to_string(instance.state)),
             running ? agent : "-", price ? fmt::format("{:.4f}", *price) : "unknown",
             instance.state == InstanceState::stopped ? "" : instance.tag(fleet::kLeaseTag)});
}

void add_many(Table& table, const RegionSeen& region) {
  std::set<std::string> types;
  for (const MachineSeen& machine : region.machines) {
    types.insert(machine.instance.type);
  }
  std::string all;
  for (const std::string& type : types) {
    all += (all.empty() ? "" : ", ") + type;
  }
  table.add({region.region, counted(region.machines.size(), "machine"), all, states_of(region),
             fmt::format("{} online", region.pings.size()), "", "each one: --output json"});
}

std::string machines_text(const CheckData& check) {
  Table table({"vantage", "instance", "type", "state", "agent", "$/hour>", "lease"});
  for (const RegionSeen& region : check.observed.regions) {
    if (region.machines.size() > kMachinesShownMax) {
      add_many(table, region);
      continue;
    }
    for (const MachineSeen& machine : region.machines) {
      add_machine(table, region, machine);
    }
  }
  return table.text();
}

// What the plan would do to resources of this kind: nothing, or "missing", "differs".
std::string verdict_of(const RegionPlan& plan, ResourceKind kind) {
  for (const fleet::Step& step : plan.steps) {
    if (step.resource == kind) {
      return step.kind == fleet::StepKind::wait_image ? "not ready" : step.id.empty() ? "missing" : "differs";
    }
  }
  return {};
}

template <typename Seen>
std::string first_id(const std::vector<Seen>& list) {
  return list.empty() ? "-" : list.front().id;
}

std::string with_verdict(const std::string& what, const std::string& verdict) {
  return verdict.empty() ? what : what == "-" ? verdict : fmt::format("{} {}", what, verdict);
}

std::string image_cell(const CheckData& check, const RegionSeen& seen, const RegionPlan& plan) {
  if (check.spec.image.kind == fleet::ImageSpec::Kind::stock) {
    return "stock " + check.spec.image.name;
  }
  if (check.spec.is_home(seen.region)) {
    return check.observed.home_image ? check.observed.home_image->id + " original" : "missing";
  }
  return with_verdict(first_id(seen.images), verdict_of(plan, ResourceKind::image));
}

std::string group_cell(const CheckData& check, const RegionSeen& seen, const RegionPlan& plan) {
  const bool is_original = seen.groups.empty() && check.spec.is_home(seen.region) && check.observed.home_group;
  return is_original ? check.observed.home_group->id + " original"
                     : with_verdict(first_id(seen.groups), verdict_of(plan, ResourceKind::security_group));
}

std::string resources_text(const CheckData& check) {
  Table table({"region", "machines", "image", "key pair", "security group", "stop rules>", "to do>", "left over>",
               "at rest>", "rounds>"});
  for (std::size_t i = 0; i < check.observed.regions.size(); ++i) {
    const RegionSeen& seen = check.observed.regions[i];
    const RegionPlan& plan = plan_of(check, i);
    if (seen.problem) {
      table.add({seen.region, "unknown", "", "", "", "", "", "", "", ""});
      continue;
    }
    const bool planned = check.plan.problem.empty() && plan.problem.empty();
    const std::string key =
        check.spec.key ? with_verdict(first_id(seen.keys), verdict_of(plan, ResourceKind::key_pair)) : "none asked for";
    table.add({seen.region, states_of(seen), image_cell(check, seen, plan), key, group_cell(check, seen, plan),
               fmt::format("{}", seen.schedules.size()), planned ? fmt::format("{}", plan.steps.size()) : "unknown",
               planned ? fmt::format("{}", plan.leftovers.size()) : "unknown", month_money(plan.usd_per_month_at_rest),
               month_money(plan.usd_per_month_running)});
  }
  return table.text();
}

std::string profile_text(const CheckData& check) {
  const std::string name = check.spec.profile.name;
  if (check.observed.profile_problem) {
    return fmt::format("instance profile {}: cannot be seen: {}\n", name,
                       terminal_safe(check.observed.profile_problem->text(), 400));
  }
  if (!check.plan.steps.empty()) {
    std::string text;
    for (const fleet::Step& step : check.plan.steps) {
      text += fmt::format("to do in the account: {}\n", terminal_safe(step.text(), 400));
    }
    return text;
  }
  return check.observed.profile && check.plan.drift.empty()
             ? fmt::format("instance profile {}: as it should be\n", name)
             : std::string();
}

// Lines under a title, the first kLinesShownMax of them.
std::string section(const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) {
    return {};
  }
  std::string text = "\n" + title + "\n";
  for (std::size_t i = 0; i < std::min(lines.size(), kLinesShownMax); ++i) {
    text += "  " + terminal_safe(lines[i], 400) + "\n";
  }
  if (lines.size() > kLinesShownMax) {
    text += fmt::format("  ... and {} more: --output json\n", lines.size() - kLinesShownMax);
  }
  return text;
}

// What was seen by looking deeper is seen again by looking as deep.
std::string difference(const CheckData& check, const std::string& where, const fleet::Drift& drift) {
  return fmt::format("{}{}{}: {} (apply{} {})", where, drift.id.empty() ? "" : " ", drift.id, drift.text,
                     check.plan.deep ? " --deep" : "", drift.mended ? "mends it" : "leaves it");
}

std::string differences_text(const CheckData& check) {
  std::vector<std::string> missing;
  std::vector<std::string> differs;
  for (const fleet::Drift& drift : check.plan.drift) {
    differs.push_back(difference(check, "the account", drift));
  }
  for (const RegionPlan& region : check.plan.regions) {
    for (const fleet::Step& step : region.steps) {
      if (step.id.empty()) {
        missing.push_back(fmt::format("{}: {}", region.region, step.text()));
      }
    }
    for (const fleet::Drift& drift : region.drift) {
      differs.push_back(difference(check, region.region, drift));
    }
  }
  return section("missing; 'parallax fleet apply' would:", missing) + section("different:", differs);
}

std::string leftovers_text(const CheckData& check) {
  std::vector<std::string> lines;
  PartlyKnown sum;
  for (const RegionPlan& region : check.plan.regions) {
    for (const fleet::Leftover& left : region.leftovers) {
      sum.add(left.usd_per_month);
      lines.push_back(fmt::format("{}: {} {}{}{}: {}, {} a month", region.region, to_string(left.resource), left.id,
                                  left.name.empty() ? "" : " ", left.name, left.what, month_money(left.usd_per_month)));
    }
  }
  return section(fmt::format("left over, {} a month:", sum.text()), lines);
}

}  // namespace

std::vector<std::string> region_problems(const CheckData& check, std::size_t region) {
  const RegionSeen& seen = check.observed.regions[region];
  std::vector<std::string> problems;
  if (const std::string trouble = region_trouble(check, region); !trouble.empty()) {
    problems.push_back(fmt::format("{}: {}", seen.region, trouble));
  }
  std::size_t more = 0;
  for (const MachineSeen& machine : seen.machines) {
    for (const std::string& problem : machine_problems(check, machine)) {
      if (problems.size() < kProblemsShownMax) {
        problems.push_back(fmt::format("{} {}: {}", seen.region, machine.instance.id, problem));
      } else {
        ++more;
      }
    }
  }
  if (more > 0) {
    problems.push_back(
        fmt::format("{}: {} more problems of machines; --output json lists them all", seen.region, more));
  }
  return problems;
}

std::vector<std::string> region_remarks(const CheckData& check, std::size_t region) {
  const RegionSeen& seen = check.observed.regions[region];
  std::set<std::string> types;
  std::vector<std::string> remarks;
  for (const MachineSeen& machine : seen.machines) {
    const std::string& type = machine.instance.type;
    if (types.insert(type).second && !fleet::hourly_price(seen.region, type)) {
      remarks.push_back(
          fmt::format("{}: the price of {} is not known here: costs print as unknown", seen.region, type));
    }
  }
  return remarks;
}

std::string check_text(const CheckData& check) {
  const PartlyKnown at_rest = sum_of(check, &RegionPlan::usd_per_month_at_rest);
  const PartlyKnown rounds = sum_of(check, &RegionPlan::usd_per_month_running);
  std::string text = machines_text(check) + "\n" + resources_text(check) + profile_text(check) +
                     differences_text(check) + leftovers_text(check) +
                     fmt::format("\na month: {} at rest, {} more for the rounds\n", at_rest.text(), rounds.text());
  if (check.spec.budget_usd_per_month) {
    text +=
        budget_text({at_rest.usd + rounds.usd, at_rest.is_whole && rounds.is_whole}, *check.spec.budget_usd_per_month);
  }
  return text;
}

int check_exit_code(const CheckData& check) {
  const auto matters = [](const auto& item) { return !item.minor; };
  std::size_t unseen = 0;
  bool is_wrong = !check.plan.problem.empty() || !check.plan.steps.empty() || !check.plan.drift.empty();
  for (std::size_t i = 0; i < check.observed.regions.size(); ++i) {
    unseen += check.observed.regions[i].problem ? 1U : 0U;
    const fleet::RegionPlan& plan = plan_of(check, i);
    is_wrong = is_wrong || !region_problems(check, i).empty() ||
               std::any_of(plan.drift.begin(), plan.drift.end(), matters) ||
               std::any_of(plan.steps.begin(), plan.steps.end(), matters);
  }
  return check.observed.problem || (unseen > 0 && unseen == check.observed.regions.size()) ? 1 : is_wrong ? 3 : 0;
}

}  // namespace parallax::cli
