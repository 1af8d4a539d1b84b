// Judges the text of one TABLEDATA cell: a value, no value, or something that is no value of its type. Numbers are
// checked by their form, not converted, and nothing is allocated: this runs once a cell.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "vo/datatype.h"
#include "vo/votable_summary.h"

namespace parallax::vo {

enum class CellState { value, null, bad };

// What is needed of a field for that, worked out once a table. The view lives as long as the field.
struct CellRule {
  Datatype type = Datatype::unknown;
  bool is_array = false;
  bool has_null_value = false;
  std::string_view null_value;

  explicit CellRule(const Field& field);
};

CellState judge_cell(const CellRule& rule, std::string_view text);

// Decimal, or hexadecimal after 0x, with blanks around.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace parallax::vo
