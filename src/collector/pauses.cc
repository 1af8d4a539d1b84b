#include "collector/pauses.h"

#include <algorithm>

namespace parallax::collector {

bool asks_for_peace(const Measurement& m) {
  const int status = m.http_status.value_or(0);
  return status == 429 || status == 503;
}

void PauseBoard::note(const Measurement& m, Instant now) {
  if (!asks_for_peace(m) || !m.started_at || m.provider.empty()) {
    return;
  }
  const Micros asked = m.retry_after_us ? Micros(*m.retry_after_us) : kPauseDefault;
  const Micros pause = std::clamp<Micros>(asked, Micros(0), kPauseMax);
  // What lay in a spool for long says nothing about now; a clock that runs ahead adds nothing.
  const Instant told = std::min(*m.started_at + Micros(m.total_us), now);
  const Instant until = told + pause;
  if (until <= now) {
    return;
  }
  const MutexLock lock(mutex_);
  forget_ended(now);
  const auto key = std::make_pair(m.fleet, m.provider);
  if (until_.size() < kPausesMax || until_.contains(key)) {
    Instant& known = until_[key];
    known = std::max(known, until);
  }
}

JsonArray PauseBoard::list(std::string_view fleet, Instant now) {
  JsonArray pauses;
  const MutexLock lock(mutex_);
  forget_ended(now);
  for (const auto& [key, until] : until_) {
    if (fleet.empty() || key.first == fleet) {
      pauses.push_back(
          Json::object({{"fleet", key.first}, {"provider", key.second}, {"wait_us", (until - now).count()}}));
    }
  }
  return pauses;
}

void PauseBoard::forget_ended(Instant now) {
  std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
}

}  // namespace parallax::collector
