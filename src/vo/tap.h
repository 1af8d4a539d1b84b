// TAP: where a query goes and what it says (TAP 1.1, section 2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parallax::vo {

// The base URL without its trailing slashes, and /sync: before its query, if it has one.
std::string tap_sync_url(std::string_view base);
std::string tap_async_url(std::string_view base);  // /async alike

struct TapQuery {
  std::string adql;
  std::optional<std::int64_t> maxrec;  // sent only if set
  std::string format_parameter;        // "FORMAT" (TAP 1.0) or "RESPONSEFORMAT" (1.1); sent only with `format`
  std::string format;
};

// The body of a POST of type application/x-www-form-urlencoded. REQUEST=doQuery is for TAP 1.0; later ones ignore it.
std::string tap_form(const TapQuery& query);

}  // namespace parallax::vo
