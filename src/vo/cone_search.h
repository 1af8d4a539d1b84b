// Simple Cone Search: the URL of a query (SCS 1.03, section 2).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vo/position.h"

namespace parallax::vo {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The registered base URL with RA, DEC and SR appended, and then `extra` in the order given. What is in the base URL
// stays as it is: services reject arguments that were sorted, re-encoded or dropped.
std::string cone_search_url(std::string_view base, const SkyCircle& circle, const Parameters& extra = {});

// Percent-encoding for a query or a form body: everything but letters, digits and "-._~" (RFC 3986).
std::string percent_encode(std::string_view text);

}  // namespace parallax::vo
