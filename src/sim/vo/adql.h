// The little ADQL that the sample TAP service understands:
//   SELECT [TOP n] * | column [, column ...] FROM stars
//   [WHERE 1 = CONTAINS(POINT(['frame',] ra, dec), CIRCLE(['frame',] number, number, number))]   (or the other way
//   round)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "record/cone.h"

namespace parallax::sim {

struct StarQuery {
  std::vector<std::string> columns;  // as written; empty: all
  std::optional<std::int64_t> top;
  std::optional<Cone> cone;
};

// Error: invalid, with the place ("column 12: expected FROM, found 'FORM'").
Result<StarQuery> parse_adql(std::string_view text);

}  // namespace parallax::sim
