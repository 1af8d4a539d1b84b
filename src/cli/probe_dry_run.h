// parallax probe --dry-run
#pragma once

#include "base/error.h"
#include "cli/args.h"
#include "record/order.h"

namespace parallax::cli {

// Prints what the order would ask, and when, as --output says (table, ndjson or csv, on standard output). Nothing is
// sent, spooled or run. Gives the exit code. Error: invalid.
Result<int> tell_timetable(const Order& order, const Arguments& arguments);

}  // namespace parallax::cli
