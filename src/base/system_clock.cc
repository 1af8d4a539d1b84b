#include <condition_variable>
#include <mutex>
#include <time.h>

#include "base/clock.h"

namespace parallax {

namespace {

Micros read_clock(clockid_t id) {
  timespec value{};
  CHECK(clock_gettime(id, &value) == 0, "clock_gettime failed");
  return Seconds(value.tv_sec) + Micros(value.tv_nsec / 1000);
}

class SystemClock final : public Clock {
 public:
  Instant now() const override { return Instant(read_clock(CLOCK_REALTIME)); }

  Monotonic monotonic() const override { return Monotonic(read_clock(CLOCK_BOOTTIME)); }

  bool sleep_until(Monotonic deadline, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    // CLOCK_BOOTTIME cannot be waited for directly: a host that was suspended would oversleep, so look again each
    // second.
    for (Monotonic now = monotonic(); now < deadline; now = monotonic()) {
      if (stop.stop_requested()) {
        return false;
      }
      wake.wait_for(lock, stop, std::min<Micros>(deadline - now, Seconds(1)), [] { return false; });
    }
    return !stop.stop_requested();
  }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() {
  return std::make_unique<SystemClock>();
}

}  // namespace parallax
