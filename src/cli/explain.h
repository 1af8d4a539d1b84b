// One query told step by step: what was sent, over what, what came back, how long each phase took, what was read of it,
// which rules it breaks, and why the verdict is what it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "probe/witness.h"
#include "record/measurement.h"
#include "vo/votable_summary.h"

namespace parallax::cli {

struct Explanation {
  Measurement measurement;
  std::vector<probe::WitnessedHop> hops;
  std::optional<vo::VotableSummary> body;  // of the last answer's body; absent where nothing answered
  bool body_cut = false;                   // `body` is of the first bytes only, since the whole is too large to keep
};

struct ExplainStyle {
  std::size_t width = 80;  // of the terminal
  bool first_bytes = true;
};

// Safe for a terminal, secrets hidden.
std::string explain_text(const Explanation& explanation, const ExplainStyle& style);
// The same as one document; secrets hidden.
Json explain_json(const Explanation& explanation, const ExplainStyle& style);

}  // namespace parallax::cli
