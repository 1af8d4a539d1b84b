#include "vo/uws_poll.h"

#include <algorithm>
#include <cstdint>

namespace parallax::vo {
namespace {

constexpr Micros kBelowTimeout = Seconds(5);

}  // namespace

std::optional<Poll> PollSchedule::next(UwsPhase phase, Micros remaining) {
  if (remaining <= Micros(0) || polls_ >= limits_.polls_max) {
    return std::nullopt;
  }
  if (!seen_) {
    seen_ = phase;
    gap_ = may_block(phase) ? Micros(0) : limits_.gap_min;
  }
  Poll poll;
  poll.sleep = std::min(gap_, remaining);
  if (may_block(phase)) {
    const Micros wait = std::min({limits_.wait_max, remaining - poll.sleep, limits_.request_timeout - kBelowTimeout});
    poll.wait_seconds = static_cast<int>(std::max(std::int64_t{0}, count_seconds(wait)));
  }
  ++polls_;
  last_ = poll;
  return poll;
}

void PollSchedule::answered(Micros took, UwsPhase phase) {
  const bool changed = seen_ != phase;
  const bool blocked = last_.wait_seconds > 0 && took >= Seconds(last_.wait_seconds);
  seen_ = phase;
  if (may_block(phase) && (changed || blocked)) {
    gap_ = Micros(0);
  } else if (changed || gap_ == Micros(0)) {
    gap_ = limits_.gap_min;
  } else {
    gap_ = std::min(gap_ * 2, limits_.gap_max);
  }
}

}  // namespace parallax::vo
