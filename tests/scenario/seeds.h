// What a seed does by itself: its rounds, deaths and restarts, then the good end.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "sim/world/strand.h"
#include "tests/scenario/fleet_world.h"
#include "tests/scenario/options.h"

namespace parallax::scenario {

void play(FleetWorld& fleet, const ScenarioOptions& options);

struct SeedReport {
  bool ok = false;
  std::string failure;
  std::pair<std::uint64_t, std::uint64_t> fingerprint;
  std::uint64_t events = 0;
  int gaps = 0;
  std::size_t measurements = 0;
};

SeedReport play_options(const ScenarioOptions& options, sim::StrandKind strands, bool verbose);

// The options that the seed draws (options.h).
SeedReport play_seed(std::uint64_t seed, sim::StrandKind strands, bool verbose);

}  // namespace parallax::scenario
