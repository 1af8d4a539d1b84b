// The lines of the spool's files: "CRC32 text\n", the checksum in eight hex digits over the text. A line that was torn
// by a crash or a full disk does not read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parallax::probe {

inline constexpr std::size_t kLineBytesMax = 1U << 20U;

std::string journal_line(std::string_view text);

struct JournalText {
  std::vector<std::string_view> lines;  // the texts of the lines that read, in order
  std::size_t good_size = 0;  // up to here every byte belongs to a line that reads, or to one before such a line
  std::size_t torn = 0;       // lines that do not read, the tail included
};

JournalText read_journal(std::string_view file);

}  // namespace parallax::probe
