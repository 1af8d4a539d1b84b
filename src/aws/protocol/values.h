// How single values are written in the protocols.
#pragma once

#include <string>
#include <string_view>

#include "aws/model/model.h"
#include "base/time.h"

namespace parallax::aws {

// A member's name on the wire as botocore sees it: its own locationName, else the shape's, else `fallback`.
std::string_view location_of(const Member& member, std::string_view fallback);

// An instant given as ISO 8601 text or as seconds since 1970. Error: invalid.
Result<Instant> instant_of(const Json& value);

// "2026-11-22T10:00:00Z", with six digits where there is a fraction.
std::string timestamp_text(Instant instant);

// Seconds since 1970: an integer, or a number where there is a fraction.
Json timestamp_number(Instant instant);

// The instant of a number of seconds. Error: corrupt when it is outside the years 1 to 9999.
Result<Instant> instant_from_seconds(double seconds);

// Numbers, booleans, strings as a form field or query parameter has them.
std::string scalar_text(const Json& value);

Error bad_answer(std::string message);

}  // namespace parallax::aws
