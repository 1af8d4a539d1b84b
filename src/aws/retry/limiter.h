// Keeps our requests below the published limits of EC2 before the service has to refuse them: a token bucket per region
// and action, of the published size less a margin, from which every attempt of every call takes its tokens. Where a
// service throttles nevertheless, others use the same account: the bucket of that action is then emptied and refilled
// more slowly for a while, so that several programs that share an account all back off.
//
// The sizes are those of the EC2 developer guide ("ec2-api-throttling"). Systems Manager and the other services publish
// none; theirs here are settings.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "codec/json.h"

namespace parallax::aws {

struct BucketSize {
  double capacity = 0;
  double per_second = 0;
};

struct LimiterOptions {
  bool on = true;
  // Of the published sizes that we allow ourselves: what leaves here evenly can arrive there in a bunch.
  double share = 0.95;
  BucketSize ssm = {20, 5};      // for each action; a guess on the careful side
  BucketSize other = {100, 20};  // for each action of a service that is neither EC2 nor SSM; a guess
  // After a throttled answer the rate is halved, down to this part of it, and doubled again after each `recovery`
  // without another one.
  double rate_least = 1.0 / 16;
  Micros recovery{Seconds(10)};
};

// What the limits depend on.
struct LimitedCall {
  std::string service;
  std::string region;
  std::string operation;
  bool narrowed = true;  // has a filter or asks for pages; the other way a few operations have a smaller bucket
  double instances = 0;  // that it starts, launches, stops or terminates: these take tokens of their own
};

LimitedCall limited_call(std::string service, std::string region, std::string operation, const Json& params);

// The published size for the calls of that action, and for the instances that it names (capacity 0: no limit).
BucketSize request_bucket(const LimitedCall& call, const LimiterOptions& options);
BucketSize instance_bucket(const LimitedCall& call);

// A bucket that can be in debt: who takes more than there is, is told from when on it may use what it took. So callers
// are served in the order in which they came, whatever each of them asked for. Pure: the caller brings the time.
class Bucket {
 public:
  Bucket(BucketSize size, const LimiterOptions& options) : size_(size), options_(options), level_(size.capacity) {}

  // When `count` tokens will be there; changes nothing but the account of time.
  Monotonic ready_at(double count, Monotonic now);

  // Takes `count` tokens, whether they are there yet or not.
  void take(double count) { level_ -= count; }

  void give_back(double count) { level_ += count; }

  // The service refused: what is left is not there, and the rate is halved.
  void slow_down(Monotonic now);

 private:
  void advance(Monotonic now);

  double rate() const { return size_.per_second * factor_; }

  BucketSize size_;
  LimiterOptions options_;
  double level_;
  double factor_ = 1;
  Monotonic faster_at_{};  // when factor_ is doubled; meaningful below 1
  Monotonic now_{};
  bool used_ = false;
};

// Thread safety: any task. No lock is held while a call waits. Fair: first come, first served, for each bucket.
class Limiter {
 public:
  explicit Limiter(Clock& clock, LimiterOptions options = {}) : clock_(clock), options_(options) {}

  // Returns when the call may be sent. Errors:
  //   throttled  code "local-limit": the wait would reach the deadline; returned at once, no token was taken
  //   cancelled
  Result<> acquire(const LimitedCall& call, Monotonic deadline, const std::stop_token& stop) EXCLUDES(mutex_);

  // The service said that the call came too soon.
  void throttled(const LimitedCall& call) EXCLUDES(mutex_);

 private:
  struct Buckets {
    Bucket requests;
    Bucket instances;
    bool counts_instances;
  };

  Buckets& buckets_of(const LimitedCall& call) REQUIRES(mutex_);

  Clock& clock_;
  const LimiterOptions options_;
  Mutex mutex_;
  // By region, service, action and whether it is narrowed: as many as are called, a few for each region.
  std::map<std::string, Buckets> buckets_ GUARDED_BY(mutex_);
};

}  // namespace parallax::aws
