// A Pratt parser with the binding powers of the Python library, so that "!a.b" and "a[].b[0]" mean what they mean
// there.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "aws/expression.h"
#include "aws/expression_node.h"
#include "base/text.h"

namespace parallax::aws::detail {

namespace {

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

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Error bad(std::string_view expression, std::size_t column, std::string_view what) {
  Error error = make_error(ErrorKind::invalid,
                           fmt::format("column {}: {} in '{}'", column, what, terminal_safe(expression, 300)));
  error.code = "bad-expression";
  return error;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    for (;;) {
      while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      }
      Token token = TRY(next());
      tokens.push_back(std::move(token));
      if (tokens.back().kind == TokenKind::end) {
        return tokens;
      }
    }
  }

 private:
  Result<Token> next() {
    Token token;
    token.column = at_ + 1;
    if (at_ == text_.size()) {
      return token;
    }
    const char c = text_[at_];
    if (is_name_start(c)) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) {
        ++at_;
      }
      token.kind = TokenKind::identifier;
      token.text = text_.substr(begin, at_ - begin);
      return token;
    }
    if (is_digit(c) || c == '-') {
      return number(std::move(token));
    }
    if (c == '\'' || c == '`' || c == '"') {
      return quoted(std::move(token), c);
    }
    return symbol(std::move(token));
  }

  Result<Token> number(Token token) {
    const char* const begin = text_.data() + at_;
    const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), token.number);
    if (status != std::errc()) {
      return bad(text_, token.column, "not a number");
    }
    at_ += static_cast<std::size_t>(end - begin);
    token.kind = TokenKind::number;
    return token;
  }

  // Text up to the same quote; a backslash keeps the quote after it.
  Result<Token> quoted(Token token, char quote) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) {
      at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2U : 1U;
    }
    if (at_ >= text_.size()) {
      return bad(text_, token.column, "a quote that is not closed");
    }
    const std::string_view inside = text_.substr(begin, at_ - begin);
    ++at_;
    if (quote == '\'') {
      token.kind = TokenKind::literal;
      token.value = unescape(inside, '\'');
      return token;
    }
    const std::string json = quote == '"' ? fmt::format("\"{}\"", inside) : unescape(inside, '`');
    const Result<Json> value = parse_json(json);
    if (!value) {
      return bad(text_, token.column, "a literal that is not JSON");
    }
    token.kind = quote == '"' ? TokenKind::quoted : TokenKind::literal;
    token.value = *value;
    token.text = quote == '"' ? *value->string() : std::string();
    return token;
  }

  static std::string unescape(std::string_view text, char quote) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      i += text[i] == '\\' && i + 1 < text.size() && text[i + 1] == quote ? 1U : 0U;
      plain += text[i];
    }
    return plain;
  }

  Result<Token> symbol(Token token) {
    struct Symbol {
      std::string_view text;
      TokenKind kind;
      NodeKind comparison = NodeKind::equal;
    };

    // Longer ones first.
    constexpr std::array<Symbol, 18> kSymbols{{{"[?", TokenKind::filter},
                                               {"[]", TokenKind::flatten},
                                               {"||", TokenKind::either},
                                               {"&&", TokenKind::both},
                                               {"==", TokenKind::comparison, NodeKind::equal},
                                               {"!=", TokenKind::comparison, NodeKind::unequal},
                                               {"<=", TokenKind::comparison, NodeKind::less_equal},
                                               {">=", TokenKind::comparison, NodeKind::greater_equal},
                                               {"<", TokenKind::comparison, NodeKind::less},
                                               {">", TokenKind::comparison, NodeKind::greater},
                                               {"!", TokenKind::negation},
                                               {".", TokenKind::dot},
                                               {"*", TokenKind::star},
                                               {"[", TokenKind::open_bracket},
                                               {"]", TokenKind::close_bracket},
                                               {"(", TokenKind::open_paren},
                                               {")", TokenKind::close_paren},
                                               {",", TokenKind::comma}}};
    const auto* const found = std::find_if(kSymbols.begin(), kSymbols.end(), [&](const Symbol& symbol) {
      return text_.substr(at_).starts_with(symbol.text);
    });
    if (found == kSymbols.end()) {
      return bad(text_, token.column, fmt::format("'{}' is not supported", terminal_safe(text_.substr(at_, 1))));
    }
    token.kind = found->kind;
    token.comparison = found->comparison;
    token.text = found->text;
    at_ += found->text.size();
    return token;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

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
      return bad(text_, token.column, "the expression ends too early");
    }
    return bad(text_, token.column, fmt::format("unexpected {}", token.text.empty() ? "literal" : token.text));
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
      return bad(text_, peek().column, "too deeply nested");
    }
    ExpressionNode left = TRY(prefix(take()));
    while (power < power_of(peek().kind)) {
      left = TRY(infix(std::move(left), take()));
      if (++length_ > kOperatorsMax) {
        return bad(text_, peek().column, "too many operators");
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
      return bad(text_, open.column, "a list of expressions is not supported");
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
      return bad(text_, peek().column, "a list of expressions is not supported");
    }
    return unexpected(peek());
  }

  Result<ExpressionNode> call(const ExpressionNode& name, const Token& open) {
    if (name.kind != NodeKind::field || name.quoted) {
      return bad(text_, open.column, "a call of what is no function's name");
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
      return bad(text_, open.column - std::min(open.column - 1, name.text.size()),
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
    return bad(text, Expression::kBytesMax, fmt::format("more than {} bytes", Expression::kBytesMax));
  }
  return Parser(text, TRY(Lexer(text).run())).run();
}

}  // namespace parallax::aws::detail
