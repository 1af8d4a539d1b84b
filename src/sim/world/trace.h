// What happened in a simulated world: a hash over every event, and the text of the last ones for failure messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace parallax::sim {

// Not thread safe: used by whoever holds the baton.
class Trace {
 public:
  // Keeps the text of the last `kept` events; 0 keeps none. With `echo` each event is printed to stderr as it happens.
  explicit Trace(std::size_t kept, bool echo) : kept_(kept), echo_(echo) {}

  void add(Monotonic at, std::uint64_t task, std::string_view kind, std::string_view detail);
  // Counts for the hash, but is no news for a reader: a task switch.
  void add_switch(Monotonic at, std::uint64_t task);

  std::uint64_t hash() const { return hash_; }

  std::uint64_t count() const { return count_; }

  // One line an event, oldest first.
  std::string last() const;

 private:
  struct Line {
    Monotonic at;
    std::uint64_t task = 0;
    std::string kind;
    std::string detail;
  };

  static std::string text(const Line& line);
  void mix(std::uint64_t value);
  void mix(std::string_view text);

  const std::size_t kept_;
  const bool echo_;
  std::vector<Line> ring_;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
  std::uint64_t count_ = 0;
  std::uint64_t lines_ = 0;  // that went into the ring
};

// FNV-1a, for names of random streams and for the trace.
std::uint64_t hash_text(std::string_view text);

}  // namespace parallax::sim
