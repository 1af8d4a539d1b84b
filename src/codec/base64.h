// Base64 (RFC 4648, the standard alphabet): whole strings, and a decoder for text that arrives in pieces.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax {

std::string base64_encode(std::string_view bytes);

// Strict: padding is required, blanks are errors, unused bits must be zero.
Result<std::string> base64_decode(std::string_view text);

// Decodes text that arrives in pieces of any length, as a VOTable STREAM does. Blanks and line ends are skipped.
// Thread safety: one thread.
class Base64Decoder {
 public:
  // Appends the decoded bytes to `out`; at most 3/4 of the size of `text` and two bytes more. A character outside the
  // alphabet is `corrupt`, with its offset in all text pushed so far; what came before it has been decoded.
  // After an error the decoder stays in it.
  Result<> push(std::string_view text, std::string& out);

  // An error if the text ended inside a group of four characters.
  Result<> finish() const;

 private:
  Result<> push_one(unsigned char character, std::string& out);
  Result<> close_group(std::string& out);
  Error fail(std::string message);

  std::array<std::uint8_t, 4> group_{};
  std::size_t filled_ = 0;   // characters in group_, padding included
  std::size_t padding_ = 0;  // '=' among them
  bool closed_ = false;      // padding was seen: only blanks may follow
  bool failed_ = false;
  std::uint64_t offset_ = 0;  // characters consumed
};

}  // namespace parallax
