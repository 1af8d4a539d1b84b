// Which of the fleet's machines a command is for: --instance, --tag, --count.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "fleet/run.h"

namespace parallax::fleet {

struct Selection {
  std::vector<std::string> instances;                     // ids; empty: all
  std::vector<std::pair<std::string, std::string>> tags;  // key and value; a machine must have all of them
  std::optional<std::size_t> count;                       // at most so many of each region, in the order of their ids

  bool empty() const { return instances.empty() && tags.empty() && !count; }
};

// Error: invalid, naming the text, where it is not KEY=VALUE. The value may hold further '='.
Result<std::pair<std::string, std::string>> parse_tag(std::string_view text);

// What is left of `found`: regions keep their problems, those without problem and machines are left out.
// Error: invalid for an id that no machine of the regions has (unavailable where a region could not be looked at: it
// may be there); not_found where no machine has the tags.
Result<std::vector<RegionVantages>> select_vantages(std::vector<RegionVantages> found, const Selection& selection);

}  // namespace parallax::fleet
