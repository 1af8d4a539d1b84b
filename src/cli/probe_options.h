// What the commands that ask services have in common: limits, token, contact, spool; and what they say at the end.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/args.h"
#include "cli/world.h"
#include "probe/probe.h"

namespace parallax::cli {

// --contact, --ca-file, --spool, --flush-wait and the --limit-...: for each command whose queries follow them.
std::vector<Option> query_options();
// Of these, what shapes one query: --contact, --ca-file and the --limit-...
std::vector<Option> single_query_options();
// Reads them. Error: invalid, naming the option.
Result<ProbeOptions> probe_options(const Arguments& arguments, World& world, const Order& order);

// From --token-file, else PARALLAX_TOKEN; empty where there is neither. Error: invalid, denied (mode).
Result<std::string> token_of(const Arguments& arguments, World& world);

// Asks what the order says, into the outputs that the arguments name. Gives the exit code.
Result<int> ask(const Order& order, const Arguments& arguments, World& world);

// The end of a run for a person, on stderr.
void tell_summary(const ProbeOutcome& outcome, const std::string& spool_directory);

}  // namespace parallax::cli
