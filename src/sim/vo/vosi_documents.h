// The VOSI documents of the well-behaved TAP service.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace parallax::sim {

// `base`: the address of the TAP service.
std::string capabilities_document(std::string_view base, std::int64_t rows_max);
std::string availability_document(Instant up_since);
std::string tables_document();

}  // namespace parallax::sim
