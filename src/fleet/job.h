// What a machine is told to do: the script that arms its timer, writes its order and starts the job; and the order
// itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "fleet/delivery.h"
#include "record/order.h"
#include "record/run.h"
#include "record/token.h"

namespace parallax::fleet {

// Whose stop rules EventBridge Scheduler keeps (stop_rule.h).
struct StopRules {
  std::string fleet, account, partition;
};

// Everything of a round that is equal for all its vantages.
struct RoundSpec {
  std::string fleet, round_id;
  std::string collector;                  // URL as the vantages reach it; empty: results stay in their spools
  std::optional<SigningKey> signing_key;  // absent: orders carry no token
  ConeParameters cones;
  std::vector<Cone> cone_list;  // explicit cones instead of seeded ones
  std::vector<Service> services;
  std::vector<Provider> providers;
  std::string command;  // the user's own job; empty: our probe
  // What machines that lack this build fetch before our probe; absent: they use the `parallax` on their PATH. Needs
  // `collector` and `signing_key`. A `command` of the user's is run without.
  std::optional<Bundle> bundle;
  // No job: the machine's timer is armed for job_timeout and it is left running (`fleet start`).
  bool keep_running = false;
  // `command` wants no order: nothing of one is delivered (`fleet exec`).
  bool without_order = false;
  std::optional<StopRules> stop_rules;  // present: each machine's rule is set before it is started
  Micros job_timeout{Seconds(1800)};
  Micros margin{Seconds(180)};       // from the job's time-out to the machine's own timer
  Micros begin_after{Seconds(120)};  // where vantages take turns: from the round's start to the first turn
};

// How a job's script ends, and what it says on stderr, where the timer could not be armed: nothing was run.
inline constexpr int kNoTimerExitCode = 97;
inline constexpr std::string_view kNoTimerText = "parallax: the timer could not be armed";

// A machine powers itself off this many minutes after its order arrived, whatever happened to everybody else.
std::int64_t timer_minutes(const RoundSpec& round);

// The length of one vantage's turn at a provider that several vantages may not query at once; zero where no provider
// needs turns (one vantage, or all providers are `simultaneous`).
Micros turn_length(const RoundSpec& round, int vantages);

// The order of one vantage. `position` is its turn, from 0. Error: invalid (key).
Result<Order> make_order(const RoundSpec& round, const Run& run, int position, int vantages, Instant round_start);

// The script for AWS-RunShellScript: first `shutdown -P +N`, then the order as a here-document into a 0600 file on
// tmpfs that is removed at the end, then the job. The order is never in argv and never in the output. Exit codes of our
// own: 97 the timer could not be armed (nothing was run), 98 no place for the order, those of delivery.h.
std::string job_script(const RoundSpec& round, const Order& order);

// Whether the script is the same for every vantage of the round: nothing of it comes from an order.
bool same_script(const RoundSpec& round);

// The comment by which a run's command is found again.
std::string command_comment(const std::string& run_id);

}  // namespace parallax::fleet
