#include "sim/vo/adql.h"

#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kQueryBytesMax = 64U << 10U;
constexpr std::size_t kColumnsMax = 100;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { next(); }

  Result<StarQuery> parse() {
    StarQuery query;
    TRY(expect("SELECT"));
    if (take("TOP")) {
      const double top = TRY(number());
      if (top < 0 || top > 1e9) {
        return failure("a row count after TOP");
      }
      query.top = static_cast<std::int64_t>(top);
    }
    if (!take("*")) {
      do {
        query.columns.push_back(TRY(identifier()));
        if (query.columns.size() > kColumnsMax) {
          return failure(fmt::format("at most {} columns", kColumnsMax));
        }
      } while (take(","));
    }
    TRY(expect("FROM"));
    const std::string table = TRY(identifier());
    if (!equals_ignore_case(table, "stars")) {
      return make_error(ErrorKind::invalid, fmt::format("unknown table '{}'; there is 'stars'", table));
    }
    if (take("WHERE")) {
      query.cone = TRY(condition());
    }
    if (!token_.empty()) {
      return failure("the end of the query");
    }
    return query;
  }

 private:
  void next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      ++at_;
    }
    start_ = at_;
    if (at_ == text_.size()) {
      token_ = {};
      return;
    }
    const char first = text_[at_++];
    if (first == '\'' || first == '"') {
      at_ = std::min(text_.find(first, at_), text_.size() - 1) + 1;
    } else if (is_word(first) || first == '-' || first == '+') {
      while (at_ < text_.size() && (is_word(text_[at_]) || is_exponent_sign())) {
        ++at_;
      }
    }
    token_ = text_.substr(start_, at_ - start_);
  }

  // The sign in "1e-5".
  bool is_exponent_sign() const {
    const char sign = text_[at_];
    const char before = text_[at_ - 1];
    return (sign == '-' || sign == '+') && (before == 'e' || before == 'E') &&
           std::isalpha(static_cast<unsigned char>(text_[start_])) == 0;
  }

  Error failure(std::string_view wanted) const {
    return make_error(ErrorKind::invalid,
                      fmt::format("column {}: expected {}, found {}", start_ + 1, wanted,
                                  token_.empty() ? "the end of the query" : fmt::format("'{}'", token_.substr(0, 40))));
  }

  bool take(std::string_view word) {
    if (!equals_ignore_case(token_, word)) {
      return false;
    }
    next();
    return true;
  }

  Result<> expect(std::string_view word) { return take(word) ? Result<>() : Result<>(failure(word)); }

  Result<double> number() {
    std::string_view digits = token_;
    if (digits.starts_with('+')) {
      digits.remove_prefix(1);
    }
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      return failure("a number");
    }
    next();
    return value;
  }

  Result<std::string> identifier() {
    std::string_view name = token_;
    if (name.size() > 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    } else if (name.empty() || (std::isalpha(static_cast<unsigned char>(name.front())) == 0 && name.front() != '_')) {
      return failure("a name");
    }
    std::string result(name);
    next();
    return result;
  }

  // An optional 'ICRS' before the coordinates.
  Result<> frame() {
    if (token_.starts_with('\'')) {
      next();
      TRY(expect(","));
    }
    return {};
  }

  Result<Cone> condition() {
    const bool one_first = take("1");
    if (one_first) {
      TRY(expect("="));
    }
    Cone cone;
    TRY(expect("CONTAINS"));
    TRY(expect("("));
    TRY(expect("POINT"));
    TRY(expect("("));
    TRY(frame());
    TRY(expect("ra"));
    TRY(expect(","));
    TRY(expect("dec"));
    TRY(expect(")"));
    TRY(expect(","));
    TRY(expect("CIRCLE"));
    TRY(expect("("));
    TRY(frame());
    cone.ra = TRY(number());
    TRY(expect(","));
    cone.dec = TRY(number());
    TRY(expect(","));
    cone.radius = TRY(number());
    TRY(expect(")"));
    TRY(expect(")"));
    if (!one_first) {
      TRY(expect("="));
      TRY(expect("1"));
    }
    return cone;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  std::string_view token_;
};

}  // namespace

Result<StarQuery> parse_adql(std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return make_error(ErrorKind::invalid, "the query is too long");
  }
  return Parser(text).parse();
}

}  // namespace parallax::sim
