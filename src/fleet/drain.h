// What machines still hold is sent to the collector before they are deleted. A stopped machine's spool can only be seen
// by starting it: a round whose job sends the spool and counts what is left, with claim, lease, timer and stop of any
// round.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/run.h"

namespace parallax::fleet {

struct SpoolCount {
  std::int64_t waiting = 0;   // measurements that no collector has confirmed
  std::int64_t rejected = 0;  // that a collector refused; they are nowhere else
};

struct DrainOutcome {
  std::string region, vantage, instance_id;
  std::optional<SpoolCount> left;  // absent: not known
  std::string problem;             // why it is not known, or not empty: a sentence
  bool left_running = false;

  bool empty() const { return left && left->waiting == 0 && left->rejected == 0; }
};

// The job: sends where `collector` is given (with the order's token), counts, says "parallax-spool WAITING REJECTED".
// A machine without a spool says 0 0.
std::string drain_script(const std::string& collector);

// What the job's output says.
std::optional<SpoolCount> parse_drain_output(std::string_view output);

// `round`: fleet, round id, collector and signing key; the rest is set here. All regions at once. One outcome for each
// machine; a region that could not be looked at has one without an instance.
std::vector<DrainOutcome> drain_spools(const FleetDeps& deps, RoundSpec round, const RunOptions& options,
                                       const std::vector<RegionVantages>& vantages, const RunObserver& observe,
                                       std::stop_token stop, std::stop_token hard_stop);

}  // namespace parallax::fleet
