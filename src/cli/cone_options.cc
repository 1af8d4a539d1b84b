#include "cli/cone_options.h"

#include <algorithm>

#include <fmt/format.h>

namespace parallax::cli {

std::vector<Option> cone_options() {
  return {Option{"--cones", OptionKind::value, "N", "how many (default 10)"},
          Option{"--seed", OptionKind::value, "S", "equal seeds give equal cones everywhere (default: drawn and told)"},
          Option{"--min-radius", OptionKind::value, "DEG", "degrees (default 0.05)"},
          Option{"--max-radius", OptionKind::value, "DEG", "degrees (default 0.25)"}};
}

Result<ConeParameters> cone_parameters(const Arguments& arguments, World& world) {
  ConeParameters parameters;
  parameters.count = static_cast<int>(TRY(arguments.integer("--cones", 10, 1, 1'000'000)));
  parameters.seed = TRY(arguments.seed("--seed", world.rng.next()));
  // One of the two alone moves the other's default along.
  parameters.radius_min = TRY(arguments.number("--min-radius", 0.05, 0, 180));
  parameters.radius_max = TRY(arguments.number("--max-radius", std::max(0.25, parameters.radius_min), 0, 180));
  if (!arguments.has("--min-radius")) {
    parameters.radius_min = std::min(parameters.radius_min, parameters.radius_max);
  }
  if (parameters.radius_min > parameters.radius_max) {
    return make_error(ErrorKind::invalid, fmt::format("--min-radius {} is above --max-radius {}", parameters.radius_min,
                                                      parameters.radius_max));
  }
  return parameters;
}

}  // namespace parallax::cli
