// Small text helpers that every layer needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parallax {

std::string to_lower(std::string_view text);                      // ASCII only
bool equals_ignore_case(std::string_view a, std::string_view b);  // ASCII only
std::string_view trim(std::string_view text);                     // blanks, tabs, CR, LF at both ends
std::vector<std::string_view> split(std::string_view text, char separator);

// Safe to print on a terminal: control characters (C0, DEL, C1 in UTF-8) and bytes that are not UTF-8 become \xNN; cut
// to `length_max` bytes with "..." where longer.
std::string terminal_safe(std::string_view text, std::size_t length_max = 2000);

// Replaces bytes that are not valid UTF-8 by U+FFFD.
std::string to_utf8(std::string_view text);

// The candidate nearest to `word` by edit distance, if near enough to be a slip of the hand; else empty.
std::string_view suggest(std::string_view word, const std::vector<std::string_view>& candidates);

// "file:line:column: message", the line itself, and a caret under the column (columns count from 1).
// `source` is the whole text of the file.
std::string point_at(std::string_view file, std::string_view source, std::size_t line, std::size_t column,
                     std::string_view message);

}  // namespace parallax
