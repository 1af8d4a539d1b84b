#include "collector/html.h"

#include <array>

#include "base/text.h"

namespace parallax::collector {

namespace {

// Direction marks (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069) can make text look like other text.
bool is_direction_mark(std::string_view three) {
  if (three.size() < 3 || three[0] != '\xE2') {
    return false;
  }
  const auto last = static_cast<unsigned char>(three[2]);
  if (three[1] == '\x80') {
    return last == 0x8E || last == 0x8F || (last >= 0xAA && last <= 0xAE);
  }
  return three[1] == '\x81' && last >= 0xA6 && last <= 0xA9;
}

std::string show_direction_mark(std::string_view three) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const unsigned low = static_cast<unsigned char>(three[2]) & 0x3FU;
  const unsigned middle = static_cast<unsigned char>(three[1]) & 0x3FU;
  const unsigned code = 0x2000U | (middle << 6U) | low;
  std::string shown = "\\u{";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    shown += kHex[(code >> shift) & 0xFU];
  }
  return shown + "}";
}

bool is_void(std::string_view name) {
  return name == "meta" || name == "link" || name == "br";
}

bool is_local_path(std::string_view value) {
  return value.starts_with("/") && !value.starts_with("//") && value.find('\\') == std::string_view::npos;
}

}  // namespace

std::string html_escape(std::string_view text) {
  const std::string safe = terminal_safe(text, std::string::npos);
  std::string escaped;
  escaped.reserve(safe.size() + safe.size() / 8);
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const std::string_view rest = std::string_view(safe).substr(i, 3);
    if (is_direction_mark(rest)) {
      escaped += show_direction_mark(rest);
      i += 2;
      continue;
    }
    switch (safe[i]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += safe[i];
    }
  }
  return escaped;
}

Html Html::lines(std::string_view text) {
  Html html;
  bool first = true;
  for (const std::string_view line : split(text, '\n')) {
    html.markup_ += first ? "" : "\n";
    html.markup_ += html_escape(line);
    first = false;
  }
  return html;
}

Html Element::make(Name name, const std::vector<Attribute>& attributes, const std::vector<Html>& children) {
  Html html;
  html.markup_ = "<";
  html.markup_ += name.view();
  for (const Attribute& attribute : attributes) {
    const bool is_link = attribute.name.view() == "href" || attribute.name.view() == "src";
    if (attribute.value.empty() || (is_link && !is_local_path(attribute.value))) {
      continue;
    }
    html.markup_ += ' ';
    html.markup_ += attribute.name.view();
    html.markup_ += "=\"";
    html.markup_ += html_escape(attribute.value);
    html.markup_ += '"';
  }
  html.markup_ += '>';
  if (is_void(name.view())) {
    return html;
  }
  for (const Html& child : children) {
    html.add(child);
  }
  html.markup_ += "</";
  html.markup_ += name.view();
  html.markup_ += '>';
  return html;
}

std::string html_document(const Html& head, const Html& body) {
  return "<!doctype html>\n" + element("html", {{"lang", "en"}}, {element("head", {}, {head}), body}).markup() + "\n";
}

}  // namespace parallax::collector
