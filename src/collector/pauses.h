// Which providers asked a fleet to be asked less, and until when: what one vantage was told holds for all.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "base/time.h"
#include "codec/json.h"
#include "record/measurement.h"

namespace parallax::collector {

// Answered 429 or 503 (RFC 6585 section 4, RFC 9110 section 15.6.4).
bool asks_for_peace(const Measurement& measurement);

// Kept in memory alone: who starts the collector again loses at most an hour of them. Thread safety: any task.
class PauseBoard {
 public:
  // Looks at a measurement that is new here: 429 or 503, of the last minutes by the vantage's clock. The pause is what
  // Retry-After said, else kPauseDefault, from now on, at most kPauseMax.
  void note(const Measurement& measurement, Instant now);

  // [{"fleet": ..., "provider": ..., "wait_us": ...}] of those that still hold, of one fleet or (empty) of all; a
  // duration, since clocks differ.
  JsonArray list(std::string_view fleet, Instant now);

  static constexpr Micros kPauseDefault{Seconds(10)};
  static constexpr Micros kPauseMax = std::chrono::hours(1);
  static constexpr std::size_t kPausesMax = 10'000;

 private:
  void forget_ended(Instant now) REQUIRES(mutex_);

  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, Instant> until_ GUARDED_BY(mutex_);  // by fleet and provider
};

}  // namespace parallax::collector
