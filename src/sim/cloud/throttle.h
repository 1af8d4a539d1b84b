// The published request limits of EC2 as token buckets per region and action; SSM publishes none, ours are settings.
#pragma once

#include <string_view>

#include "base/time.h"

namespace parallax::sim {

struct BucketSize {
  double capacity = 0;
  double refill_per_second = 0;
};

class TokenBucket {
 public:
  TokenBucket() = default;

  explicit TokenBucket(BucketSize size) : size_(size), tokens_(size.capacity) {}

  // Takes `count` tokens, or none when there are fewer. A bucket starts full.
  bool take(double count, Monotonic now);

 private:
  BucketSize size_;
  double tokens_ = 0;
  bool used_ = false;
  Monotonic last_{};
};

// `paged_or_filtered`: the call has a filter, ids or MaxResults.
BucketSize request_bucket(std::string_view service, std::string_view operation, bool paged_or_filtered);

// The bucket that is counted in instances; capacity 0 where there is none.
BucketSize resource_bucket(std::string_view operation);

}  // namespace parallax::sim
