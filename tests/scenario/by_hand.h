// What somebody does by hand to a fleet's resources.
#pragma once

#include <string>

#include "tests/scenario/fleet_world.h"
#include "tests/scenario/options.h"

namespace parallax::scenario {

// Does it in that region, where there is something to do it to.
void drift_by_hand(FleetWorld& fleet, const std::string& region, Drift drift);

// Takes these actions from the controllers' user; none: gives all rights back.
void withdraw_by_hand(FleetWorld& fleet, const std::vector<std::string>& actions);

}  // namespace parallax::scenario
