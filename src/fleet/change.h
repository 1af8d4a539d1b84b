// Carries out a plan: the account's steps first, then all regions side by side, a region's steps in order, each waiting
// for the state that it needs. Every step can be repeated safely; whatever fails ends its own region alone.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "fleet/plan.h"
#include "fleet/run.h"

namespace parallax::fleet {

struct ChangeOptions {
  Micros image_timeout{Seconds(2 * 3600)};  // for a copy
  Micros state_timeout{Seconds(600)};       // for an instance's state
  Micros profile_timeout{Seconds(180)};     // until EC2 knows a new profile
  Micros image_poll{Seconds(15)};
  Micros state_poll{Seconds(3)};
  std::size_t ids_a_call = 50;  // of batched calls
};

enum class StepState { waiting, doing, done, failed, left };  // left: not begun, for an earlier one failed

struct StepOutcome {
  Step step;
  StepState state = StepState::waiting;
  std::string id;    // of what was made
  std::string note;  // "type t2.micro in us-east-1b after no capacity for t3.micro in us-east-1a"
  std::optional<Error> error;
  Micros took{0};
};

struct RegionChange {
  std::string region;  // empty: the account
  std::string problem;
  std::vector<StepOutcome> steps;
  Micros took{0};  // from its first step's beginning until its last one's end
};

struct ChangeOutcome {
  std::vector<RegionChange> regions;  // the account first
  int exit_code = 0;                  // 0, 1, 3 or 130
  // Instances that a failed or interrupted change may have left running, "eu-west-3 i-...: its timer fires at ...".
  std::vector<std::string> left_running;
};

// At each change of a step, and with a note while one waits. From the region's task; must not block for long.
using ChangeObserver = std::function<void(const std::string& region, const StepOutcome& step)>;

// When `stop` is requested no new step is begun, machines that were launched are stopped, and the exit code is 130.
ChangeOutcome carry_out(const FleetDeps& deps, const Spec& spec, const Observed& observed, const Plan& plan,
                        const ChangeOptions& options, const ChangeObserver& observe, std::stop_token stop,
                        std::stop_token hard_stop);

}  // namespace parallax::fleet
