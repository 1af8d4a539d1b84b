#include "vo/utf8_repair.h"

#include <cstring>

namespace parallax::vo {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the character that begins with this byte (0x80 or above), or 0 where none does.
int size_by_lead(unsigned char lead) {
  if (lead < 0xC2 || lead > 0xF4) {
    return 0;
  }
  return lead <= 0xDF ? 2 : lead <= 0xEF ? 3 : 4;
}

// Whether a character of that size may have this code: not written longer than needed, no surrogate, not beyond
// Unicode.
bool is_good_code(int size, std::uint32_t code) {
  if (size == 3) {
    return code >= 0x800 && (code < 0xD800 || code > 0xDFFF) && code < 0xFFFE;
  }
  return size != 4 || (code >= 0x10000 && code <= 0x10FFFF);
}

// Bytes of the character at `text[at]`: 1 to 4, or 0 if it is bad, or -1 if `text` ends inside it.
int character_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
  }
  const int size = size_by_lead(lead);
  std::uint32_t code = 0;
  for (int i = 1; i < size; ++i) {
    if (at + static_cast<std::size_t>(i) >= text.size()) {
      return -1;
    }
    const unsigned char next = byte(static_cast<std::size_t>(i));
    if ((next & 0xC0U) != 0x80) {
      return 0;
    }
    code = (i == 1 ? lead & (0xFFU >> (size + 1)) : code) << 6U | (next & 0x3FU);
  }
  return is_good_code(size, code) ? size : 0;
}

// Where the first byte at or after `at` is that is neither printable ASCII nor one of XML's blanks. Eight at a time.
std::size_t skip_plain(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    while (at + 8 <= text.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, 8);
      const std::uint64_t below_blank = (word - 0x2020202020202020U) & ~word;
      if (((below_blank | word) & 0x8080808080808080U) != 0) {
        break;
      }
      at += 8;
    }
    const std::size_t stop = at + 8 < text.size() ? at + 8 : text.size();
    for (; at < stop; ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if (byte >= 0x80 || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t')) {
        return at;
      }
    }
  }
  return at;
}

}  // namespace

std::string_view Utf8Repair::repair(std::string_view piece) {
  if (held_.empty()) {
    return repair_joined(piece);
  }
  joined_ = held_;
  joined_ += piece;
  held_.clear();
  return repair_joined(joined_);
}

std::string_view Utf8Repair::repair_joined(std::string_view text) {
  bool changed = false;
  std::size_t kept = 0;  // how much of `text` is in out_ already
  std::size_t at = 0;
  while ((at = skip_plain(text, at)) < text.size()) {
    const int size = character_size(text, at);
    if (size > 0) {
      at += static_cast<std::size_t>(size);
      continue;
    }
    if (size < 0) {
      held_ = text.substr(at);
      text = text.substr(0, at);
      break;
    }
    if (!changed) {
      changed = true;
      out_.clear();
    }
    out_ += text.substr(kept, at - kept);
    out_ += kReplacement;
    kept = ++at;
    ++bad_bytes_;
  }
  if (!changed) {
    return text;
  }
  out_ += text.substr(kept);
  return out_;
}

}  // namespace parallax::vo
