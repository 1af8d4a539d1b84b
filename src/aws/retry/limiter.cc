#include "aws/retry/limiter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace parallax::aws {

namespace {

struct NamedBucket {
  std::string_view operation;
  BucketSize size;
};

// Actions whose limit differs from that of their class.
constexpr std::array<NamedBucket, 14> kNamed{{{"RunInstances", {5, 2}},
                                              {"StartInstances", {5, 2}},
                                              {"CopyImage", {100, 1}},
                                              {"CreateTags", {100, 10}},
                                              {"DeleteTags", {100, 10}},
                                              {"TerminateInstances", {100, 5}},
                                              {"DeregisterImage", {100, 5}},
                                              {"CreateSnapshot", {100, 5}},
                                              {"DeleteSnapshot", {100, 5}},
                                              {"AssociateIamInstanceProfile", {100, 5}},
                                              {"DisassociateIamInstanceProfile", {100, 5}},
                                              {"ModifyInstanceMetadataOptions", {100, 5}},
                                              {"CreateNetworkInterface", {100, 5}},
                                              {"ModifyNetworkInterfaceAttribute", {100, 5}}}};

// These have a smaller bucket when they are called without filter and without paging.
constexpr std::array<std::string_view, 7> kDearWhenWide{
    "DescribeInstances",      "DescribeInstanceStatus", "DescribeNetworkInterfaces",
    "DescribeSecurityGroups", "DescribeSnapshots",      "DescribeSpotInstanceRequests",
    "DescribeVolumes"};

constexpr BucketSize kReading{100, 20};
constexpr BucketSize kReadingWide{50, 10};
constexpr BucketSize kMutating{50, 5};
constexpr BucketSize kInstancesStarted{1000, 2};
constexpr BucketSize kInstancesStopped{1000, 20};

bool is_dear_when_wide(std::string_view operation) {
  return std::find(kDearWhenWide.begin(), kDearWhenWide.end(), operation) != kDearWhenWide.end();
}

bool starts_instances(std::string_view operation) {
  return operation == "RunInstances" || operation == "StartInstances";
}

bool stops_instances(std::string_view operation) {
  return operation == "StopInstances" || operation == "TerminateInstances";
}

BucketSize share_of(BucketSize size, double share) {
  // A bucket that never holds one token would never let anything through.
  return {std::max(1.0, size.capacity * share), size.per_second * share};
}

Micros to_micros(double seconds) {
  // A far future that no deadline reaches stands for all beyond it.
  constexpr double kSecondsMax = 1e9;
  return Micros(std::llround(std::ceil(std::min(seconds, kSecondsMax) * 1e6)));
}

double to_seconds(Micros time) {
  return static_cast<double>(time.count()) / 1e6;
}

}  // namespace

LimitedCall limited_call(std::string service, std::string region, std::string operation, const Json& params) {
  LimitedCall call{std::move(service), std::move(region), std::move(operation)};
  if (call.service != "ec2") {
    return call;
  }
  call.narrowed = !is_dear_when_wide(call.operation) || !params.list("Filters").empty() ||
                  params.find("MaxResults") != nullptr || params.find("NextToken") != nullptr;
  if (call.operation == "RunInstances") {
    call.instances = std::max(1.0, params.number("MaxCount", 1));
  } else if (starts_instances(call.operation) || stops_instances(call.operation)) {
    call.instances = static_cast<double>(params.list("InstanceIds").size());
  }
  return call;
}

BucketSize request_bucket(const LimitedCall& call, const LimiterOptions& options) {
  if (call.service != "ec2") {
    return call.service == "ssm" ? options.ssm : options.other;
  }
  const auto* const named = std::find_if(kNamed.begin(), kNamed.end(),
                                         [&](const NamedBucket& known) { return known.operation == call.operation; });
  if (named != kNamed.end()) {
    return named->size;
  }
  const std::string_view name = call.operation;
  if (name.starts_with("Describe") || name.starts_with("Get") || name.starts_with("List")) {
    return call.narrowed ? kReading : kReadingWide;
  }
  return kMutating;
}

