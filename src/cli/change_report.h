// What became of a change, for a person and as JSON.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "fleet/change.h"

namespace parallax::cli {

std::string_view to_string(fleet::StepState state);

// A row per region: how far it came, how long it took, what was made, and why it ended where it failed.
std::string change_text(const fleet::ChangeOutcome& outcome);

// "parallax.change.v1": every step.
Json change_to_json(const fleet::ChangeOutcome& outcome);

// What failed or was not begun, and what may still run, a sentence each: for stderr.
std::vector<std::string> change_problems(const fleet::ChangeOutcome& outcome);

}  // namespace parallax::cli
