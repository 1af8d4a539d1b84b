// A plan as text for a person: what will be made, changed or deleted and why, what it costs, what stays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/plan.h"

namespace parallax::cli {

// More steps of one kind in a region than this are told by the first few and a count. The JSON has them all.
inline constexpr std::size_t kStepsShownMax = 20;

struct PlanTextOptions {
  std::optional<double> budget_usd_per_month;
};

// The account's steps, then region by region; costs per month; leftovers, drift that stays, what is kept, problems.
// Ends with a line feed. Safe for a terminal.
std::string plan_text(const fleet::Plan& plan, const PlanTextOptions& options);

// "fleet NAVO, account 000000000000: 14 steps in 2 regions", or "...: nothing to change".
std::string plan_headline(const fleet::Plan& plan);

// What hinders: the plan's own problem, then a region's, a sentence each.
std::vector<std::string> plan_problems(const fleet::Plan& plan);

// A sum in which a part may be unknown: "$1.20", "unknown", "$1.20 and what is not known".
struct PartlyKnown {
  double usd = 0;
  bool is_whole = true;

  void add(const std::optional<double>& part);
  std::string text() const;
};

// "$1.20" for a month; "unknown" where absent; below a cent with more digits.
std::string month_money(const std::optional<double>& usd);

// "within the budget of $10.00 a month\n", or by how much it is exceeded.
std::string budget_text(const PartlyKnown& together, double budget);

// 0 done, 1 nothing could be planned or every region has a problem, 3 some have.
int plan_exit_code(const fleet::Plan& plan);

// "1 step", "3 steps".
std::string counted(std::size_t count, const std::string& noun);

}  // namespace parallax::cli
