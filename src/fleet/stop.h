// Stopping and looking at the fleet's machines, all regions at once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fleet/run.h"

namespace parallax::fleet {

struct StopOutcome {
  std::string region, vantage, instance_id;
  bool stopped = false;  // seen stopped
  std::string note;      // "was stopped already", "stopped in 12 s", or what went wrong
};

// Stops every machine in `vantages` and waits until each is seen stopped, `timeout` at most. A machine that is stopped
// already is left alone and said so. A region's problem is one outcome without an instance.
std::vector<StopOutcome> stop_vantages(const FleetDeps& deps, const std::vector<RegionVantages>& vantages, Micros poll,
                                       Micros timeout, std::stop_token stop, const TroubleObserver& observe = {});

// What `fleet check` knows of one machine beyond its Describe.
struct CheckRow {
  Vantage vantage;
  std::string shutdown_behaviour;
  std::optional<Instant> last_ping;   // of its agent, while Online
  std::vector<std::string> problems;  // sentences
};

struct RegionCheck {
  std::string region, problem;
  std::vector<CheckRow> rows;
};

std::vector<RegionCheck> check_vantages(const FleetDeps& deps, const std::vector<RegionVantages>& vantages,
                                        Micros timeout, std::stop_token stop);

}  // namespace parallax::fleet
