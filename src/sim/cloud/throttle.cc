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
    NamedBucket{"CreateNetworkInterface", {100, 5}},
    NamedBucket{"ModifyNetworkInterfaceAttribute", {100, 5}},
};

constexpr std::array<std::string_view, 7> kDearWhenUnfiltered = {
    "DescribeInstances",      "DescribeInstanceStatus", "DescribeNetworkInterfaces",
    "DescribeSecurityGroups", "DescribeSnapshots",      "DescribeSpotInstanceRequests",
    "DescribeVolumes"};

constexpr BucketSize kReading{100, 20};
constexpr BucketSize kReadingUnfiltered{50, 10};
constexpr BucketSize kMutating{50, 5};
// No number is published for SSM, IAM, STS, pricing and scheduler; ours are such that tight polling is noticed.
constexpr BucketSize kUnpublished{20, 5};
constexpr BucketSize kResourcesStarted{1000, 2};
constexpr BucketSize kResourcesStopped{1000, 20};

bool is_reading(std::string_view operation) {
  return operation.starts_with("Describe") || operation.starts_with("Get") || operation.starts_with("List");
}

bool is_dear(std::string_view operation) {
  return std::ranges::find(kDearWhenUnfiltered, operation) != kDearWhenUnfiltered.end();
}

// Has a filter, ids or names, or asks for a page.
bool narrowed(const Json& input) {
  if (input.find("MaxResults") != nullptr || input.find("NextToken") != nullptr) {
    return true;
  }
  const JsonObject* members = input.members();
  return members != nullptr && std::any_of(members->begin(), members->end(), [](const auto& member) {
           return member.second.items() != nullptr && !member.second.items()->empty();
         });
}

BucketSize request_bucket(std::string_view operation) {
  const auto named = std::ranges::find(kNamedBuckets, operation, &NamedBucket::operation);
  if (named != kNamedBuckets.end()) {
    return named->size;
  }
  return is_reading(operation) ? kReading : kMutating;
}

// The bucket that is counted in instances; capacity 0 where there is none.
BucketSize resource_bucket(std::string_view operation) {
  if (operation == "StartInstances" || operation == "RunInstances") {
    return kResourcesStarted;
  }
  if (operation == "StopInstances" || operation == "TerminateInstances") {
    return kResourcesStopped;
  }
  return {};
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

std::vector<Charge> charges_of(std::string_view service, std::string_view operation, const Json& input) {
  const std::string name = std::string(service) + ":" + std::string(operation);
  if (service != "ec2") {
    return {{name, kUnpublished}};
  }
  std::vector<Charge> charges;
  if (is_dear(operation) && !narrowed(input)) {
    charges.push_back({name + "/unfiltered", kReadingUnfiltered});
  } else {
    charges.push_back({name, request_bucket(operation)});
  }
  const BucketSize resources = resource_bucket(operation);
  if (resources.capacity > 0) {
    const auto instances = static_cast<std::int64_t>(input.list("InstanceIds").size());
    charges.push_back({name + "/instances", resources,
                       static_cast<double>(operation == "RunInstances" ? input.integer("MaxCount", 1) : instances)});
  }
  return charges;
}

}  // namespace parallax::sim
