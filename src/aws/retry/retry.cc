#include "aws/retry/retry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "aws/protocol/errors.h"

namespace parallax::aws {

namespace {

constexpr int kRetryCost = 5;
constexpr int kTimeoutCost = 10;
constexpr int kFirstTryBonus = 1;
// Asked to wait longer, we hand the error on: the caller may have better things to do.
constexpr Micros kRetryAfterMax = std::chrono::minutes(5);

// Nothing about a certificate or an address changes within seconds.
bool is_hopeless(std::string_view code) {
  constexpr std::array<std::string_view, 3> kCodes{"address-refused", "tls-certificate", "tls-expired"};
  return is_capacity(code) || std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

bool is_transient_status(int status) {
  return status == 0 || status == 408 || status == 500 || status == 502 || status == 503 || status == 504;
}

// An answer without a code of the service: a proxy's or a balancer's. But for 503, "not now", it does not tell whether
// the service has seen the request.
bool is_foreign_failure(const Error& error) {
  return error.code.empty() && error.status >= 500 && error.status != 503;
}

bool is_worth_repeating(const Error& error, Repeat repeat) {
  if (is_hopeless(error.code)) {
    return false;
  }
  switch (error.kind) {
    case ErrorKind::throttled:
      return true;
    case ErrorKind::unavailable:
      return (is_transient(error.code) || is_transient_status(error.status)) &&
             (repeat == Repeat::safe || !is_foreign_failure(error));
    case ErrorKind::timeout:
      return repeat == Repeat::safe;
    case ErrorKind::corrupt:
      // The answer came to us damaged.
      return repeat == Repeat::safe && error.code == "bad-answer";
    default:
      return false;
  }
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
  const int cost = error.code == "timeout" || error.code == "idle" ? kTimeoutCost : kRetryCost;
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
