// A round: every vantage's machine is started, does its job and is stopped, all regions at once. (Design, journey 2.)
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "aws/client.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/rng.h"
#include "fleet/job.h"
#include "fleet/journal.h"
#include "fleet/region_api.h"
#include "record/run.h"

namespace parallax::fleet {

struct RunOptions {
  std::string owner;                   // "host:pid", for the lease
  Micros poll{Seconds(1)};             // between two looks at a region; one look is one Describe for all its machines
  Micros start_timeout{Seconds(300)};  // until running
  Micros agent_timeout{Seconds(420)};  // from running until the agent answers
  Micros stop_timeout{Seconds(600)};   // until seen stopped; then we say so and give up
};

// A machine that a region's Describe showed.
struct Vantage {
  std::string name;  // the region, or region/instance-id where a region has several
  Instance instance;
};

struct FleetDeps {
  aws::Client& client;
  Clock& clock;
  Rng& rng;
  Executor& executor;
  Journal* journal = nullptr;  // optional
};

// What happened to one vantage. `run` tells the rest.
struct VantageOutcome {
  Run run;
  bool left_running = false;  // could not be seen stopped
  std::string timer_note;     // where left_running: when its own timer fires, or that none is armed
};

struct RegionOutcome {
  std::string region;
  std::string problem;  // the region could not be looked at at all
  std::vector<VantageOutcome> vantages;
};

struct RoundOutcome {
  std::vector<RegionOutcome> regions;
  int exit_code = 0;  // 0, 1, 3, 4 or 130 as in design section 5
};

// Called at every change of a run's state, and when something keeps it waiting (AWS or its agent does not answer), goes
// on in another way, or is over: the latest entry of the timeline tells. From the region's task. Must not block for
// long.
using RunObserver = std::function<void(const Run& run)>;

// Told when a region keeps us waiting, goes on doing so in another way, or answers again. From the region's task.
using TroubleObserver = std::function<void(const std::string& region, const std::string& text)>;

// The fleet's machines in these regions, all regions at once. A region that fails has a problem instead. One that
// throttles us is asked again, with growing gaps, until `timeout`.
struct RegionVantages {
  std::string region;
  std::string problem;
  std::vector<Vantage> vantages;
  bool unseen = false;  // the problem is that it could not be looked at, not that it has no machine
};

std::vector<RegionVantages> find_vantages(const FleetDeps& deps, const std::string& fleet,
                                          const std::vector<std::string>& regions, Micros timeout, std::stop_token stop,
                                          const TroubleObserver& observe = {});

// Runs the round. When `stop` is requested every machine is stopped at once and the outcome's exit code is 130; when
// `hard_stop` is requested nothing more is waited for. Whatever fails, a machine that this round started is stopped.
RoundOutcome run_round(const FleetDeps& deps, const RoundSpec& round, const RunOptions& options,
                       const std::vector<RegionVantages>& vantages, const RunObserver& observe, std::stop_token stop,
                       std::stop_token hard_stop);

// One line for a person about an ended run: "eu-west-3: done in 41.2 s, exit code 0, 61 s billed".
std::string describe_outcome(const VantageOutcome& outcome);

}  // namespace parallax::fleet
