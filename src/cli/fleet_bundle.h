// Which bundle of the program a round's machines are to fetch.
#pragma once

#include <string>

#include "cli/args.h"
#include "cli/world.h"
#include "fleet/job.h"

namespace parallax::cli {

// --bundle FILE
Option bundle_option();

// Fills round.bundle: from --bundle FILE (its own checksum, so that the collector need not be believed), else what the
// collector lists for this build of ours. Where there is none, or the collector cannot be asked, that is told and the
// machines use the `parallax` that they have. Nothing is asked for a job of the user's, without a collector, or where
// no job is run. Error: invalid (--bundle).
Result<> choose_bundle(const Arguments& arguments, World& world, fleet::RoundSpec& round);

}  // namespace parallax::cli
