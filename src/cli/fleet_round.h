// A round as `fleet run`, `start` and `exec` carry it out: journal, progress, reports to the collector.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/fleet_session.h"
#include "cli/world.h"
#include "fleet/run.h"

namespace parallax::cli {

// Whose stop rules must be set before machines are started; absent where the configuration wants none. Asks who we are.
Result<std::optional<fleet::StopRules>> stop_rules_of(World& world, const FleetSession& session);

// Runs the round, with stop rules where the configuration wants them. The journal is left out, and said so, where it
// cannot be opened. `observe` hears of each change too.
Result<fleet::RoundOutcome> carry_out_round(const Arguments& arguments, World& world, const FleetSession& session,
                                            fleet::RoundSpec round, const std::vector<fleet::RegionVantages>& found,
                                            const fleet::RunObserver& observe = {});

// Public DNS names by instance id.
using PublicNames = std::map<std::string, std::string>;

// On stdout: each run as a row or as JSON. `kept`: machines whose run went well are left running, with these names.
void print_round(const fleet::RoundOutcome& outcome, bool json, bool kept, const PublicNames& names = {});

// On stderr: what could not be seen stopped, and the last output of jobs that failed.
void tell_left_running(const fleet::RoundOutcome& outcome);

}  // namespace parallax::cli
