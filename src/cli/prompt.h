// Asking before something is changed.
#pragma once

#include <string>
#include <string_view>

#include "cli/args.h"
#include "cli/world.h"

namespace parallax::cli {

// Whether to do what has been shown: --yes, or the word "yes" typed at the question. Anything else is no. Where nobody
// can be asked (World::ask is empty): error invalid, which says that nothing was done and names `way_out`.
Result<bool> confirm(const Arguments& arguments, World& world, std::string_view question, std::string_view way_out);

// The same question without --yes as an answer, for what needs an option of its own. Nobody there: no.
Result<bool> ask_yes(World& world, std::string_view question);

// Option --yes, the same everywhere.
Option yes_option();

}  // namespace parallax::cli
