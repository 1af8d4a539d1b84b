#include "vo/datatype.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace parallax::vo {

Datatype parse_datatype(std::string_view text) {
  static constexpr std::pair<std::string_view, Datatype> kNames[] = {
      {"boolean", Datatype::boolean},
      {"bit", Datatype::bit},
      {"unsignedByte", Datatype::unsigned_byte},
      {"short", Datatype::short_integer},
      {"int", Datatype::integer},
      {"long", Datatype::long_integer},
      {"char", Datatype::character},
      {"unicodeChar", Datatype::unicode_character},
      {"float", Datatype::float_number},
      {"double", Datatype::double_number},
      {"floatComplex", Datatype::float_complex},
      {"doubleComplex", Datatype::double_complex},
  };
  for (const auto& [name, type] : kNames) {
    if (name == text) {
      return type;
    }
  }
  return Datatype::unknown;
}

bool is_integer(Datatype type) {
  return type == Datatype::unsigned_byte || type == Datatype::short_integer || type == Datatype::integer ||
         type == Datatype::long_integer;
}

bool is_float(Datatype type) {
  return type == Datatype::float_number || type == Datatype::double_number;
}

bool is_text(Datatype type) {
  return type == Datatype::character || type == Datatype::unicode_character;
}

std::uint64_t element_bytes(Datatype type) {
  switch (type) {
    case Datatype::boolean:
    case Datatype::unsigned_byte:
    case Datatype::character:
      return 1;
    case Datatype::short_integer:
    case Datatype::unicode_character:
      return 2;
    case Datatype::integer:
    case Datatype::float_number:
      return 4;
    case Datatype::long_integer:
    case Datatype::double_number:
    case Datatype::float_complex:
      return 8;
    case Datatype::double_complex:
      return 16;
    case Datatype::unknown:
    case Datatype::bit:
      break;
  }
  return 0;
}

namespace {

// One dimension; nullopt-like: false if it is no number. Saturates.
bool parse_dimension(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size() || error == std::errc::invalid_argument) {
    return false;
  }
  if (error != std::errc() || value > kCountMax) {
    value = kCountMax;
  }
  return true;
}

}  // namespace

ArrayShape parse_arraysize(std::string_view text) {
  ArrayShape shape;
  text = trim(text);
  if (text.empty()) {
    return shape;
  }
  shape.is_scalar = false;
  const std::vector<std::string_view> dimensions = split(text, 'x');
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    std::string_view dimension = trim(dimensions[i]);
    const bool is_last = i + 1 == dimensions.size();
    if (is_last && dimension.ends_with('*')) {
      shape.is_variable = true;
      dimension.remove_suffix(1);
      if (dimension.empty()) {
        return shape;
      }
    }
    std::uint64_t value = 0;
    if (!parse_dimension(dimension, value)) {
      shape.valid = false;
      return shape;
    }
    // Both factors are at most 2^40; the product is cut to that before it can overflow.
    shape.count = value != 0 && shape.count > kCountMax / value ? kCountMax : shape.count * value;
  }
  return shape;
}

std::uint64_t fixed_bytes(Datatype type, std::uint64_t count) {
  return type == Datatype::bit ? (count + 7) / 8 : count * element_bytes(type);
}

}  // namespace parallax::vo
