#include <string_view>

#include "collector/page.h"

// From embedded.S.in.
// NOLINTBEGIN(readability-identifier-naming): labels of the assembler
extern "C" {
extern const char parallax_style_begin[];
extern const char parallax_style_end[];
extern const char parallax_icon_begin[];
extern const char parallax_icon_end[];
}

// NOLINTEND(readability-identifier-naming)

namespace parallax::collector {

namespace {

http::Response asset(const char* type, const char* begin, const char* end) {
  http::Response response;
  response.status = 200;
  response.headers.set("Content-Type", type);
  response.headers.set("Cache-Control", "max-age=300");
  response.body.assign(begin, end);
  return response;
}

}  // namespace

http::Response get_style() {
  return asset("text/css; charset=utf-8", parallax_style_begin, parallax_style_end);
}

http::Response get_icon() {
  return asset("image/svg+xml", parallax_icon_begin, parallax_icon_end);
}

}  // namespace parallax::collector
