// EventBridge Scheduler's stop rule of a machine (deadman = "guest+scheduler"): it stops the machine even where its
// operating system hangs and nobody else is left. `fleet apply` makes the rule; every start sets it anew, before the
// machine is started, to the minute by which the run must be over. It fires then, and at that time of day ever after.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fleet/region_api.h"
#include "fleet/run.h"

namespace parallax::fleet {

// "cron(M H * * ? *)", UTC: the first minute that is not before `at`, each day.
std::string stop_expression(Instant at);

// The parameters of CreateSchedule and UpdateSchedule, which replaces all of them.
Json stop_rule(const StopRules& whose, std::string_view instance_id, std::string_view expression);

// Sets the rules of these machines, side by side. One answer for each id, in their order; a machine that has no rule is
// `not_found`.
std::vector<Result<>> set_stop_rules(const FleetDeps& deps, const StopRules& whose, const std::string& region,
                                     const std::vector<std::string>& ids, Instant at, const RegionApi::Limits& limits);

}  // namespace parallax::fleet
