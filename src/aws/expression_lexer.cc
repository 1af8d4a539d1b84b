#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "aws/expression_token.h"
#include "base/text.h"

namespace parallax::aws::detail {

namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
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
      return bad_expression(text_, token.column, "not a number");
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
      return bad_expression(text_, token.column, "a quote that is not closed");
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
      return bad_expression(text_, token.column, "a literal that is not JSON");
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
      return bad_expression(text_, token.column,
                            fmt::format("'{}' is not supported", terminal_safe(text_.substr(at_, 1))));
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

}  // namespace

Error bad_expression(std::string_view expression, std::size_t column, std::string_view what) {
  Error error = make_error(ErrorKind::invalid,
                           fmt::format("column {}: {} in '{}'", column, what, terminal_safe(expression, 300)));
  error.code = "bad-expression";
  return error;
}

Result<std::vector<Token>> tokenize(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace parallax::aws::detail
