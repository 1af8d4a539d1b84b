// Makes text fit for an XML parser without losing the document to one bad byte: what is not UTF-8, and control
// characters that XML forbids, become U+FFFD and are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parallax::vo {

// Thread safety: one thread.
class Utf8Repair {
 public:
  // The repaired text, without a character that `piece` leaves unfinished: that one is held back for the next call. The
  // view is into `piece` where nothing had to be changed, else into this object; it is valid until the next call.
  std::string_view repair(std::string_view piece);

  std::uint64_t bad_bytes() const { return bad_bytes_; }

 private:
  std::string_view repair_joined(std::string_view text);

  std::string held_;    // the start of a character, at most three bytes
  std::string joined_;  // held_ and the next piece
  std::string out_;
  std::uint64_t bad_bytes_ = 0;
};

}  // namespace parallax::vo
