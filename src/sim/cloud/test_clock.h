// A clock that a test moves by hand.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/mutex.h"

namespace parallax::sim {

class TestClock final : public Clock {
 public:
  Instant now() const override {
    const MutexLock lock(mutex_);
    return kStart + elapsed_;
  }

  Monotonic monotonic() const override {
    const MutexLock lock(mutex_);
    return Monotonic(Seconds(1000)) + elapsed_;
  }

  bool sleep_until(Monotonic deadline, std::stop_token /*stop*/) override {
    const MutexLock lock(mutex_);
    elapsed_ = std::max(elapsed_, deadline - Monotonic(Seconds(1000)));
    return true;
  }

  void pass(Micros duration) {
    const MutexLock lock(mutex_);
    elapsed_ += duration;
  }

  static constexpr Instant kStart{Seconds(1'795'000'000)};

 private:
  mutable Mutex mutex_;
  Micros elapsed_ GUARDED_BY(mutex_){0};
};

}  // namespace parallax::sim
