// The bugs that are planted to test the tests (base/sim_bugs.h).
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "base/sim_bugs.h"

namespace parallax::scenario {

inline constexpr std::array<std::pair<std::string_view, bool SimBugs::*>, 5> kPlantedBugs = {{
    {"skip_stop", &SimBugs::skip_stop},
    {"trust_stale_ping", &SimBugs::trust_stale_ping},
    {"drop_confirmed_check", &SimBugs::drop_confirmed_check},
    {"launch_without_token", &SimBugs::launch_without_token},
    {"trust_the_name", &SimBugs::trust_the_name},
}};

#ifdef PARALLAX_SIM_BUGS
// Switches that bug on. False: no such bug.
inline bool plant(std::string_view name) {
  for (const auto& [known, member] : kPlantedBugs) {
    if (known == name) {
      sim_bugs.*member = true;
      return true;
    }
  }
  return false;
}
#endif

}  // namespace parallax::scenario
