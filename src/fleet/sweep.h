// What of ours runs longer than it may.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fleet/run.h"

namespace parallax::fleet {

// Why the machine should not run any more, a clause; nothing where it may, or does not run.
// A lease that was written since its start says until when. Without one it has its boot timer's time. Each has some
// minutes more, in which its own timer acts first.
std::optional<std::string> why_overdue(const Instance& instance, Micros boot_timer, Instant now);

// Only the overdue ones, with the reason of each by its id.
struct Overdue {
  std::vector<RegionVantages> machines;
  std::map<std::string, std::string> why;
};

Overdue find_overdue(const std::vector<RegionVantages>& found, Micros boot_timer, Instant now);

}  // namespace parallax::fleet
