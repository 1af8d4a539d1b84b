// Datatypes and array sizes of VOTable fields (VOTable 1.5, sections 2.1 and 2.2).
#pragma once

#include <cstdint>
#include <string_view>

namespace parallax::vo {

enum class Datatype {
  unknown,
  boolean,
  bit,
  unsigned_byte,
  short_integer,
  integer,
  long_integer,
  character,
  unicode_character,
  float_number,
  double_number,
  float_complex,
  double_complex,
};

Datatype parse_datatype(std::string_view text);
bool is_integer(Datatype type);  // unsignedByte, short, int, long
bool is_float(Datatype type);    // float, double
bool is_text(Datatype type);     // char, unicodeChar

// Bytes of one element in a binary stream; 0 for unknown and for bit, whose arrays are packed.
std::uint64_t element_bytes(Datatype type);

struct ArrayShape {
  bool valid = true;
  bool is_scalar = true;     // no arraysize
  bool is_variable = false;  // the last dimension is `*` or `n*`
  std::uint64_t count = 1;   // elements of a fixed array; saturates at kCountMax
};

inline constexpr std::uint64_t kCountMax = std::uint64_t{1} << 40;

// "", "3", "3x2", "*", "10*", "3x*", "3x10*".
ArrayShape parse_arraysize(std::string_view text);

// Bytes of a fixed field in a binary stream.
std::uint64_t fixed_bytes(Datatype type, std::uint64_t count);

}  // namespace parallax::vo
