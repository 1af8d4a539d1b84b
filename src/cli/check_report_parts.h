// What the table and the JSON of `fleet check` have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/check_report.h"
#include "cli/plan_report.h"

namespace parallax::cli {

// What the plan says of the observation's region; nothing where it could not be made.
const fleet::RegionPlan& plan_of(const CheckData& check, std::size_t region);
// Why the region could not be seen or planned; empty where it could.
std::string region_trouble(const CheckData& check, std::size_t region);
// The region, and the instance's id where it is not the only one.
std::string vantage_name(const fleet::RegionSeen& region, const fleet::MachineSeen& machine);
std::optional<Instant> ping_of(const fleet::RegionSeen& region, const std::string& id);
// What keeps a machine from a run, or costs money, a sentence each.
std::vector<std::string> machine_problems(const CheckData& check, const fleet::MachineSeen& machine);
// Of all regions; not whole where one is not known.
PartlyKnown sum_of(const CheckData& check, std::optional<double> fleet::RegionPlan::*part);

}  // namespace parallax::cli
