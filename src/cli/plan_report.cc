#include "cli/plan_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/table.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kCostColumn = 84;
constexpr std::size_t kSamples = 3;
constexpr std::size_t kLinesShownMax = 50;  // of drift, leftovers or what is kept, in one region
constexpr std::size_t kTextMax = 400;

// + makes, ~ changes, - deletes, . waits.
char mark_of(fleet::StepKind kind) {
  using Kind = fleet::StepKind;
  switch (kind) {
    case Kind::delete_image:
    case Kind::delete_key:
    case Kind::delete_schedule:
    case Kind::terminate:
    case Kind::delete_volume:
    case Kind::release_address:
    case Kind::delete_snapshot:
    case Kind::delete_group:
    case Kind::delete_profile:
    case Kind::delete_role:
      return '-';
    case Kind::make_role:
    case Kind::make_profile:
    case Kind::make_scheduler_role:
    case Kind::copy_image:
    case Kind::import_key:
    case Kind::make_group:
    case Kind::launch:
    case Kind::make_schedule:
      return '+';
    case Kind::wait_image:
      return '.';
    default:
      return '~';
  }
}

// What a step says of money: nothing where it costs nothing.
std::string step_money(const std::optional<double>& usd) {
  if (usd && *usd == 0) {
    return "";
  }
  return usd && *usd < 0 ? fmt::format("saves {}", month_money(-*usd)) : month_money(usd);
}

std::string with_cost(std::string line, const std::string& cost) {
  if (cost.empty()) {
    return line + "\n";
  }
  const std::size_t width = display_width(line);
  line.append(width < kCostColumn ? kCostColumn - width : 1, ' ');
  return line + "  " + cost + "\n";
}

std::string step_text(const fleet::Step& step) {
  std::string text = with_cost(fmt::format("  {} {}", mark_of(step.kind), terminal_safe(step.text(), kTextMax)),
                               step_money(step.usd_per_month));
  for (const std::string& detail : step.details) {
    text += fmt::format("      {}\n", terminal_safe(detail, kTextMax));
  }
  return text;
}

// Steps of one kind that follow each other: the first few, then their number and what they cost together.
std::string steps_text(const std::vector<fleet::Step>& steps) {
  std::string text;
  for (std::size_t begin = 0; begin < steps.size();) {
    std::size_t end = begin;
    PartlyKnown together;
    while (end < steps.size() && steps[end].kind == steps[begin].kind) {
      together.add(steps[end].usd_per_month);
      ++end;
    }
    const bool many = end - begin > kStepsShownMax;
    for (std::size_t i = begin; i < (many ? begin + kSamples : end); ++i) {
      text += step_text(steps[i]);
    }
    if (many) {
      const bool free = together.is_whole && together.usd == 0;
      text += with_cost(fmt::format("    ... and {} more of the kind '{}'; --output json lists them all",
                                    end - begin - kSamples, to_string(steps[begin].kind)),
                        free ? "" : together.text() + " together");
    }
    begin = end;
  }
  return text;
}

// At most kLinesShownMax of `lines`, each with `prefix`.
std::string lines_text(const std::vector<std::string>& lines, const std::string& prefix) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kLinesShownMax); ++i) {
    text += prefix + terminal_safe(lines[i], kTextMax) + "\n";
  }
  if (lines.size() > kLinesShownMax) {
    text += fmt::format("{}... and {} more; --output json lists them all\n", prefix, lines.size() - kLinesShownMax);
  }
  return text;
}

// What no step mends; the others are told by their steps.
std::string drift_text(const std::vector<fleet::Drift>& drifts) {
  std::vector<std::string> stays;
  for (const fleet::Drift& drift : drifts) {
    if (!drift.mended) {
      stays.push_back(fmt::format("{}{}{}", drift.id, drift.id.empty() ? "" : ": ", drift.text));
    }
  }
  return lines_text(stays, "  ! differs and stays: ");
}

std::string region_text(const fleet::RegionPlan& region) {
  std::string text = steps_text(region.steps) + drift_text(region.drift);
  std::vector<std::string> leftovers;
  for (const fleet::Leftover& left : region.leftovers) {
    leftovers.push_back(fmt::format("{} {}{}{}: {} ({} a month)", to_string(left.resource), left.id,
                                    left.name.empty() ? "" : " ", left.name, left.what,
                                    month_money(left.usd_per_month)));
  }
  text += lines_text(leftovers, "  ? left over: ");
  text += lines_text(region.kept, "  = stays: ");
  if (!region.problem.empty()) {
    text += fmt::format("  x cannot be planned: {}\n", terminal_safe(region.problem, kTextMax));
  }
  return text;
}

// Regions with nothing to say share one line.
std::string regions_text(const fleet::Plan& plan) {
  std::string text;
  std::string silent;
  for (const fleet::RegionPlan& region : plan.regions) {
    const std::string own = region_text(region);
    if (own.empty()) {
      silent += (silent.empty() ? "" : ", ") + region.region;
    } else {
      text += fmt::format("\n{}\n{}", region.region, own);
    }
  }
  return silent.empty() ? text : fmt::format("{}\nnothing to do in {}\n", text, silent);
}

