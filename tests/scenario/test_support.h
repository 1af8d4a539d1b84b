// What the scenarios share.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/scenario/fleet_world.h"

namespace parallax::scenario {

#ifdef PARALLAX_SANITIZED
inline constexpr int kSlowdown = 10;  // fewer seeds where everything takes longer
#else
inline constexpr int kSlowdown = 1;
#endif

// A world where nothing goes wrong by itself.
inline ScenarioOptions calm(std::uint64_t seed, int regions = 2) {
  ScenarioOptions options;
  options.seed = seed;
  options.regions = regions;
  return options;
}

// Runs `script` and the good end in a world of these options.
inline void tell(const ScenarioOptions& options, const std::function<void(FleetWorld&)>& script) {
  FleetWorld fleet(options, sim::default_strand_kind(), false);
  const Result<> outcome = fleet.run([&](FleetWorld& f) {
    script(f);
    f.good_end();
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
}

// The one vantage of that region, or nullptr.
inline const fleet::VantageOutcome* outcome_of(const RoundResult& result, const std::string& region) {
  for (const fleet::RegionOutcome& candidate : result.outcome.regions) {
    if (candidate.region == region && candidate.vantages.size() == 1) {
      return &candidate.vantages.front();
    }
  }
  return nullptr;
}

inline bool all_in_state(const FleetWorld& fleet, const std::string& state) {
  const auto ours = fleet.fleet_instances();
  return std::all_of(ours.begin(), ours.end(), [&](const sim::InstanceView& view) { return view.state == state; });
}

// That operation fails so in that region; an empty one: in all.
inline sim::FaultHook fail_operation(const std::string& region, const std::string& operation, sim::FaultKind kind) {
  return [=](const std::string& r, const std::string& /*service*/, const std::string& o) {
    const bool strikes = (region.empty() || r == region) && (operation.empty() || o == operation);
    return sim::Fault{strikes ? kind : sim::FaultKind::none, Micros(0)};
  };
}

}  // namespace parallax::scenario
