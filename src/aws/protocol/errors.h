// What an error code of a service means for us.
#pragma once

#include <string_view>

#include "base/error.h"

namespace parallax::aws {

// The kind by code; by status where the code says nothing to us.
ErrorKind kind_of(std::string_view code, int status);

// Codes that may mean that our clock is off. The answer's Date header tells.
bool may_be_clock_skew(std::string_view code);

// DryRunOperation: "the request would have succeeded".
inline constexpr std::string_view kDryRunCode = "DryRunOperation";

}  // namespace parallax::aws
