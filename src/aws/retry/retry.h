// Decides whether a failed call is worth another attempt, and how long to wait before it: the AWS SDKs' "standard"
// mode. It never sleeps and never reads a clock; the caller does, so tests can assert every wait.
#pragma once

#include <optional>

#include "base/mutex.h"
#include "base/rng.h"
#include "base/time.h"

namespace parallax::aws {

// Whether a call may be sent again when nobody knows if the first one took effect (a lost answer).
enum class Repeat { safe, unsafe };

struct RetryOptions {
  int attempts_max = 3;           // includes the first; 1 means never retry
  Micros delay_max{Seconds(20)};  // of our own back-off; larger is gentler on a throttled region
};

// Retries that all calls to one service in one region may spend together, so that an outage is not answered by a flood:
// botocore's quota. A retry costs 5, after a time-out 10. A call that succeeds after a retry gives back what its last
// retry took, one that succeeds at once gives 1. Thread safety: locks itself.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;

  // False when there is not enough left; nothing is taken then.
  bool take(int cost) EXCLUDES(mutex_);
  void give_back(int amount) EXCLUDES(mutex_);
  int left() const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  int left_ GUARDED_BY(mutex_) = kCapacity;
};

// Thread safety: one Retry per call.
class Retry {
 public:
  Retry(const RetryOptions& options, Repeat repeat, Rng& rng, RetryBudget& budget)
      : options_(options), repeat_(repeat), rng_(rng), budget_(budget) {}

  // The wait before the next attempt, or nullopt if `error` should go to the caller: it is permanent, its effect is
  // unknown and the call must not be repeated, attempts or budget are used up, or the wait would not fit into
  // `time_left`. What the server asked for wins when it is longer than our own delay.
  std::optional<Micros> next_delay(const Error& error, Micros time_left);

  // To be called once when an attempt has succeeded: gives back what it cost.
  void succeeded();

  // The attempt that is under way, from 1.
  int attempt() const { return attempt_; }

 private:
  const RetryOptions options_;
  const Repeat repeat_;
  Rng& rng_;
  RetryBudget& budget_;
  int attempt_ = 1;
  int last_cost_ = 0;
};

}  // namespace parallax::aws
