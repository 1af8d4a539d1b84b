// Every command, one file each.
#pragma once

#include "cli/args.h"
#include "cli/world.h"

namespace parallax::cli {

// Where a probe of this user keeps its spool.
std::string default_spool(World& world);

// The whole tree: reads like a table of contents.
Command make_commands();

Command aws_command();
Command compare_command();
Command cones_command();
Command demo_command();
Command doctor_command();
Command explain_command();
Command fleet_command();
Command keys_command();
Command probe_command();
Command replay_command();
Command schedule_command();
Command serve_command();
Command sim_command();
Command sim_vo_command();  // below sim
Command spool_command();
Command version_command();
Command votable_command();

}  // namespace parallax::cli
