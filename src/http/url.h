// URLs as far as we need them: never re-encoded, never sorted.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace parallax::http {

struct Url {
  std::string scheme;  // "http" or "https", lower case
  std::string host;    // as written, IPv6 without brackets
  int port = 0;        // the scheme's default where none is written
  std::string path;    // "/" at least, as written
  std::string query;   // without "?"; as written
  std::string fragment;

  // "https://host[:port]/path[?query]"; a default port is left out; never the fragment.
  std::string text() const;
  // "host:port" with brackets around IPv6.
  std::string authority() const;
  // The value of the Host header: the port only where it is not the scheme's default.
  std::string host_header() const;
  std::string target() const;  // path[?query]
};

// Absolute http(s) URLs without user info, control characters or blanks. Error: invalid, naming what is wrong.
Result<Url> parse_url(std::string_view text);

// RFC 3986 section 5: an absolute URL from a Location header and the URL it came from.
Result<Url> resolve_url(const Url& base, std::string_view reference);

// Everything but A-Z a-z 0-9 - _ . ~ becomes %XX.
std::string percent_encode(std::string_view text);
// Error: invalid for a broken escape.
Result<std::string> percent_decode(std::string_view text);

// "a=1&b=2" with both sides escaped; a blank becomes %20.
std::string form_encode(const std::vector<std::pair<std::string, std::string>>& fields);
// Reads "a=1&b=%20x+y": '+' and %20 are blanks. `fields_max` bounds the count. Error: invalid, refused.
Result<std::vector<std::pair<std::string, std::string>>> form_decode(std::string_view text, std::size_t fields_max);

}  // namespace parallax::http
