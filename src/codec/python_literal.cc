#include "codec/python_literal.h"

#include <charconv>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

struct StringPrefix {
  bool raw = false;
};

class Parser {
 public:
  Parser(std::string_view file, std::string_view text, const PythonLiteralLimits& limits)
      : file_(file), text_(text), limits_(limits) {}

  Result<LocatedValue> parse() {
    if (text_.starts_with("\xEF\xBB\xBF")) {
      at_ = 3;
    }
    skip_blanks();
    if (at_ == text_.size()) {
      return error("the file holds no value; a list of dictionaries is expected");
    }
    LocatedValue value = TRY(parse_value(0));
    skip_blanks();
    if (at_ < text_.size()) {
      return error("nothing may follow the value; a file holds one Python literal");
    }
    return value;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  bool starts_with(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  // Counts only forward from the last place asked for: the whole text is walked once.
  Place place_at(std::size_t offset) {
    if (offset < counted_) {
      counted_ = 0;
      line_ = 1;
      line_start_ = 0;
    }
    for (; counted_ < offset; ++counted_) {
      if (text_[counted_] == '\n') {
        ++line_;
        line_start_ = counted_ + 1;
      }
    }
    return {line_, offset - line_start_ + 1};
  }

  Error error_at(std::size_t offset, std::string_view message, ErrorKind kind = ErrorKind::invalid) {
    const Place place = place_at(offset);
    return make_error(kind, point_at(file_, text_, place.line, place.column, message));
  }

  Error error(std::string_view message) { return error_at(at_, message); }

  void skip_blanks() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') {
        ++at_;
      } else if (c == '#') {
        const std::size_t end = text_.find('\n', at_);
        at_ = end == std::string_view::npos ? text_.size() : end;
      } else if (c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
        at_ += peek(1) == '\r' ? 3U : 2U;
      } else {
        break;
      }
    }
  }

  // A letter or two before a quote, as Python allows; nothing where no string starts here.
  std::optional<StringPrefix> string_prefix(std::size_t& length) const {
    StringPrefix prefix;
    for (length = 0; length < 3; ++length) {
      const char c = peek(length);
      if (c == '\'' || c == '"') {
        return prefix;
      }
      if (c == 'r' || c == 'R') {
        prefix.raw = true;
      } else if (c != 'u' && c != 'U' && c != 'b' && c != 'B') {
        break;
      }
    }
    return std::nullopt;
  }

  Result<LocatedValue> parse_value(std::size_t depth) {
    if (depth > limits_.depth_max) {
      return error_at(at_, fmt::format("nested deeper than the limit of {}", limits_.depth_max), ErrorKind::refused);
    }
    if (++values_ > limits_.values_max) {
      return error_at(at_, fmt::format("more values than the limit of {}", limits_.values_max), ErrorKind::refused);
    }
    LocatedValue result;
    result.place = place_at(at_);
    const char c = peek();
    std::size_t prefix_length = 0;
    if (c == '[') {
      ++at_;
      result.value = TRY(parse_items(']', depth)).items;
    } else if (c == '(') {
      ++at_;
      Items inner = TRY(parse_items(')', depth));
      if (inner.items.size() == 1 && !inner.comma) {
        return std::move(inner.items.front());  // only parentheses
      }
      result.value = std::move(inner.items);
    } else if (c == '{') {
      result.value = TRY(parse_dictionary(depth));
    } else if (string_prefix(prefix_length)) {
      result.value = TRY(parse_strings());
    } else if (is_digit(c) || c == '-' || c == '+' || c == '.') {
      TRY(parse_number(result));
    } else {
      TRY(parse_name(result));
    }
    return result;
  }

  struct Items {
    LocatedValue::List items;
    bool comma = false;
  };

  Result<Items> parse_items(char close, std::size_t depth) {
    const std::size_t opened = at_ - 1;
    Items result;
    for (;;) {
      skip_blanks();
      if (peek() == close) {
        ++at_;
        return result;
      }
      if (at_ == text_.size()) {
        return error_at(opened, fmt::format("'{}' is never closed", text_[opened]));
      }
      result.items.push_back(TRY(parse_value(depth + 1)));
      skip_blanks();
      if (peek() == ',') {
        result.comma = true;
        ++at_;
      } else if (at_ == text_.size()) {
        return error_at(opened, fmt::format("'{}' is never closed", text_[opened]));
      } else if (peek() != close) {
        return error(fmt::format("',' or '{}' expected", close));
      }
    }
  }

  Result<LocatedValue::Table> parse_dictionary(std::size_t depth) {
    const std::size_t opened = at_++;
    LocatedValue::Table table;
    for (;;) {
      skip_blanks();
      if (peek() == '}') {
        ++at_;
        return table;
      }
      if (at_ == text_.size()) {
        return error_at(opened, "'{' is never closed");
      }
      TRY(parse_member(depth, table));
      skip_blanks();
      if (peek() == ',') {
        ++at_;
      } else if (at_ == text_.size()) {
        return error_at(opened, "'{' is never closed");
      } else if (peek() != '}') {
        return error("',' or '}' expected");
      }
    }
  }

  Result<> parse_member(std::size_t depth, LocatedValue::Table& table) {
    const std::size_t key_at = at_;
    std::size_t prefix_length = 0;
    if (!string_prefix(prefix_length)) {
      return error("a key in quotes expected");
    }
    LocatedMember member;
    member.place = place_at(key_at);
    member.name = TRY(parse_strings());
    for (const LocatedMember& other : table) {
      if (other.name == member.name) {
        return error_at(key_at,
                        fmt::format("key '{}' stands twice in this dictionary", terminal_safe(member.name, 80)));
      }
    }
    skip_blanks();
    if (peek() != ':') {
      return error(fmt::format("':' expected after the key '{}'", terminal_safe(member.name, 80)));
    }
    ++at_;
    skip_blanks();
    member.value = TRY(parse_value(depth + 1));
    table.push_back(std::move(member));
    return {};
  }

  // One string, and those that follow it with only blanks between.
  Result<std::string> parse_strings() {
    std::string result;
    std::size_t prefix_length = 0;
    std::size_t end = at_;
    while (const std::optional<StringPrefix> prefix = string_prefix(prefix_length)) {
      at_ += prefix_length;
      TRY(parse_string(*prefix, result));
      end = at_;
      skip_blanks();
    }
    at_ = end;
    return result;
  }

  Result<> parse_string(StringPrefix prefix, std::string& result) {
    const std::size_t opened = at_;
    const char quote = peek();
    const std::string three(3, quote);
    const bool triple = starts_with(three);
    const std::string_view end = triple ? std::string_view(three) : std::string_view(three).substr(0, 1);
    at_ += end.size();
    while (at_ < text_.size()) {
      if (starts_with(end)) {
        at_ += end.size();
        return {};
      }
      const char c = text_[at_];
      if (c == '\n' && !triple) {
        return error_at(opened, "this string is not closed on its line");
      }
      if (c == '\\' && at_ + 1 < text_.size()) {
        TRY(parse_escape(prefix, result));
      } else if (c == '\r' && peek(1) == '\n') {
        ++at_;  // Python reads files with \n alone
      } else {
        result += c;
        ++at_;
      }
    }
    return error_at(opened, "this string is never closed");
  }

  Result<> parse_escape(StringPrefix prefix, std::string& result) {
    const char c = peek(1);
    if (prefix.raw) {
      result.append(text_.substr(at_, 2));
      at_ += 2;
      return {};
    }
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    if (const std::size_t index = kLetters.find(c); index != std::string_view::npos) {
      result += kMeanings[index];
      at_ += 2;
    } else if (c == '\n') {
      at_ += 2;
    } else if (c == '\r' && peek(2) == '\n') {
      at_ += 3;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      return parse_code(c == 'x' ? 2 : c == 'u' ? 4 : 8, result);
    } else if (c >= '0' && c <= '7') {
      std::uint32_t code = 0;
      std::size_t length = 1;
      for (; length < 4 && peek(length) >= '0' && peek(length) <= '7'; ++length) {
        code = code * 8 + static_cast<std::uint32_t>(peek(length) - '0');
      }
      append_utf8(result, code);
      at_ += length;
    } else if (c == 'N') {
      return error("names of characters (\\N{...}) are not supported; write the character itself");
    } else {
      result.append(text_.substr(at_, 2));  // Python keeps the backslash of what is no escape
      at_ += 2;
    }
    return {};
  }

  Result<> parse_code(std::size_t digits, std::string& result) {
    const std::string_view hex = text_.substr(at_ + 2, digits);
    std::uint32_t code = 0;
    const auto [end, status] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (hex.size() != digits || status != std::errc() || end != hex.data() + hex.size() || code > 0x10FFFF ||
        (code >= 0xD800 && code < 0xE000)) {
      return error(fmt::format("this escape needs {} hexadecimal digits of a character", digits));
    }
    append_utf8(result, code);
    at_ += 2 + digits;
    return {};
  }

  Result<> parse_number(LocatedValue& result) {
    const std::size_t start = at_;
    bool negative = false;
    while (peek() == '-' || peek() == '+' || peek() == ' ') {
      if (peek() == '-') {
        negative = !negative;
      }
      ++at_;
    }
    std::string digits(negative ? 1 : 0, '-');
    bool real = false;
    while (is_word(peek()) || peek() == '.' || ((peek() == '-' || peek() == '+') && ends_with_exponent(digits))) {
      const char c = text_[at_++];
      real = real || c == '.' || c == 'e' || c == 'E';
      if (c != '_' && c != '+') {
        digits += c;
      }
    }
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    if (!real) {
      std::int64_t whole = 0;
      if (const auto [stop, status] = std::from_chars(begin, end, whole); status == std::errc() && stop == end) {
        result.value = whole;
        return {};
      }
    } else {
      double value = 0;
      if (const auto [stop, status] = std::from_chars(begin, end, value); status == std::errc() && stop == end) {
        result.value = value;
        return {};
      }
    }
    return error_at(start, fmt::format("'{}' is not a number that can be read here",
                                       terminal_safe(text_.substr(start, at_ - start), 40)));
  }

  static bool ends_with_exponent(std::string_view digits) { return digits.ends_with('e') || digits.ends_with('E'); }

  Result<> parse_name(LocatedValue& result) {
    std::size_t length = 0;
    while (is_word(peek(length))) {
      ++length;
    }
    const std::string_view name = text_.substr(at_, length);
    if (name == "True" || name == "False") {
      result.value = name == "True";
    } else if (name.empty()) {
      return error(fmt::format("a value expected, not '{}'", terminal_safe(text_.substr(at_, 1))));
    } else if (name != "None") {
      return error(
          fmt::format("'{}' is not a literal; only strings, numbers, lists, tuples, dictionaries, True, False "
                      "and None are read",
                      terminal_safe(name, 40)));
    }
    at_ += length;
    return {};
  }

  const std::string_view file_;
  const std::string_view text_;
  const PythonLiteralLimits limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
  // Of place_at.
  std::size_t counted_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
};

}  // namespace

Result<LocatedValue> parse_python_literal(std::string_view file_name, std::string_view text,
                                          const PythonLiteralLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return make_error(ErrorKind::refused,
                      fmt::format("{}: larger than the limit of {} bytes", file_name, limits.bytes_max));
  }
  return Parser(file_name, text, limits).parse();
}

}  // namespace parallax
