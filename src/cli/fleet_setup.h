// What plan, apply, check, adopt and clear have in common: the specification, a look at what is, a change with consent.
#pragma once

#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/fleet_session.h"
#include "cli/world.h"
#include "fleet/change.h"
#include "fleet/plan.h"

namespace parallax::cli {

struct FleetSetup {
  FleetSession session;
  fleet::Spec spec;
};

// Error: invalid (configuration, regions, key file, credentials).
Result<FleetSetup> open_setup(const Arguments& arguments, World& world, RegionChoice choice);

// Looks at the regions of the session. What kept it waiting is told on stderr. Error: cancelled.
Result<fleet::Observed> look(World& world, const FleetSetup& setup, fleet::ObserveOptions options);

// --deep of check, plan and apply: asks for the user data and shutdown behaviour of every machine, two calls each.
Option deep_option();
void set_depth(fleet::ObserveOptions& options, const Arguments& arguments, bool deep_anyway = false);
// Which machines were too many to be asked for theirs without --deep, a note.
void tell_left_out(const fleet::Observed& observed);

// The plan as text on stderr. Who will be asked about it sees it with --quiet too.
void show_plan(const Arguments& arguments, const World& world, const fleet::Plan& plan, const fleet::Spec& spec);

// What hinders a plan, on stderr.
void tell_plan_problems(const fleet::Plan& plan);

// --poll of changes: between two looks while something is waited for. Error: invalid.
Result<fleet::ChangeOptions> change_options(const Arguments& arguments);
Option change_poll_option();
Option dry_run_option();

// Carries the plan out with live progress; the final table or JSON on stdout, what failed on stderr. The exit code
// counts regions that could not be planned as failed.
Result<int> change(const Arguments& arguments, World& world, const FleetSetup& setup, const fleet::Observed& observed,
                   const fleet::Plan& plan);

// The exit code of a change whose plan has (or had) problems in some regions.
int change_exit_code(const fleet::ChangeOutcome& outcome, const fleet::Plan& plan);

}  // namespace parallax::cli
