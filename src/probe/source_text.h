// A text that was read, to point into: for the .cc files that read what people write.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "codec/located.h"

namespace parallax::probe {

struct SourceText {
  std::string_view file;
  std::string_view text;

  Error error(Place place, std::string_view message) const {
    return make_error(ErrorKind::invalid, point_at(file, text, place.line, place.column, message));
  }
};

}  // namespace parallax::probe
