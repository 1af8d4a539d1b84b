// Local time, as servicemon writes it: for its result files and for marks in file names only.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace parallax::cli {

// "2026-11-22 11:00:00.123456" in the machine's zone, without saying which.
std::string local_time_text(Instant instant);

// Replaces %Y %m %d %H %M %S %j %f (microseconds) and %%. Error: invalid, naming any other mark.
Result<std::string> with_time_marks(std::string_view name, Instant instant);

}  // namespace parallax::cli