BucketSize instance_bucket(const LimitedCall& call) {
  if (call.service != "ec2") {
    return {};
  }
  return starts_instances(call.operation)  ? kInstancesStarted
         : stops_instances(call.operation) ? kInstancesStopped
                                           : BucketSize{};
}

void Bucket::advance(Monotonic now) {
  if (!used_) {
    used_ = true;
    now_ = now;
  }
  while (now_ < now) {
    const Monotonic until = factor_ < 1 ? std::min(now, std::max(faster_at_, now_)) : now;
    level_ = std::min(size_.capacity, level_ + to_seconds(until - now_) * rate());
    now_ = until;
    if (factor_ < 1 && now_ >= faster_at_) {
      factor_ = std::min(1.0, factor_ * 2);
      faster_at_ += options_.recovery;
    }
  }
}

Monotonic Bucket::ready_at(double count, Monotonic now) {
  advance(now);
  // More than the bucket holds is never there at once: such a call waits until it is full and leaves a debt.
  double missing = std::min(count, size_.capacity) - level_;
  Bucket later = *this;
  while (missing > 0) {
    const double needed = missing / later.rate();
    const double slow_for = later.factor_ < 1 ? to_seconds(later.faster_at_ - later.now_) : needed;
    if (needed <= slow_for) {
      return later.now_ + to_micros(needed);
    }
    missing -= slow_for * later.rate();
    later.now_ = later.faster_at_;
    later.factor_ = std::min(1.0, later.factor_ * 2);
    later.faster_at_ += options_.recovery;
  }
  return now;
}

void Bucket::slow_down(Monotonic now) {
  advance(now);
  level_ = std::min(level_, 0.0);
  factor_ = std::max(options_.rate_least, factor_ / 2);
  faster_at_ = now + options_.recovery;
}

Limiter::Buckets& Limiter::buckets_of(const LimitedCall& call) {
  std::string key = fmt::format("{}/{}/{}{}", call.region, call.service, call.operation, call.narrowed ? "" : "/wide");
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) {
    return found->second;
  }
  const BucketSize instances = instance_bucket(call);
  Buckets made{Bucket(share_of(request_bucket(call, options_), options_.share), options_),
               Bucket(share_of(instances, options_.share), options_), instances.capacity > 0};
  return buckets_.emplace(std::move(key), made).first->second;
}

Result<> Limiter::acquire(const LimitedCall& call, Monotonic deadline, const std::stop_token& stop) {
  if (!options_.on) {
    return {};
  }
  Monotonic ready;
  {
    const MutexLock lock(mutex_);
    const Monotonic now = clock_.monotonic();
    Buckets& buckets = buckets_of(call);
    ready = buckets.requests.ready_at(1, now);
    if (buckets.counts_instances) {
      ready = std::max(ready, buckets.instances.ready_at(call.instances, now));
    }
    if (ready > now && ready >= deadline) {
      Error error =
          make_error(ErrorKind::throttled,
                     fmt::format("not sent: to stay below the request limit of {}:{} it would have to wait {}, "
                                 "beyond its deadline",
                                 call.service, call.operation, to_human(ready - now)));
      error.code = "local-limit";
      return error;
    }
    buckets.requests.take(1);
    if (buckets.counts_instances) {
      buckets.instances.take(call.instances);
    }
    if (ready <= now) {
      return {};
    }
  }
  if (clock_.sleep_until(ready, stop)) {
    return {};
  }
  const MutexLock lock(mutex_);
  Buckets& buckets = buckets_of(call);
  buckets.requests.give_back(1);
  if (buckets.counts_instances) {
    buckets.instances.give_back(call.instances);
  }
  Error error = make_error(ErrorKind::cancelled, "cancelled");
  error.code = "cancelled";
  return error;
}

void Limiter::throttled(const LimitedCall& call) {
  if (!options_.on) {
    return;
  }
  const MutexLock lock(mutex_);
  Buckets& buckets = buckets_of(call);
  // Which of the two buckets was empty, the answer does not say.
  const Monotonic now = clock_.monotonic();
  buckets.requests.slow_down(now);
  if (buckets.counts_instances && call.instances > 1) {
    buckets.instances.slow_down(now);
  }
}

}  // namespace parallax::aws
