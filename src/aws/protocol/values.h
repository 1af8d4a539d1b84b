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

// How a member's instants are written: as it says, else as its shape says, else as `fallback`.
TimestampFormat format_of(const Member& member, TimestampFormat fallback);

// iso8601: "2026-11-22T10:00:00Z", with six digits where there is a fraction. unix_seconds: "1795341600", with a
// fraction where there is one. rfc822: "Sun, 22 Nov 2026 10:00:00 GMT".
std::string timestamp_text(Instant instant, TimestampFormat format = TimestampFormat::iso8601);

// As the body of a JSON protocol has it: a number for unix_seconds, else text.
Json timestamp_json(Instant instant, TimestampFormat format);

// An HTTP date becomes ISO 8601; other text stays as it is.
Json read_timestamp_text(std::string text);

// Seconds since 1970: an integer, or a number where there is a fraction.
Json timestamp_number(Instant instant);

// The instant of a number of seconds. Error: corrupt when it is outside the years 1 to 9999.
Result<Instant> instant_from_seconds(double seconds);

// Numbers, booleans, strings as a form field or query parameter has them.
std::string scalar_text(const Json& value);

Error bad_answer(std::string message);

}  // namespace parallax::aws
