// What `parallax votable` prints about a body.
#pragma once

#include <string>

#include "codec/json.h"
#include "vo/votable_summary.h"

namespace parallax::vo {

// One object: rows, columns, serialization, status ("OK", "OVERFLOW", "ERROR" or null), message, and all else that is
// known. `rows` and `columns` are always integers.
Json describe(const VotableSummary& summary);

// The same for a person, safe for a terminal.
std::string describe_text(const VotableSummary& summary);

}  // namespace parallax::vo
