#include "sim/world/trace.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

namespace parallax::sim {

namespace {

constexpr std::uint64_t kFnvPrime = 0x100000001B3U;

}  // namespace

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  }
  return hash;
}

void Trace::mix(std::uint64_t value) {
  hash_ = (hash_ ^ value) * kFnvPrime;
  hash_ ^= hash_ >> 29U;
}

void Trace::mix(std::string_view text) {
  mix(hash_text(text));
}

void Trace::add(Monotonic at, std::uint64_t task, std::string_view kind, std::string_view detail) {
  ++count_;
  mix(static_cast<std::uint64_t>(at.time_since_epoch().count()));
  mix(task);
  mix(kind);
  mix(detail);
  if (kept_ == 0) {
    return;
  }
  if (ring_.size() < kept_) {
    ring_.emplace_back();
  }
  Line& line = ring_[lines_++ % kept_];
  line.at = at;
  line.task = task;
  line.kind.assign(kind);
  line.detail.assign(detail);
  if (echo_) {
    std::fputs((text(line) + "\n").c_str(), stderr);
  }
}

void Trace::add_switch(Monotonic at, std::uint64_t task) {
  ++count_;
  mix(static_cast<std::uint64_t>(at.time_since_epoch().count()));
  mix(task);
}

std::string Trace::text(const Line& line) {
  const double seconds = static_cast<double>(line.at.time_since_epoch().count()) / 1e6;
  return fmt::format("{:14.6f} s  task {:<5} {:<9} {}", seconds, line.task, line.kind, line.detail);
}

std::string Trace::last() const {
  std::string lines;
  const std::size_t size = ring_.size();
  for (std::size_t i = 0; i < size; ++i) {
    lines += text(ring_[(lines_ + i) % size]) + "\n";
  }
  return lines;
}

}  // namespace parallax::sim
