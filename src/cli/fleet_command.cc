// parallax fleet: its commands, one file each.
#include "cli/commands.h"
#include "cli/fleet_commands.h"

namespace parallax::cli {

Command fleet_command() {
  return Command{"fleet",
                 "the machines: run a round, start, stop, check and more",
                 {},
                 nullptr,
                 {fleet_policy_command(), fleet_check_command(), fleet_run_command(), fleet_start_command(),
                  fleet_hold_command(), fleet_exec_command(), fleet_stop_command()}};
}

}  // namespace parallax::cli
