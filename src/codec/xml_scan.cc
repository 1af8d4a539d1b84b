#include "codec/xml_scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace parallax {

namespace {

constexpr std::size_t kAttributesMax = 16;  // more than a machine writes; XmlParser takes over

enum class Char : std::uint8_t {
  bad,       // a control character, or '\r', which would have to be normalised
  text,      // nothing special
  blank,     // ' ', '\t', '\n'
  less,      // '<'
  amp,       // '&'
  bracket,   // ']', which may begin "]]>"
  not_ascii  // a byte of a longer character
};

struct Tables {
  std::array<Char, 256> text{};
  std::array<bool, 256> name{};        // inside a name, ':' left out
  std::array<bool, 256> name_start{};  // at its begin
};

constexpr Tables make_tables() {
  Tables tables;
  for (std::size_t i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    tables.name_start[i] = letter;
    tables.name[i] = letter || (c >= '0' && c <= '9') || c == '-' || c == '.';
    tables.text[i] = i >= 0x80 ? Char::not_ascii : i < 0x20 ? Char::bad : Char::text;
  }
  tables.text[' '] = tables.text['\t'] = tables.text['\n'] = Char::blank;
  tables.text['<'] = Char::less;
  tables.text['&'] = Char::amp;
  tables.text[']'] = Char::bracket;
  return tables;
}

constexpr Tables kTables = make_tables();

constexpr std::size_t index_of(char c) {
  return static_cast<unsigned char>(c);
}

bool is_blank(char c) {
  return kTables.text[index_of(c)] == Char::blank;
}

// What XML calls Char, beyond what the tables tell.
bool is_character(std::uint32_t code) {
  const bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return !control && !surrogate && code != 0xFFFE && code != 0xFFFF && code <= 0x10FFFF;
}

// The length of the character in UTF-8 that begins here, or 0.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) {
    return 0;
  }
  std::uint32_t code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  return code >= kLeast.at(size) && is_character(code) ? size : 0;
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

class Scanner {
 public:
  Scanner(std::string_view document, XmlHandler& handler, const XmlLimits& limits, const bool& stop)
      : at_(document.data()), end_(at_ + document.size()), handler_(handler), limits_(limits), stop_(stop) {}

  XmlScan run() {
    if (!declaration() || !around_root() || at_ == end_ || !tag()) {
      return stop_ ? XmlScan::stopped : XmlScan::gave_up;
    }
    while (!open_.empty()) {
      if (!content() || stop_) {
        return stop_ ? XmlScan::stopped : XmlScan::gave_up;
      }
    }
    return around_root() && at_ == end_ ? XmlScan::done : XmlScan::gave_up;
  }

 private:
  bool ahead(std::string_view text) const {
    return static_cast<std::size_t>(end_ - at_) >= text.size() && std::string_view(at_, text.size()) == text;
  }

