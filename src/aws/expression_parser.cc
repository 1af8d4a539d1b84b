// A Pratt parser with the binding powers of the Python library, so that "!a.b" and "a[].b[0]" mean what they mean
// there.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/expression.h"
#include "aws/expression_node.h"
#include "aws/expression_token.h"
#include "base/text.h"

namespace parallax::aws::detail {

namespace {

// What binds tighter is higher; what is not named ends an expression. Below kProjectionStop a projection ends.
constexpr int kProjectionStop = 10;

int power_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::either:
      return 2;
    case TokenKind::both:
      return 3;
    case TokenKind::comparison:
      return 5;
    case TokenKind::flatten:
      return 9;
    case TokenKind::star:
      return 20;
    case TokenKind::filter:
      return 21;
    case TokenKind::dot:
      return 40;
    case TokenKind::negation:
      return 45;
    case TokenKind::open_bracket:
      return 55;
    case TokenKind::open_paren:
      return 60;
    default:
      return 0;
  }
}

ExpressionNode make_node(NodeKind kind, std::vector<ExpressionNode> children = {}) {
  ExpressionNode node;
  node.kind = kind;
  node.children = std::move(children);
  return node;
}

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  Result<ExpressionNode> run() {
    ExpressionNode root = TRY(expression(0));
    if (peek().kind != TokenKind::end) {
      return unexpected(peek());
    }
    return root;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }

  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }

  Error unexpected(const Token& token) const {
    if (token.kind == TokenKind::end) {
      return bad_expression(text_, token.column, "the expression ends too early");
    }
    return bad_expression(text_, token.column,
                          fmt::format("unexpected {}", token.text.empty() ? "literal" : token.text));
  }

  Result<> expect(TokenKind kind) {
    const Token token = take();
    if (token.kind != kind) {
      return unexpected(token);
    }
    return {};
  }

  Result<ExpressionNode> expression(int power) {
    if (++depth_ > Expression::kDepthMax) {
      return bad_expression(text_, peek().column, "too deeply nested");
    }
    ExpressionNode left = TRY(prefix(take()));
    while (power < power_of(peek().kind)) {
      left = TRY(infix(std::move(left), take()));
      if (++length_ > kOperatorsMax) {
        return bad_expression(text_, peek().column, "too many operators");
      }
    }
    --depth_;
    return left;
  }

  Result<ExpressionNode> prefix(const Token& token) {
    switch (token.kind) {
      case TokenKind::identifier:
      case TokenKind::quoted: {
        ExpressionNode node = make_node(NodeKind::field);
        node.text = token.text;
        node.quoted = token.kind == TokenKind::quoted;
        return node;
      }
      case TokenKind::literal: {
        ExpressionNode node = make_node(NodeKind::literal);
        node.value = token.value;
        return node;
      }
      case TokenKind::negation:
        return make_node(NodeKind::negation, {TRY(expression(power_of(TokenKind::negation)))});
      case TokenKind::open_paren: {
        ExpressionNode node = TRY(expression(0));
        TRY(expect(TokenKind::close_paren));
        return node;
      }
      case TokenKind::star:
        return make_node(NodeKind::value_projection,
                         {make_node(NodeKind::identity), TRY(right_side(power_of(TokenKind::star)))});
      case TokenKind::flatten:
      case TokenKind::filter:
      case TokenKind::open_bracket:
        return infix(make_node(NodeKind::identity), token);
      default:
        return unexpected(token);
    }
  }

  Result<ExpressionNode> infix(ExpressionNode left, const Token& token) {
    switch (token.kind) {
      case TokenKind::either:
        return make_node(NodeKind::either, {std::move(left), TRY(expression(power_of(token.kind)))});
      case TokenKind::both:
        return make_node(NodeKind::both, {std::move(left), TRY(expression(power_of(token.kind)))});
      case TokenKind::comparison:
        return make_node(token.comparison, {std::move(left), TRY(expression(power_of(token.kind)))});
      case TokenKind::dot:
        if (peek().kind == TokenKind::star) {
          take();
          return make_node(NodeKind::value_projection, {std::move(left), TRY(right_side(power_of(TokenKind::dot)))});
        }
        return make_node(NodeKind::sub, {std::move(left), TRY(after_dot(power_of(TokenKind::dot)))});
      case TokenKind::flatten:
        return make_node(NodeKind::projection, {make_node(NodeKind::flatten, {std::move(left)}),
                                                TRY(right_side(power_of(TokenKind::flatten)))});
      case TokenKind::filter: {
        ExpressionNode condition = TRY(expression(0));
        TRY(expect(TokenKind::close_bracket));
        ExpressionNode right = TRY(right_side(power_of(TokenKind::filter)));
        return make_node(NodeKind::filter, {std::move(left), std::move(right), std::move(condition)});
      }
      case TokenKind::open_bracket:
        return bracket(std::move(left), token);
      case TokenKind::open_paren:
        return call(left, token);
      default:
        return unexpected(token);
    }
  }

  Result<ExpressionNode> bracket(ExpressionNode left, const Token& open) {
    const Token token = take();
    if (token.kind == TokenKind::star && peek().kind == TokenKind::close_bracket) {
      take();
      return make_node(NodeKind::projection, {std::move(left), TRY(right_side(power_of(TokenKind::star)))});
    }
    if (token.kind != TokenKind::number) {
      return bad_expression(text_, open.column, "a list of expressions is not supported");
    }
    TRY(expect(TokenKind::close_bracket));
    ExpressionNode index = make_node(NodeKind::index);
    index.number = token.number;
    return make_node(NodeKind::sub, {std::move(left), std::move(index)});
  }

  // What a projection does with each of its items.
  Result<ExpressionNode> right_side(int power) {
    if (power_of(peek().kind) < kProjectionStop) {
      return make_node(NodeKind::identity);
    }
    if (peek().kind == TokenKind::open_bracket || peek().kind == TokenKind::filter) {
      return expression(power);
    }
    if (peek().kind == TokenKind::dot) {
      take();
      return after_dot(power);
    }
    return unexpected(peek());
  }

  Result<ExpressionNode> after_dot(int power) {
    const TokenKind kind = peek().kind;
    if (kind == TokenKind::identifier || kind == TokenKind::quoted || kind == TokenKind::star) {
      return expression(power);
    }
    if (kind == TokenKind::open_bracket) {
      return bad_expression(text_, peek().column, "a list of expressions is not supported");
    }
    return unexpected(peek());
  }

  Result<ExpressionNode> call(const ExpressionNode& name, const Token& open) {
    if (name.kind != NodeKind::field || name.quoted) {
      return bad_expression(text_, open.column, "a call of what is no function's name");
    }

    struct Function {
      std::string_view name;
      NodeKind kind;
      std::size_t arguments;
    };

    constexpr std::array<Function, 2> kFunctions{
        {{"length", NodeKind::length, 1}, {"contains", NodeKind::contains, 2}}};
    const auto* const function = std::find_if(kFunctions.begin(), kFunctions.end(),
                                              [&](const Function& known) { return known.name == name.text; });
    if (function == kFunctions.end()) {
      return bad_expression(text_, open.column - std::min(open.column - 1, name.text.size()),
                            fmt::format("function '{}' is not supported", terminal_safe(name.text, 40)));
    }
    std::vector<ExpressionNode> arguments;
    while (arguments.size() < function->arguments) {
      if (!arguments.empty()) {
        TRY(expect(TokenKind::comma));
      }
      arguments.push_back(TRY(expression(0)));
    }
    TRY(expect(TokenKind::close_paren));
    return make_node(function->kind, std::move(arguments));
  }

  // A chain such as a.b.c nests as deep as it is long when it is evaluated.
  static constexpr int kOperatorsMax = 256;

  const std::string_view text_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int length_ = 0;
};

}  // namespace

Result<ExpressionNode> parse_expression(std::string_view text) {
  if (text.size() > Expression::kBytesMax) {
    return bad_expression(text, Expression::kBytesMax, fmt::format("more than {} bytes", Expression::kBytesMax));
  }
  return Parser(text, TRY(tokenize(text))).run();
}

}  // namespace parallax::aws::detail
