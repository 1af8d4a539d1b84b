// Clock: one of the six interfaces through which product code reaches the world.
#pragma once

#include <memory>
#include <stop_token>

#include "base/time.h"

namespace parallax {

// Thread safety: every method may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // UTC now. May jump; for instants in records only.
  virtual Instant now() const = 0;

  // For durations and deadlines; runs while the host sleeps.
  virtual Monotonic monotonic() const = 0;

  // Waits until `deadline`. Returns false if `stop` was requested before that (it then returns at once).
  virtual bool sleep_until(Monotonic deadline, std::stop_token stop) = 0;

  bool sleep_for(Micros duration, std::stop_token stop) { return sleep_until(monotonic() + duration, std::move(stop)); }
};

// The operating system's clocks (CLOCK_REALTIME, CLOCK_BOOTTIME).
std::unique_ptr<Clock> make_system_clock();

}  // namespace parallax
