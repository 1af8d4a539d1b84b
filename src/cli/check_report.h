// What `fleet check` shows: machines and what belongs to them, region by region, as a table or as JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/json.h"
#include "fleet/observed.h"
#include "fleet/plan.h"

namespace parallax::cli {

// More machines than this in a region are one row of the table. The JSON has them all.
inline constexpr std::size_t kMachinesShownMax = 20;

struct CheckData {
  const fleet::Spec& spec;
  const fleet::Observed& observed;
  const fleet::Plan& plan;  // what apply would do now; its regions in the order of observed.regions
  Instant now;
};

// What is wrong with a region and its machines, a sentence each; empty for a healthy one.
std::vector<std::string> region_problems(const CheckData& check, std::size_t region);
// What is not wrong and still worth a line: prices that are not known.
std::vector<std::string> region_remarks(const CheckData& check, std::size_t region);

// Machines, resources, what is missing or differs, leftovers, costs. Ends with a line feed.
std::string check_text(const CheckData& check);

// One region with everything that was seen in it. A document of thousands of machines is written region by region.
Json region_to_json(const CheckData& check, std::size_t region);
// What stands before and after the regions: fleet, account, profile; sums.
Json check_summary_to_json(const CheckData& check);

// 0 all as it should be; 3 something is wrong, missing or different; 1 no region could be looked at.
int check_exit_code(const CheckData& check);

}  // namespace parallax::cli
