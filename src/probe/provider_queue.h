// The queries of one provider, handed out one by one with the moment at which each may start: what was agreed with the
// provider (rate, quiet hours, opt-out), and what it says itself (429, 503, Retry-After; RFC 9110 section 10.2.3).
#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "probe/timetable.h"

namespace parallax::probe {

// Thread safety: any task.
class ProviderQueue {
 public:
  // `begin` of the timetable on both clocks; nothing starts at or after `end`.
  ProviderQueue(ProviderTimetable table, Monotonic begin, Instant wall, Monotonic end);

  struct Turn {
    PlannedQuery query;
    Monotonic start;
    // Why it must not be asked, a code of ours; nullptr where it may.
    const char* missed = nullptr;
  };

  // The next query, nothing after the last. Open loop: a slow answer does not move the later starts, but the provider
  // never gets two closer together than agreed, nor one in its quiet hours: a start in these moves behind them.
  std::optional<Turn> next(Monotonic now);

  // Whether the provider asked for peace since `turn` was handed out; then the turn has a new start or a reason not to
  // be asked. Ask when its start has come.
  bool moved(Turn& turn, Monotonic now);

  // The provider asked to be asked less. It is left alone as long as it says; where it does not say (zero), for
  // kBackoffFirst and twice as long each time again, up to kBackoffMax. And from then on its queries come at twice the
  // distance, up to kSlowestFactor times of what was agreed.
  void throttled(Micros retry_after, Monotonic now);
  // It answered as agreed: after kAnswersUntilQuicker of these in a row the distance is halved again.
  void answered();
  // Somebody else of the fleet was told to wait until then.
  void pause_until(Monotonic until);

  const Provider& provider() const { return table_.provider; }

  std::size_t size() const { return table_.queries.size(); }

  static constexpr Micros kBackoffFirst{Seconds(2)};
  static constexpr Micros kBackoffMax{Seconds(300)};
  static constexpr int kSlowestFactor = 32;
  static constexpr int kAnswersUntilQuicker = 10;

 private:
  void place(Turn& turn, Monotonic now) REQUIRES(mutex_);
  const char* why_missed(const PlannedQuery& query, Monotonic start) const;

  const ProviderTimetable table_;
  const Monotonic begin_;
  const Instant wall_;
  const Monotonic end_;
  Mutex mutex_;
  std::size_t index_ GUARDED_BY(mutex_) = 0;
  Monotonic free_at_ GUARDED_BY(mutex_);
  Monotonic paused_until_ GUARDED_BY(mutex_);
  int strikes_ GUARDED_BY(mutex_) = 0;  // asked to be asked less, in a row
  int factor_ GUARDED_BY(mutex_) = 1;   // of the agreed distance
  int answers_ GUARDED_BY(mutex_) = 0;  // in a row
};

// How long from `at` until no quiet hours hold: zero where none do, a day where they always do. UTC.
Micros quiet_for(const std::vector<QuietHours>& quiet, Instant at);

}  // namespace parallax::probe
