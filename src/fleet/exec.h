// A script on machines that run already: neither claimed nor stopped. And a longer stay for them.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "fleet/run.h"

namespace parallax::fleet {

struct ExecOutcome {
  std::string region, vantage, instance_id;
  std::optional<int> exit_code;
  std::string output;   // with many machines stdout and stderr together and the first 2500 characters alone
  std::string problem;  // why it did not run, or that its end was not seen: a sentence

  bool done() const { return problem.empty() && exit_code == 0; }
};

struct ExecOptions {
  std::string id;  // a ULID: marks the commands, so that one whose answer was lost is found
  Micros poll{Seconds(1)};
  Micros timeout{Seconds(600)};        // of the script
  Micros agent_timeout{Seconds(120)};  // until the agent takes it
};

// From a region's task, once for each machine when it has ended. Must not block for long.
using ExecObserver = std::function<void(const ExecOutcome& outcome)>;

// All regions at once, in a region fifty machines a call. When `stop` is requested what runs is cancelled.
std::vector<ExecOutcome> exec_running(const FleetDeps& deps, const std::vector<RegionVantages>& vantages,
                                      const std::string& script, const ExecOptions& options,
                                      const ExecObserver& observe, std::stop_token stop);

struct HoldOutcome {
  std::string region, vantage, instance_id;
  std::optional<Instant> until;  // when its timer fires now
  std::string problem;
};

// Gives running machines `time` from now: their lease is written anew and their timer replaced. Others have a problem.
// The lease's run stays what it is; a machine without a lease gets one of `options.id`. `rules`: their stop rules are
// set anew too.
std::vector<HoldOutcome> hold(const FleetDeps& deps, const std::vector<RegionVantages>& vantages, Micros time,
                              const std::string& owner, const std::optional<StopRules>& rules,
                              const ExecOptions& options, std::stop_token stop);

}  // namespace parallax::fleet
