// One job at one vantage: start, wait until the agent answers, command, collect, stop.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "codec/json.h"

namespace parallax {

inline constexpr std::string_view kRunSchema = "parallax.run.v1";

// issued: the run has an id and a token, nothing was started yet. The rest follows the machine.
enum class RunState { issued, starting, waiting_for_agent, running, stopping, done, failed };

std::string_view to_string(RunState state);
std::optional<RunState> parse_run_state(std::string_view text);

inline bool is_ended(RunState state) {
  return state == RunState::done || state == RunState::failed;
}

struct RunEvent {
  Instant at;
  RunState state = RunState::issued;
  std::string note;
};

struct Run {
  std::string run_id, round_id, fleet, vantage;
  std::string region, instance_id, instance_type;  // empty for a host of one's own
  RunState state = RunState::issued;
  std::vector<RunEvent> timeline;
  std::optional<Instant> started_at;  // the cloud's LaunchTime
  std::optional<Instant> stopped_at;  // the cloud's stop time where it tells, else when we saw it stopped
  std::optional<std::int64_t> billed_seconds;
  std::optional<double> cost_usd;  // absent: the price is not known
  std::optional<int> exit_code;
  std::string cause;     // why it failed; empty otherwise
  std::string log_tail;  // the job's last output lines
  JsonObject extra;
};

Json to_json(const Run& run);
Result<Run> run_from_json(const Json& json);

}  // namespace parallax
