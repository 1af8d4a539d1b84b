// parallax fleet: its commands, one file each.
#include "cli/commands.h"
#include "cli/fleet_commands.h"

namespace parallax::cli {

Command fleet_command() {
  return Command{"fleet",
                 "the machines: set up, look, run a round, delete",
                 {},
                 nullptr,
                 {
                     fleet_regions_command(),
                     fleet_plan_command(),
                     fleet_apply_command(),
                     fleet_check_command(),
                     fleet_adopt_command(),
                     fleet_clear_command(),
                     fleet_image_command(),
                     fleet_run_command(),
                     fleet_start_command(),
                     fleet_hold_command(),
                     fleet_exec_command(),
                     fleet_stop_command(),
                     fleet_sweep_command(),
                     fleet_cost_command(),
                     fleet_policy_command(),
                 }};
}

}  // namespace parallax::cli
