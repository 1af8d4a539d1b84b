// Tells what a body is by its first bytes; Content-Type headers are wrong too often.
#pragma once

#include <cstddef>
#include <string_view>

namespace parallax::vo {

enum class Sniffed { undecided, gzip, xml, html, json, fits, parquet, csv, text, other, empty };

enum class MoreBytes { may_follow, none };

// Enough to decide on everything.
inline constexpr std::size_t kSniffBytes = 4096;

// `head` is the start of the body, after blanks. CSV is told from text by equal numbers of commas in its lines, or by
// `content_type`.
Sniffed sniff(std::string_view head, MoreBytes more, std::string_view content_type);

// The encoding in the XML declaration at the start of `head`; "" where there is none.
std::string_view declared_encoding(std::string_view head);

}  // namespace parallax::vo
