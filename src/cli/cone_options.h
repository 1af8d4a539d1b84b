// The options that say how cones are drawn.
#pragma once

#include <vector>

#include "cli/args.h"
#include "cli/world.h"
#include "record/cone.h"

namespace parallax::cli {

// --cones, --seed, --min-radius, --max-radius.
std::vector<Option> cone_options();
// Error: invalid, naming the option.
Result<ConeParameters> cone_parameters(const Arguments& arguments, World& world);

}  // namespace parallax::cli
