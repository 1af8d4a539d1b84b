// Ids that sort by time.
#pragma once

#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/time.h"

namespace parallax {

// A ULID: 48 bits of milliseconds since 1970, 80 random bits, as 26 characters of Crockford's base 32.
std::string make_ulid(Instant now, Rng& rng);

// The instant in a ULID (whole milliseconds). Error: invalid (length, letters, above 7ZZ...).
Result<Instant> ulid_time(std::string_view ulid);

}  // namespace parallax