std::string costs_text(const fleet::Plan& plan, const PlanTextOptions& options) {
  Table table({"costs a month", "at rest>", "rounds>", "together>"});
  PartlyKnown at_rest;
  PartlyKnown rounds;
  PartlyKnown all;
  for (const fleet::RegionPlan& region : plan.regions) {
    if (!region.problem.empty()) {
      table.add({region.region, "unknown", "unknown", "unknown"});
      all.is_whole = at_rest.is_whole = rounds.is_whole = false;
      continue;
    }
    PartlyKnown both;
    both.add(region.usd_per_month_at_rest);
    both.add(region.usd_per_month_running);
    at_rest.add(region.usd_per_month_at_rest);
    rounds.add(region.usd_per_month_running);
    all.add(region.usd_per_month_at_rest);
    all.add(region.usd_per_month_running);
    table.add({region.region, month_money(region.usd_per_month_at_rest), month_money(region.usd_per_month_running),
               both.text()});
  }
  table.add({"all", at_rest.text(), rounds.text(), all.text()});
  return "\n" + table.text() +
         (options.budget_usd_per_month ? budget_text(all, *options.budget_usd_per_month) : std::string());
}

}  // namespace

std::string budget_text(const PartlyKnown& together, double budget) {
  if (together.usd > budget) {
    return fmt::format("over the budget of {} a month by {}{}\n", month_money(budget),
                       month_money(together.usd - budget), together.is_whole ? "" : " at least");
  }
  return fmt::format("{} the budget of {} a month\n", together.is_whole ? "within" : "as far as known within",
                     month_money(budget));
}

void PartlyKnown::add(const std::optional<double>& part) {
  usd += part.value_or(0);
  is_whole = is_whole && part.has_value();
}

std::string PartlyKnown::text() const {
  if (is_whole) {
    return month_money(usd);
  }
  return usd > 0 ? month_money(usd) + " + unknown" : "unknown";
}

std::string month_money(const std::optional<double>& usd) {
  if (!usd) {
    return "unknown";
  }
  return *usd != 0 && std::abs(*usd) < 0.01 ? fmt::format("${:.4f}", *usd) : fmt::format("${:.2f}", *usd);
}

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string plan_headline(const fleet::Plan& plan) {
  const std::string whose =
      fmt::format("fleet {}{}{}", plan.fleet, plan.account.empty() ? "" : ", account ", plan.account);
  if (!plan.problem.empty()) {
    return terminal_safe(whose + ": nothing can be planned");
  }
  const std::size_t steps = plan.count_steps();
  if (steps == 0) {
    const bool known = plan_problems(plan).empty();
    return terminal_safe(fmt::format("{}: nothing to {}{}", whose,
                                     plan.kind == fleet::PlanKind::clear   ? "delete"
                                     : plan.kind == fleet::PlanKind::adopt ? "adopt"
                                                                           : "change",
                                     known ? "" : ", as far as can be seen"));
  }
  const auto regions = static_cast<std::size_t>(std::count_if(
      plan.regions.begin(), plan.regions.end(), [](const auto& region) { return !region.steps.empty(); }));
  return terminal_safe(fmt::format("{}: {} in {}{}", whose, counted(steps, "step"), counted(regions, "region"),
                                   plan.steps.empty() ? "" : " and the account"));
}

std::vector<std::string> plan_problems(const fleet::Plan& plan) {
  std::vector<std::string> problems;
  if (!plan.problem.empty()) {
    problems.push_back(plan.problem);
  }
  for (const fleet::RegionPlan& region : plan.regions) {
    if (!region.problem.empty()) {
      problems.push_back(fmt::format("{}: {}", region.region, region.problem));
    }
  }
  return problems;
}

int plan_exit_code(const fleet::Plan& plan) {
  if (!plan.problem.empty()) {
    return 1;
  }
  const std::size_t failed = plan_problems(plan).size();
  return failed == 0 ? 0 : failed == plan.regions.size() ? 1 : 3;
}

std::string plan_text(const fleet::Plan& plan, const PlanTextOptions& options) {
  std::string text = plan_headline(plan) + "\n";
  if (!plan.problem.empty()) {
    return text + terminal_safe(plan.problem) + "\n";
  }
  const std::string account = steps_text(plan.steps) + drift_text(plan.drift) + lines_text(plan.kept, "  = stays: ");
  if (!account.empty()) {
    text += "\nthe account\n" + account;
  }
  text += regions_text(plan);
  // Of a clear: what stays costs. To adopt costs nothing.
  const bool has_costs = plan.kind == fleet::PlanKind::apply || (plan.kind == fleet::PlanKind::clear && !plan.empty());
  return has_costs ? text + costs_text(plan, options) : text;
}

}  // namespace parallax::cli
