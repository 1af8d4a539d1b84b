#include "sim/cloud/throttle.h"

#include <algorithm>
#include <array>

namespace parallax::sim {

namespace {

struct NamedBucket {
  std::string_view operation;
  BucketSize size;
};

constexpr std::array kNamedBuckets = {
    NamedBucket{"RunInstances", {5, 2}},
    NamedBucket{"StartInstances", {5, 2}},
    NamedBucket{"CopyImage", {100, 1}},
    NamedBucket{"CreateTags", {100, 10}},
    NamedBucket{"DeleteTags", {100, 10}},
    NamedBucket{"TerminateInstances", {100, 5}},
    NamedBucket{"DeregisterImage", {100, 5}},
    NamedBucket{"CreateSnapshot", {100, 5}},
    NamedBucket{"DeleteSnapshot", {100, 5}},
    NamedBucket{"AssociateIamInstanceProfile", {100, 5}},
    NamedBucket{"DisassociateIamInstanceProfile", {100, 5}},
    NamedBucket{"ModifyInstanceMetadataOptions", {100, 5}},
};

constexpr std::array<std::string_view, 7> kDearWhenUnfiltered = {
    "DescribeInstances",      "DescribeInstanceStatus", "DescribeNetworkInterfaces",
    "DescribeSecurityGroups", "DescribeSnapshots",      "DescribeSpotInstanceRequests",
    "DescribeVolumes"};

constexpr BucketSize kReading{100, 20};
constexpr BucketSize kReadingUnfiltered{50, 10};
constexpr BucketSize kMutating{50, 5};
// No number is published for SSM and STS; ours are such that tight polling is noticed.
constexpr BucketSize kUnpublished{20, 5};
constexpr BucketSize kResourcesStarted{1000, 2};
constexpr BucketSize kResourcesStopped{1000, 20};

bool is_reading(std::string_view operation) {
  return operation.starts_with("Describe") || operation.starts_with("Get") || operation.starts_with("List");
}

}  // namespace

bool TokenBucket::take(double count, Monotonic now) {
  if (used_) {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    tokens_ = std::min(size_.capacity, tokens_ + std::max(0.0, seconds) * size_.refill_per_second);
  }
  used_ = true;
  last_ = now;
  if (tokens_ < count) {
    return false;
  }
  tokens_ -= count;
  return true;
}

BucketSize request_bucket(std::string_view service, std::string_view operation, bool paged_or_filtered) {
  if (service != "ec2") {
    return kUnpublished;
  }
  const auto named = std::ranges::find(kNamedBuckets, operation, &NamedBucket::operation);
  if (named != kNamedBuckets.end()) {
    return named->size;
  }
  if (!is_reading(operation)) {
    return kMutating;
  }
  const bool dear = std::ranges::find(kDearWhenUnfiltered, operation) != kDearWhenUnfiltered.end();
  return dear && !paged_or_filtered ? kReadingUnfiltered : kReading;
}

BucketSize resource_bucket(std::string_view operation) {
  if (operation == "StartInstances" || operation == "RunInstances") {
    return kResourcesStarted;
  }
  if (operation == "StopInstances" || operation == "TerminateInstances") {
    return kResourcesStopped;
  }
  return {};
}

}  // namespace parallax::sim
