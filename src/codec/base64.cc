#include "codec/base64.h"

#include <fmt/format.h>

namespace parallax {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kBad = 0xFF;
constexpr std::uint8_t kBlank = 0xFE;
constexpr std::uint8_t kPadding = 0xFD;
constexpr std::uint8_t kNotAValue = 0xC0;  // any of these bits set: not one of the 64 characters

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table) {
    entry = kBad;
  }
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  for (const char blank : {' ', '\t', '\r', '\n'}) {
    table[static_cast<unsigned char>(blank)] = kBlank;
  }
  table[static_cast<unsigned char>('=')] = kPadding;
  return table;
}

constexpr std::array<std::uint8_t, 256> kTable = make_table();

char as_char(unsigned value) {
  return static_cast<char>(static_cast<unsigned char>(value & 0xFFU));
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    text += kAlphabet[group >> 18U];
    text += kAlphabet[group >> 12U & 63U];
    text += i + 1 < bytes.size() ? kAlphabet[group >> 6U & 63U] : '=';
    text += i + 2 < bytes.size() ? kAlphabet[group & 63U] : '=';
  }
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kTable[static_cast<unsigned char>(text[i])] == kBlank) {
      return make_error(ErrorKind::corrupt, fmt::format("base64: blank at offset {}", i));
    }
  }
  std::string out;
  Base64Decoder decoder;
  TRY(decoder.push(text, out));
  TRY(decoder.finish());
  return out;
}

Result<> Base64Decoder::push(std::string_view text, std::string& out) {
  if (failed_) {
    return make_error(ErrorKind::corrupt, "base64: text after an error");
  }
  std::size_t i = 0;
  while (i < text.size()) {
    // Four characters at a time as long as they are plain; everything else goes the slow way, one by one.
    if (filled_ == 0 && !closed_) {
      const std::size_t start = out.size();
      out.resize(start + (text.size() - i) / 4 * 3);
      std::size_t written = start;
      for (; i + 4 <= text.size(); i += 4) {
        const unsigned a = kTable[static_cast<unsigned char>(text[i])];
        const unsigned b = kTable[static_cast<unsigned char>(text[i + 1])];
        const unsigned c = kTable[static_cast<unsigned char>(text[i + 2])];
        const unsigned d = kTable[static_cast<unsigned char>(text[i + 3])];
        if (((a | b | c | d) & kNotAValue) != 0) {
          break;
        }
        const unsigned group = a << 18U | b << 12U | c << 6U | d;
        out[written] = as_char(group >> 16U);
        out[written + 1] = as_char(group >> 8U);
        out[written + 2] = as_char(group);
        written += 3;
        offset_ += 4;
      }
      out.resize(written);
      if (i == text.size()) {
        break;
      }
    }
    TRY(push_one(static_cast<unsigned char>(text[i]), out));
    ++i;
  }
  return {};
}

Result<> Base64Decoder::push_one(unsigned char character, std::string& out) {
  const std::uint8_t value = kTable[character];
  if (value == kBlank) {
    ++offset_;
    return {};
  }
  if (value == kBad) {
    return fail(fmt::format("base64: character 0x{:02x} at offset {}", unsigned{character}, offset_));
  }
  if (closed_) {
    return fail(fmt::format("base64: text after the padding at offset {}", offset_));
  }
  if (value == kPadding ? filled_ < 2 : padding_ > 0) {
    return fail(fmt::format("base64: misplaced padding at offset {}", offset_));
  }
  ++offset_;
  padding_ += value == kPadding ? 1 : 0;
  group_[filled_++] = value == kPadding ? std::uint8_t{0} : value;
  if (filled_ < group_.size()) {
    return {};
  }
  return close_group(out);
}

Result<> Base64Decoder::close_group(std::string& out) {
  const unsigned group =
      unsigned{group_[0]} << 18U | unsigned{group_[1]} << 12U | unsigned{group_[2]} << 6U | unsigned{group_[3]};
  const unsigned unused = padding_ == 2 ? 0xFFFFU : padding_ == 1 ? 0xFFU : 0U;
  if ((group & unused) != 0) {
    return fail(fmt::format("base64: bits beyond the last byte are set before offset {}", offset_));
  }
  out += as_char(group >> 16U);
  if (padding_ < 2) {
    out += as_char(group >> 8U);
  }
  if (padding_ < 1) {
    out += as_char(group);
  }
  closed_ = padding_ > 0;
  filled_ = 0;
  padding_ = 0;
  return {};
}

Result<> Base64Decoder::finish() const {
  if (failed_) {
    return make_error(ErrorKind::corrupt, "base64: the text has an error");
  }
  if (filled_ != 0) {
    return make_error(ErrorKind::corrupt,
                      fmt::format("base64: the text ends inside a group of four, at offset {}", offset_));
  }
  return {};
}

Error Base64Decoder::fail(std::string message) {
  failed_ = true;
  return make_error(ErrorKind::corrupt, std::move(message));
}

}  // namespace parallax
