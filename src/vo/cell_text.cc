#include "vo/cell_text.h"

#include <charconv>

#include "base/text.h"

namespace parallax::vo {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The digits at the start of `text` are dropped; returns whether there were any.
bool skip_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) {
    ++count;
  }
  text.remove_prefix(count);
  return count > 0;
}

void skip_sign(std::string_view& text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    text.remove_prefix(1);
  }
}

bool has_integer_form(std::string_view text) {
  skip_sign(text);
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  }
  return skip_digits(text) && text.empty();
}

bool is_nan_word(std::string_view text) {
  skip_sign(text);
  return equals_ignore_case(text, "nan");
}

bool has_float_form(std::string_view text) {
  skip_sign(text);
  const bool whole = skip_digits(text);
  bool fraction = false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = skip_digits(text);
  }
  if (!whole && !fraction) {
    return equals_ignore_case(text, "inf") || equals_ignore_case(text, "infinity");
  }
  if (text.empty()) {
    return true;
  }
  // Fortran's D exponent is not allowed, yet written by old services; it reads as a number.
  if (std::string_view("eEdD").find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  skip_sign(text);
  return skip_digits(text) && text.empty();
}

CellState judge_truth(std::string_view text) {
  if (text.empty() || text == "?") {
    return CellState::null;
  }
  const bool known = text == "T" || text == "t" || text == "1" || text == "F" || text == "f" || text == "0" ||
                     equals_ignore_case(text, "true") || equals_ignore_case(text, "false");
  return known ? CellState::value : CellState::bad;
}

}  // namespace

CellRule::CellRule(const Field& field)
    : type(parse_datatype(field.datatype)),
      is_array(!parse_arraysize(field.arraysize).is_scalar && field.arraysize != "1"),
      has_null_value(field.has_null_value),
      null_value(field.null_value) {}

CellState judge_cell(const CellRule& rule, std::string_view text) {
  if (text.empty() || (rule.has_null_value && text == rule.null_value)) {
    return CellState::null;
  }
  if (is_text(rule.type)) {
    return CellState::value;
  }
  text = trim(text);
  if (text.empty() || (rule.has_null_value && text == rule.null_value)) {
    return CellState::null;
  }
  if (rule.is_array) {
    return CellState::value;
  }
  if (is_integer(rule.type)) {
    return has_integer_form(text) ? CellState::value : CellState::bad;
  }
  if (is_float(rule.type)) {
    if (has_float_form(text)) {
      return CellState::value;
    }
    return is_nan_word(text) ? CellState::null : CellState::bad;
  }
  return rule.type == Datatype::boolean ? judge_truth(text) : CellState::value;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (is_hexadecimal) {
    std::uint64_t bits = 0;
    text.remove_prefix(2);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
    if (error != std::errc() || end != text.data() + text.size()) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(bits);
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace parallax::vo
