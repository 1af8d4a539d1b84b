#include "vo/cone_search.h"

#include <fmt/format.h>

namespace parallax::vo {

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", unsigned{static_cast<unsigned char>(c)});
    }
  }
  return out;
}

std::string cone_search_url(std::string_view base, const SkyCircle& circle, const Parameters& extra) {
  // A fragment is never sent; arguments after it would be lost.
  std::string url(base.substr(0, base.find('#')));
  if (url.find('?') == std::string::npos) {
    url += '?';
  } else if (!url.ends_with('?') && !url.ends_with('&')) {
    url += '&';
  }
  url += fmt::format("RA={}&DEC={}&SR={}", decimal_degrees(circle.ra), decimal_degrees(circle.dec),
                     decimal_degrees(circle.radius));
  for (const auto& [name, value] : extra) {
    url += fmt::format("&{}={}", percent_encode(name), percent_encode(value));
  }
  return url;
}

}  // namespace parallax::vo
