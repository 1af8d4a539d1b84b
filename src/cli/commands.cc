#include "cli/commands.h"

namespace parallax::cli {

Command make_commands() {
  return Command{"parallax",
                 "Shows how the place from which you look changes what you see of a web service.",
                 {},
                 nullptr,
                 {
                     demo_command(),
                     fleet_command(),
                     probe_command(),
                     explain_command(),
                     replay_command(),
                     compare_command(),
                     cones_command(),
                     spool_command(),
                     schedule_command(),
                     serve_command(),
                     keys_command(),
                     aws_command(),
                     sim_command(),
                     votable_command(),
                     doctor_command(),
                     version_command(),
                 }};
}

}  // namespace parallax::cli
