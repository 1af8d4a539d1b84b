// The published request limits of EC2 as token buckets per region and action; the other services publish none, theirs
// here are our own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "codec/json.h"

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

// One bucket that a call takes from.
struct Charge {
  std::string bucket;
  BucketSize size;
  double count = 1;
};

// What a call takes: a token for the request, and one for each instance where those are counted too.
std::vector<Charge> charges_of(std::string_view service, std::string_view operation, const Json& input);

}  // namespace parallax::sim
