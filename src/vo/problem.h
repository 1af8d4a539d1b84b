// From the error of a parser to the problem of a body.
#pragma once

#include "base/error.h"
#include "vo/votable_summary.h"

namespace parallax::vo {

// Notes `error` as the body's problem, unless one has been noted before: what broke first explains the rest.
void note_problem(VotableSummary& summary, const Error& error);

}  // namespace parallax::vo
