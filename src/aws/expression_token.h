// What the lexer of expressions hands to the parser. Internal to aws/expression.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/expression_node.h"

namespace parallax::aws::detail {

enum class TokenKind {
  end,
  identifier,
  quoted,
  literal,
  number,
  dot,
  star,
  flatten,  // []
  filter,   // [?
  open_bracket,
  close_bracket,
  open_paren,
  close_paren,
  comma,
  either,
  both,
  negation,
  comparison,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t column = 1;
  std::string text = {};
  Json value = {};
  std::int64_t number = 0;
  NodeKind comparison = NodeKind::equal;
};

// "column 7: WHAT in 'EXPRESSION'": kind invalid, code "bad-expression".
Error bad_expression(std::string_view expression, std::size_t column, std::string_view what);

// The last one is of kind end. Error: as above.
Result<std::vector<Token>> tokenize(std::string_view text);

}  // namespace parallax::aws::detail
