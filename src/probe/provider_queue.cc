#include "probe/provider_queue.h"

#include <algorithm>
#include <utility>

namespace parallax::probe {

namespace {

constexpr Micros kDay = std::chrono::hours(24);

bool holds(const QuietHours& quiet, Micros of_day) {
  const Micros from = std::chrono::minutes(quiet.from_minute);
  const Micros to = std::chrono::minutes(quiet.to_minute);
  return from < to ? of_day >= from && of_day < to : of_day >= from || of_day < to;
}

}  // namespace

Micros quiet_for(const std::vector<QuietHours>& quiet, Instant at) {
  const Micros first = at - std::chrono::floor<std::chrono::days>(at);
  Micros waited{0};
  // Hours may follow one another: each step ends at the end of one of them.
  for (std::size_t step = 0; step <= quiet.size(); ++step) {
    const Micros of_day = (first + waited) % kDay;
    const auto now = std::find_if(quiet.begin(), quiet.end(), [&](const QuietHours& q) { return holds(q, of_day); });
    if (now == quiet.end()) {
      return waited;
    }
    const Micros to = std::chrono::minutes(now->to_minute);
    waited += to > of_day ? to - of_day : to - of_day + kDay;
  }
  return kDay;
}

ProviderQueue::ProviderQueue(ProviderTimetable table, Monotonic begin, Instant wall, Monotonic end)
    : table_(std::move(table)), begin_(begin), wall_(wall), end_(end) {}

std::optional<ProviderQueue::Turn> ProviderQueue::next(Monotonic now) {
  const MutexLock lock(mutex_);
  if (index_ == table_.queries.size()) {
    return std::nullopt;
  }
  Turn turn{table_.queries[index_++], now, nullptr};
  place(turn, now);
  return turn;
}

bool ProviderQueue::moved(Turn& turn, Monotonic now) {
  const MutexLock lock(mutex_);
  if (turn.start >= paused_until_) {
    turn.missed = why_missed(turn.query, now);  // the sleep may have been long
    return false;
  }
  place(turn, now);
  return true;
}

void ProviderQueue::place(Turn& turn, Monotonic now) {
  if (table_.provider.opt_out) {
    turn.missed = "opted-out";
    return;
  }
  turn.start = std::max({begin_ + turn.query.offset, free_at_, paused_until_, now});
  turn.missed = why_missed(turn.query, turn.start);
  if (turn.missed != nullptr) {
    return;
  }
  if (const Micros quiet = quiet_for(table_.provider.quiet_hours, wall_ + (turn.start - begin_)); quiet > Micros(0)) {
    turn.start += quiet;
    // Without an end to the order or the turn nobody has said that a wait of hours is wanted.
    const bool bounded = end_ != Monotonic::max() || turn.query.latest_start;
    if (!bounded || quiet >= kDay || why_missed(turn.query, turn.start) != nullptr) {
      turn.missed = "quiet-hours";
      return;
    }
  }
  free_at_ = turn.start + table_.interval * factor_;
}

const char* ProviderQueue::why_missed(const PlannedQuery& query, Monotonic start) const {
  if (start >= end_) {
    return "deadline";
  }
  return query.latest_start && start >= begin_ + *query.latest_start ? "turn-over" : nullptr;
}

void ProviderQueue::throttled(Micros retry_after, Monotonic now) {
  const MutexLock lock(mutex_);
  answers_ = 0;
  Micros wait = retry_after;
  if (wait <= Micros(0)) {
    wait = kBackoffFirst;
    for (int i = 0; i < strikes_ && wait < kBackoffMax; ++i) {
      wait *= 2;
    }
    wait = std::min(wait, kBackoffMax);
  }
  ++strikes_;
  factor_ = std::min(factor_ * 2, kSlowestFactor);
  paused_until_ = std::max(paused_until_, now + std::max(wait, table_.interval));
}

void ProviderQueue::answered() {
  const MutexLock lock(mutex_);
  strikes_ = 0;
  if (factor_ > 1 && ++answers_ >= kAnswersUntilQuicker) {
    factor_ /= 2;
    answers_ = 0;
  }
}

void ProviderQueue::pause_until(Monotonic until) {
  const MutexLock lock(mutex_);
  paused_until_ = std::max(paused_until_, until);
}

}  // namespace parallax::probe
