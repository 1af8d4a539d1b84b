#include "probe/journal.h"

#include <charconv>

#include <fmt/format.h>

#include "codec/hash.h"

namespace parallax::probe {

namespace {

constexpr std::size_t kPrefix = 9;  // eight digits and a blank

bool reads(std::string_view line) {
  if (line.size() < kPrefix || line.size() > kLineBytesMax + kPrefix || line[kPrefix - 1] != ' ') {
    return false;
  }
  std::uint32_t sum = 0;
  const auto [end, status] = std::from_chars(line.data(), line.data() + kPrefix - 1, sum, 16);
  return status == std::errc() && end == line.data() + kPrefix - 1 && sum == crc32(line.substr(kPrefix));
}

}  // namespace

std::string journal_line(std::string_view text) {
  return fmt::format("{:08x} {}\n", crc32(text), text);
}

JournalText read_journal(std::string_view file) {
  JournalText result;
  std::size_t at = 0;
  while (at < file.size()) {
    const std::size_t end = file.find('\n', at);
    if (end == std::string_view::npos) {
      ++result.torn;
      break;
    }
    const std::string_view line = file.substr(at, end - at);
    at = end + 1;
    if (reads(line)) {
      result.lines.push_back(line.substr(kPrefix));
      result.good_size = at;
    } else {
      ++result.torn;
    }
  }
  return result;
}

}  // namespace parallax::probe