  bool take(std::string_view text) {
    const bool found = ahead(text);
    at_ += found ? text.size() : 0;
    return found;
  }

  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) {
      ++at_;
    }
  }

  // <?xml version="1.0" encoding="UTF-8"?> as machines write it, and nothing else.
  bool declaration() {
    if (!take("<?xml ")) {
      return !ahead("<?");
    }
    const std::size_t close = rest().find("?>");
    if (close == std::string_view::npos) {
      return false;
    }
    const std::string_view said = trim(rest().substr(0, close));
    at_ += close + 2;
    constexpr std::array<std::string_view, 6> kSaid{
        R"(version="1.0")", R"(version="1.0" encoding="UTF-8")", R"(version="1.0" encoding="utf-8")",
        R"(version='1.0')", R"(version='1.0' encoding='UTF-8')", R"(version='1.0' encoding='utf-8')",
    };
    return std::find(kSaid.begin(), kSaid.end(), said) != kSaid.end();
  }

  // Blanks and comments before and after the root element.
  bool around_root() {
    for (;;) {
      skip_blanks();
      if (!ahead("<!--")) {
        return true;
      }
      if (!comment()) {
        return false;
      }
    }
  }

  bool content() {
    if (at_ == end_) {
      return false;
    }
    if (*at_ != '<') {
      return text();
    }
    if (end_ - at_ < 2) {
      return false;
    }
    if (at_[1] == '/') {
      return end_tag();
    }
    if (at_[1] != '!') {
      return tag();
    }
    return ahead("<!--") ? comment() : ahead("<![CDATA[") && section();
  }

  bool comment() {
    at_ += 4;
    const std::size_t close = rest().find("--");
    if (close == std::string_view::npos || !is_plain(rest().substr(0, close))) {
      return false;
    }
    at_ += close;
    return take("-->");
  }

  bool section() {
    at_ += 9;
    const std::size_t close = rest().find("]]>");
    if (close == std::string_view::npos || !is_plain(rest().substr(0, close))) {
      return false;
    }
    if (close > 0) {
      handler_.text(rest().substr(0, close));
    }
    at_ += close + 3;
    return true;
  }

  // Only characters that XML has and that come through as they are.
  static bool is_plain(std::string_view text) {
    while (!text.empty()) {
      const Char kind = kTables.text[index_of(text[0])];
      const std::size_t size = kind == Char::bad ? 0 : kind == Char::not_ascii ? character_size(text) : 1;
      if (size == 0) {
        return false;
      }
      text.remove_prefix(size);
    }
    return true;
  }

  // Up to the next '<', in one piece where nothing has to be resolved.
  bool text() {
    const char* begin = at_;
    while (at_ != end_) {
      const Char kind = kTables.text[index_of(*at_)];
      if (kind == Char::text || kind == Char::blank) {
        ++at_;
        continue;
      }
      if (kind == Char::less) {
        break;
      }
      if (kind == Char::amp) {
        give(begin);
        if (!reference()) {
          return false;
        }
        begin = at_;
        continue;
      }
      const std::size_t size = kind == Char::not_ascii                  ? character_size(rest())
                               : kind == Char::bracket && !ahead("]]>") ? 1
                                                                        : 0;
      if (size == 0) {
        return false;
      }
      at_ += size;
    }
    give(begin);
    return at_ != end_;
  }

  void give(const char* begin) {
    if (at_ != begin) {
      handler_.text({begin, static_cast<std::size_t>(at_ - begin)});
    }
  }

  bool reference() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames{
        {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}}};
    for (const auto& [name, character] : kNames) {
      if (take(name)) {
        handler_.text(character);
        return true;
      }
    }
    if (!take("&#")) {
      return false;
    }
    const int base = take("x") ? 16 : 10;
    std::uint32_t code = 0;
    const auto [after, status] = std::from_chars(at_, end_, code, base);
    if (status != std::errc() || after == end_ || *after != ';' || !is_character(code)) {
      return false;
    }
    at_ = after + 1;
    std::string bytes;
    append_utf8(code, bytes);
    handler_.text(bytes);
    return true;
  }

  // A name, with a prefix perhaps; empty where there is none that we know.
  std::string_view name() {
    const char* begin = at_;
    if (!name_part()) {
      return {};
    }
    if (at_ != end_ && *at_ == ':') {
      ++at_;
      if (!name_part()) {
        return {};
      }
    }
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  bool name_part() {
    if (at_ == end_ || !kTables.name_start[index_of(*at_)]) {
      return false;
    }
    while (at_ != end_ && kTables.name[index_of(*at_)]) {
      ++at_;
    }
    return true;
  }

  bool tag() {
    if (*at_ != '<') {
      return false;
    }
    ++at_;
    const std::string_view qualified = name();
    if (qualified.empty() || at_ == end_ || qualified.size() > limits_.name_bytes_max ||
        open_.size() >= limits_.depth_max) {
      return false;
    }
    if (*at_ != '>' && !attributes()) {
      return false;
    }
    const bool closed = take("/");
    if (!take(">")) {
      return false;
    }
    constexpr const char* kNone[] = {nullptr};
    handler_.start_element(XmlName(qualified), XmlAttributes(kNone));
    if (closed && !stop_) {
      handler_.end_element(XmlName(qualified));
    }
    if (!closed) {
      open_.push_back(qualified);
    }
    return !stop_;
  }

  bool attributes() {
    std::vector<std::string_view> names;
    for (;;) {
      const char* before = at_;
      skip_blanks();
      if (at_ == end_) {
        return false;
      }
      if (*at_ == '>' || *at_ == '/') {
        return true;
      }
      const bool apart = at_ != before;
      const std::string_view attribute = name();
      if (!apart || attribute.empty() || names.size() >= kAttributesMax ||
          std::find(names.begin(), names.end(), attribute) != names.end() || !attribute_value()) {
        return false;
      }
      names.push_back(attribute);
    }
  }

  bool attribute_value() {
    skip_blanks();
    if (!take("=")) {
      return false;
    }
    skip_blanks();
    if (at_ == end_ || (*at_ != '"' && *at_ != '\'')) {
      return false;
    }
    const char quote = *at_++;
    const char* begin = at_;
    while (at_ != end_ && *at_ != quote) {
      const Char kind = kTables.text[index_of(*at_)];
      if (kind != Char::text && kind != Char::blank && kind != Char::bracket) {
        return false;
      }
      ++at_;
    }
    if (at_ == end_ || static_cast<std::size_t>(at_ - begin) > limits_.attribute_bytes_max) {
      return false;
    }
    ++at_;
    return true;
  }

  bool end_tag() {
    at_ += 2;
    const std::string_view expected = open_.back();
    if (!take(expected)) {
      return false;
    }
    skip_blanks();
    if (!take(">")) {
      return false;
    }
    open_.pop_back();
    handler_.end_element(XmlName(expected));
    return !stop_;
  }

  const char* at_;
  const char* const end_;
  XmlHandler& handler_;
  const XmlLimits& limits_;
  const bool& stop_;
  std::vector<std::string_view> open_;  // names of the open elements
};

}  // namespace

XmlScan scan_xml(std::string_view document, XmlHandler& handler, const XmlLimits& limits, const bool& stop) {
  if (document.size() > limits.bytes_max) {
    return XmlScan::gave_up;
  }
  return Scanner(document, handler, limits, stop).run();
}

}  // namespace parallax
