// What the parser of expressions hands to the evaluator. Internal to aws/expression.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.h"

namespace parallax::aws::detail {

enum class NodeKind {
  identity,
  field,             // text
  literal,           // value
  index,             // number; from the end where negative
  sub,               // children: left, then right on what left gave
  flatten,           // children: list
  projection,        // children: list, right on each item
  value_projection,  // children: object, right on each value
  filter,            // children: list, right, condition
  either,            // a || b
  both,              // a && b
  negation,          // !a
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  length,    // children: the argument
  contains,  // children: where, what
};

struct ExpressionNode {
  NodeKind kind = NodeKind::identity;
  std::string text = {};
  Json value = {};
  std::int64_t number = 0;
  bool quoted = false;  // a field in quotes can be no function's name
  std::vector<ExpressionNode> children = {};
};

// Error: as Expression::parse.
Result<ExpressionNode> parse_expression(std::string_view text);

}  // namespace parallax::aws::detail
