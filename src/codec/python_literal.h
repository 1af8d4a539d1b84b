// Reads one Python literal: lists, tuples, dictionaries with string keys, strings of every quoting (adjacent ones
// join), numbers, True, False, None; comments and trailing commas. Nothing is ever evaluated.
#pragma once

#include <string_view>

#include "base/error.h"
#include "codec/located.h"

namespace parallax {

struct PythonLiteralLimits {
  std::size_t bytes_max = 16U << 20U;
  std::size_t depth_max = 64;
  std::size_t values_max = 1'000'000;
};

// Lists and tuples become lists, dictionaries tables. Error: invalid, its message being "file:line:column: ..." with
// the line and a caret; refused for limits.
Result<LocatedValue> parse_python_literal(std::string_view file_name, std::string_view text,
                                          const PythonLiteralLimits& limits = {});

}  // namespace parallax
