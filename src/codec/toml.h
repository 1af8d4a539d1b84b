// TOML (toml++ behind toml.cc) as values that know their place.
#pragma once

#include <string_view>

#include "base/error.h"
#include "codec/located.h"

namespace parallax {

using TomlValue = LocatedValue;

inline constexpr std::size_t kTomlBytesMax = 4U << 20U;

// The root is a table. Dates and times become strings. Error: invalid, its message being "file:line:column: ..." with
// the line and a caret; refused when larger than kTomlBytesMax.
Result<TomlValue> parse_toml(std::string_view file_name, std::string_view text);

}  // namespace parallax
