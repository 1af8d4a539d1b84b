// The commands below `fleet`, one file each, and what they share.
#pragma once

#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/fleet_session.h"
#include "cli/world.h"
#include "fleet/run.h"
#include "fleet/select.h"

namespace parallax::cli {

Command fleet_adopt_command();
Command fleet_apply_command();
Command fleet_check_command();
Command fleet_clear_command();
Command fleet_cost_command();
Command fleet_exec_command();
Command fleet_hold_command();
Command fleet_image_command();
Command fleet_plan_command();
Command fleet_policy_command();
Command fleet_regions_command();
Command fleet_run_command();
Command fleet_start_command();
Command fleet_stop_command();
Command fleet_sweep_command();

// Only a region that throttles us is asked for so long; one that cannot be reached is given up after a few attempts.
inline constexpr Micros kFindTimeout{Seconds(300)};

// --output. Error: invalid.
Result<bool> wants_json(const Arguments& arguments);

std::size_t count_vantages(const std::vector<fleet::RegionVantages>& found);
// Regions that could not be looked at or hold no machine.
std::size_t count_problems(const std::vector<fleet::RegionVantages>& found);
// Says on stderr which regions could not be looked at.
void tell_problems(const std::vector<fleet::RegionVantages>& found);
// A fleet::TroubleObserver that says it on stderr.
void tell_trouble(const std::string& region, const std::string& text);

// --instance, --tag, --count: which machines of the regions; the same for all commands that touch machines.
std::vector<Option> selection_options();
// Error: invalid, naming the option.
Result<fleet::Selection> read_selection(const Arguments& arguments);
// The fleet's machines that were chosen. Errors: those of select_vantages().
Result<std::vector<fleet::RegionVantages>> find_selected(const Arguments& arguments, World& world,
                                                         const FleetSession& session);

// --poll: between two looks at a region.
Option poll_option();
// --state: where the controller's journal lies.
Option state_option();
// Error: invalid (--poll).
Result<fleet::RunOptions> run_options(const Arguments& arguments);

std::vector<Option> operator+(std::vector<Option> options, const std::vector<Option>& more);

}  // namespace parallax::cli
