#include "vo/sniff.h"

#include <algorithm>

#include "base/text.h"
#include "codec/gzip.h"

namespace parallax::vo {

namespace {

constexpr std::size_t kMagicBytes = 16;  // longer than every magic

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equals_ignore_case(text.substr(0, start.size()), start);
}

std::size_t count_separators(std::string_view line) {
  std::size_t count = 0;
  bool quoted = false;
  for (const char c : line) {
    quoted = quoted != (c == '"');
    count += !quoted && (c == ',' || c == '\t') ? 1 : 0;
  }
  return count;
}

bool looks_like_csv(std::string_view head) {
  const std::size_t end = head.find('\n');
  if (end == std::string_view::npos) {
    return false;
  }
  const std::string_view second = head.substr(end + 1);
  const std::size_t separators = count_separators(head.substr(0, end));
  return separators > 0 && !second.empty() && count_separators(second.substr(0, second.find('\n'))) == separators;
}

bool is_binary(std::string_view head) {
  return std::any_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x09 || (byte > 0x0D && byte < 0x20 && byte != 0x1B);
  });
}

}  // namespace

Sniffed sniff(std::string_view head, MoreBytes more, std::string_view content_type) {
  if (head.empty()) {
    return more == MoreBytes::none ? Sniffed::empty : Sniffed::undecided;
  }
  if (head.size() < kMagicBytes && more == MoreBytes::may_follow) {
    return Sniffed::undecided;
  }
  if (looks_like_gzip(head)) {
    return Sniffed::gzip;
  }
  const std::string_view unmarked = head.starts_with("\xEF\xBB\xBF") ? trim(head.substr(3)) : head;
  if (starts_with_ignoring_case(unmarked, "<html") || starts_with_ignoring_case(unmarked, "<!doctype html")) {
    return Sniffed::html;
  }
  if (unmarked.starts_with('<') || head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF") ||
      head.starts_with(std::string_view("\0<", 2))) {
    // The XML declaration has to be complete: the encoding in it decides how to read on.
    const bool waits = unmarked.starts_with("<?xml") && unmarked.find("?>") == std::string_view::npos &&
                       head.size() < kSniffBytes && more == MoreBytes::may_follow;
    return waits ? Sniffed::undecided : Sniffed::xml;
  }
  if (unmarked.starts_with('{') || unmarked.starts_with('[')) {
    return Sniffed::json;
  }
  if (head.starts_with("SIMPLE  =")) {
    return Sniffed::fits;
  }
  if (head.starts_with("PAR1")) {
    return Sniffed::parquet;
  }
  if (head.size() < kSniffBytes && more == MoreBytes::may_follow) {
    return Sniffed::undecided;
  }
  head = head.substr(0, kSniffBytes);
  if (is_binary(head)) {
    return Sniffed::other;
  }
  const std::string type = to_lower(content_type);
  const bool is_said_csv =
      type.find("text/csv") != std::string::npos || type.find("tab-separated-values") != std::string::npos;
  return is_said_csv || looks_like_csv(head) ? Sniffed::csv : Sniffed::text;
}

std::string_view declared_encoding(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) {
    head = trim(head.substr(3));
  }
  if (!head.starts_with("<?xml")) {
    return "";
  }
  const std::string_view declaration = head.substr(0, head.find("?>"));
  std::size_t at = declaration.find("encoding");
  if (at == std::string_view::npos) {
    return "";
  }
  at = declaration.find_first_of("'\"", at);
  if (at == std::string_view::npos) {
    return "";
  }
  const std::string_view rest = declaration.substr(at + 1);
  return rest.substr(0, rest.find(declaration[at]));
}

}  // namespace parallax::vo
