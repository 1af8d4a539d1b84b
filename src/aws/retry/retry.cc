#include "aws/retry/retry.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace parallax::aws {

namespace {

constexpr int kRetryCost = 5;
constexpr int kTimeoutCost = 10;
constexpr int kFirstTryBonus = 1;
// Asked to wait longer, we hand the error on: the caller may have better things to do.
constexpr Micros kRetryAfterMax = std::chrono::minutes(5);

// Belong to a kind that is worth a retry, but not within seconds.
bool is_hopeless(std::string_view code) {
  constexpr std::array<std::string_view, 4> kCodes{"InsufficientInstanceCapacity", "address-refused", "tls-certificate",
                                                   "tls-expired"};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

bool is_worth_repeating(const Error& error, Repeat repeat) {
  if (is_hopeless(error.code)) {
    return false;
  }
  return error.kind == ErrorKind::throttled || error.kind == ErrorKind::unavailable ||
         (error.kind == ErrorKind::timeout && repeat == Repeat::safe);
}

}  // namespace

bool RetryBudget::take(int cost) {
  const MutexLock lock(mutex_);
  if (left_ < cost) {
    return false;
  }
  left_ -= cost;
  return true;
}

void RetryBudget::give_back(int amount) {
  const MutexLock lock(mutex_);
  left_ = std::min(kCapacity, left_ + amount);
}

int RetryBudget::left() const {
  const MutexLock lock(mutex_);
  return left_;
}

std::optional<Micros> Retry::next_delay(const Error& error, Micros time_left) {
  if (attempt_ >= options_.attempts_max || !is_worth_repeating(error, repeat_)) {
    return std::nullopt;
  }
  const double seconds =
      std::min(std::ldexp(1.0, std::min(attempt_ - 1, 30)), static_cast<double>(options_.delay_max.count()) / 1e6);
  const Micros own(std::llround(rng_.unit() * seconds * 1e6));
  const Micros asked = Millis(std::min<long>(error.retry_after_ms, 1'000'000'000));
  const Micros delay = std::max(own, asked);
  if (asked > kRetryAfterMax || delay >= time_left) {
    return std::nullopt;
  }
  const int cost = error.kind == ErrorKind::timeout ? kTimeoutCost : kRetryCost;
  if (!budget_.take(cost)) {
    return std::nullopt;
  }
  last_cost_ = cost;
  ++attempt_;
  return delay;
}

void Retry::succeeded() {
  budget_.give_back(last_cost_ == 0 ? kFirstTryBonus : last_cost_);
}

}  // namespace parallax::aws
