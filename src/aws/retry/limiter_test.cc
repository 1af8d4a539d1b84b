#include "aws/retry/limiter.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/test_support.h"

namespace parallax::aws {
namespace {

using ::testing::ElementsAre;
using testing::FakeClock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Monotonic kStart{Seconds(1000)};
constexpr Monotonic kNever{Micros(1'000'000'000'000'000)};

LimitedCall ec2(std::string operation, const Json& params = Json::object()) {
  return limited_call("ec2", "eu-west-3", std::move(operation), params);
}

Json ids(std::size_t count) {
  JsonArray list;
  for (std::size_t i = 0; i < count; ++i) {
    list.emplace_back("i-" + std::to_string(i));
  }
  return Json::object({{"InstanceIds", Json(std::move(list))}});
}

// The service's own bucket, as it is published: it refuses what comes too soon.
class PublishedBucket {
 public:
  explicit PublishedBucket(BucketSize size) : size_(size), level_(size.capacity) {}

  bool take(double count, Monotonic now) {
    const double seconds = static_cast<double>((now - last_).count()) / 1e6;
    level_ = std::min(size_.capacity, level_ + seconds * size_.per_second);
    last_ = now;
    level_ -= count;
    return level_ >= 0;
  }

 private:
  const BucketSize size_;
  double level_;
  Monotonic last_ = kStart;
};

// `callers` tasks that call as fast as they are let, in virtual time: each waits where the limiter sends it, and the
// one that is due first runs next. The times of all calls within `length`.
struct Crowd {
  // Sleeping is noted, and done by the crowd.
  class CrowdClock final : public Clock {
   public:
    Instant now() const override { return Instant(); }

    Monotonic monotonic() const override { return time; }

    bool sleep_until(Monotonic deadline, std::stop_token) override {
      woken_at = deadline;
      return true;
    }

    Monotonic time = kStart;
    Monotonic woken_at = kStart;
  };

  std::vector<Monotonic> run(int callers, Micros length, const std::function<LimitedCall(int caller)>& call) {
    std::vector<Monotonic> due(static_cast<std::size_t>(callers), kStart);
    served.assign(due.size(), 0);
    std::vector<Monotonic> sent;
    for (;;) {
      const auto next = std::min_element(due.begin(), due.end());
      if (*next >= kStart + length) {
        std::sort(sent.begin(), sent.end());
        return sent;
      }
      clock.time = clock.woken_at = *next;
      const auto caller = static_cast<std::size_t>(next - due.begin());
      EXPECT_TRUE(limiter.acquire(call(static_cast<int>(caller)), kNever, {}).has_value());
      *next = clock.woken_at + kCallTime;
      if (clock.woken_at < kStart + length) {
        sent.push_back(clock.woken_at);
        ++served[caller];
      }
    }
  }

  static constexpr Micros kCallTime = Millis(1);
  CrowdClock clock;
  Limiter limiter{clock};
  std::vector<int> served;
};

TEST(Limiter, KeepsACrowdBelowThePublishedBucketAndUsesMostOfIt) {
  const struct {
    const char* operation;
    BucketSize size;
  } kRows[] = {{"DescribeInstances", {50, 10}},  // neither filter nor pages
               {"DescribeImages", {100, 20}},    {"StopInstances", {50, 5}},
               {"RunInstances", {5, 2}},         {"StartInstances", {5, 2}},
               {"CreateTags", {100, 10}},        {"CopyImage", {100, 1}},
               {"TerminateInstances", {100, 5}}, {"ImportKeyPair", {50, 5}},
               {"CreateSecurityGroup", {50, 5}}, {"AuthorizeSecurityGroupIngress", {50, 5}}};

  for (const auto& row : kRows) {
    for (const int callers : {1, 3, 40}) {
      Crowd crowd;
      // Without ids: what limits is the number of calls.
      const std::vector<Monotonic> sent = crowd.run(callers, Seconds(60), [&](int) { return ec2(row.operation); });
      PublishedBucket bucket(row.size);
      for (const Monotonic time : sent) {
        EXPECT_TRUE(bucket.take(1, time)) << row.operation;
      }
      const double most = row.size.capacity + 60 * row.size.per_second;
      // A single caller is also slowed by its own calls' time.
      EXPECT_GE(static_cast<double>(sent.size()), 0.9 * most) << row.operation << " " << callers;
      EXPECT_LE(static_cast<double>(sent.size()), most);
    }
  }
}

TEST(Limiter, CountsTheInstancesOfACall) {
  Crowd crowd;
  const std::vector<Monotonic> sent = crowd.run(5, Seconds(60), [&](int) { return ec2("StartInstances", ids(50)); });
  PublishedBucket instances({1000, 2});
  for (const Monotonic time : sent) {
    EXPECT_TRUE(instances.take(50, time));
  }
  // 950 at once, the rest at 1.9 a second: 50 more each 26 s.
  EXPECT_EQ(sent.size(), 21U);
  EXPECT_EQ(ec2("RunInstances", Json::object({{"MinCount", 1}, {"MaxCount", 7}})).instances, 7);
  EXPECT_EQ(ec2("TerminateInstances", ids(3)).instances, 3);
  EXPECT_EQ(ec2("DescribeInstances", ids(3)).instances, 0);
}

TEST(Limiter, LetsACallThroughThatNamesMoreThanTheBucketHolds) {
  FakeClock clock;
  Limiter limiter(clock);
  ASSERT_TRUE(limiter.acquire(ec2("StopInstances", ids(1200)), kNever, {}).has_value());
  EXPECT_THAT(clock.waits, IsEmpty());
  // 250 in debt, and 10 more to come, at 19 a second.
  ASSERT_TRUE(limiter.acquire(ec2("StopInstances", ids(10)), kNever, {}).has_value());
  ASSERT_THAT(clock.waits, ::testing::SizeIs(1));
  EXPECT_NEAR(static_cast<double>(clock.waits[0].count()), 260.0 / 19 * 1e6, 2.0);
}

TEST(Limiter, IsFair) {
  Crowd crowd;
  crowd.run(7, Seconds(60), [&](int) { return ec2("DescribeImages"); });
  const auto [least, most] = std::minmax_element(crowd.served.begin(), crowd.served.end());
  EXPECT_LE(*most - *least, 1);

  // Who asks for much does not wait behind those who ask for little and keep coming.
  Crowd mixed;
  mixed.run(4, Seconds(600), [&](int caller) { return ec2("StartInstances", ids(caller == 0 ? 40 : 1)); });
  for (const int served : mixed.served) {
    EXPECT_NEAR(served, mixed.served[0], 5);
  }
}

TEST(Limiter, CountsEachRegionAndActionByItself) {
  FakeClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 4; ++i) {
    for (const char* region : {"eu-west-3", "us-east-1"}) {
      for (const char* operation : {"RunInstances", "StartInstances"}) {
        ASSERT_TRUE(limiter.acquire(limited_call("ec2", region, operation, Json::object()), kNever, {}).has_value());
      }
    }
  }
  EXPECT_THAT(clock.waits, IsEmpty());
  ASSERT_TRUE(limiter.acquire(ec2("StartInstances"), kNever, {}).has_value());
  EXPECT_EQ(clock.waits.size(), 1U);
}

TEST(Limiter, KnowsWhichReadingCallsAreDear) {
  const Json filtered = Json::object({{"Filters", Json::array({Json::object({{"Name", "n"}})})}});
  EXPECT_FALSE(ec2("DescribeInstances").narrowed);
  EXPECT_FALSE(ec2("DescribeVolumes", ids(1)).narrowed);
  EXPECT_TRUE(ec2("DescribeInstances", filtered).narrowed);
  EXPECT_TRUE(ec2("DescribeInstances", Json::object({{"MaxResults", 100}})).narrowed);
  EXPECT_TRUE(ec2("DescribeRegions").narrowed);
  LimiterOptions options;
  options.ssm = {7, 3};
  EXPECT_EQ(request_bucket(limited_call("ssm", "r", "SendCommand", Json()), options).capacity, 7);
  EXPECT_EQ(request_bucket(limited_call("iam", "r", "GetRole", Json()), options).capacity, options.other.capacity);
}

TEST(Limiter, RefusesAtOnceWhatWouldMissItsDeadline) {
  FakeClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(limiter.acquire(ec2("RunInstances"), kNever, {}).has_value());
  }
  // 4.75 - 4 = 0.75 tokens are left; the next is full in 0.25 / 1.9 s.
  const Error error = limiter.acquire(ec2("RunInstances"), clock.time + Millis(100), {}).error();
  EXPECT_EQ(error.kind, ErrorKind::throttled);
  EXPECT_EQ(error.code, "local-limit");
  EXPECT_THAT(error.message, HasSubstr("the request limit of ec2:RunInstances"));
  EXPECT_THAT(clock.waits, IsEmpty());
  // It took nothing: the next one waits no longer than it would have.
  ASSERT_TRUE(limiter.acquire(ec2("RunInstances"), clock.time + Millis(200), {}).has_value());
  EXPECT_THAT(clock.waits, ElementsAre(Micros(131'579)));
}

TEST(Limiter, GivesBackWhatAStoppedCallTook) {
  FakeClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(limiter.acquire(ec2("RunInstances"), kNever, {}).has_value());
  }
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(limiter.acquire(ec2("RunInstances"), kNever, stop.get_token()).error().kind, ErrorKind::cancelled);
  ASSERT_TRUE(limiter.acquire(ec2("RunInstances"), kNever, {}).has_value());
  EXPECT_THAT(clock.waits, ElementsAre(Micros(131'579)));
}

TEST(Limiter, SlowsDownWhereTheServiceThrottlesAndRecovers) {
  FakeClock clock;
  Limiter limiter(clock);
  const LimitedCall call = ec2("DescribeImages");
  ASSERT_TRUE(limiter.acquire(call, kNever, {}).has_value());
  limiter.throttled(call);
  // The bucket is empty and fills at half of 19 a second.
  ASSERT_TRUE(limiter.acquire(call, kNever, {}).has_value());
  EXPECT_THAT(clock.waits, ElementsAre(Micros(105'264)));
  clock.waits.clear();
  limiter.throttled(call);
  limiter.throttled(call);
  ASSERT_TRUE(limiter.acquire(call, kNever, {}).has_value());
  EXPECT_NEAR(static_cast<double>(clock.waits.at(0).count()), 8 / 19.0 * 1e6, 2);
  // Another action is not slowed.
  clock.waits.clear();
  ASSERT_TRUE(limiter.acquire(ec2("DescribeSnapshots"), kNever, {}).has_value());
  EXPECT_THAT(clock.waits, IsEmpty());
  // Three times ten seconds later it is as fast as before, and its bucket full.
  clock.time += Seconds(40);
  for (int i = 0; i < 95; ++i) {
    ASSERT_TRUE(limiter.acquire(call, kNever, {}).has_value());
  }
  EXPECT_THAT(clock.waits, IsEmpty());
  ASSERT_TRUE(limiter.acquire(call, kNever, {}).has_value());
  EXPECT_NEAR(static_cast<double>(clock.waits.at(0).count()), 1 / 19.0 * 1e6, 2);
}

TEST(Limiter, HasALeastRate) {
  FakeClock clock;
  Limiter limiter(clock);
  const LimitedCall call = ec2("DescribeImages");
  for (int i = 0; i < 50; ++i) {
    limiter.throttled(call);
  }
  ASSERT_TRUE(limiter.acquire(call, kNever, {}).has_value());
  EXPECT_NEAR(static_cast<double>(clock.waits.at(0).count()), 16 / 19.0 * 1e6, 2);
}

TEST(Limiter, SharesAnAccountWithSomebodyElse) {
  // Two programs, each with a limiter of its own, at one published bucket: both back off, and what the service has to
  // refuse becomes little.
  Crowd::CrowdClock clock;
  Limiter first(clock);
  Limiter second(clock);
  PublishedBucket bucket({100, 20});

  struct Caller {
    Monotonic due = kStart;
    bool has_token = false;
  };

  std::vector<Caller> callers(8);
  int sent = 0;
  int refused = 0;
  for (;;) {
    const auto next = std::min_element(callers.begin(), callers.end(),
                                       [](const Caller& a, const Caller& b) { return a.due < b.due; });
    if (next->due >= kStart + Seconds(60)) {
      break;
    }
    clock.time = clock.woken_at = next->due;
    Limiter& limiter = (next - callers.begin()) % 2 == 0 ? first : second;
    if (!next->has_token) {
      ASSERT_TRUE(limiter.acquire(ec2("DescribeImages"), kNever, {}).has_value());
      *next = {clock.woken_at, true};
      continue;
    }
    ++sent;
    if (!bucket.take(1, clock.time)) {
      bucket.take(-1, clock.time);
      ++refused;
      limiter.throttled(ec2("DescribeImages"));
    }
    *next = {clock.time + Millis(50), false};
  }
  EXPECT_GT(sent - refused, 600);
  EXPECT_LT(refused, sent / 20);
}

TEST(Limiter, CanBeSwitchedOff) {
  FakeClock clock;
  LimiterOptions options;
  options.on = false;
  Limiter limiter(clock, options);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(limiter.acquire(ec2("RunInstances"), kNever, {}).has_value());
    limiter.throttled(ec2("RunInstances"));
  }
  EXPECT_THAT(clock.waits, IsEmpty());
}

}  // namespace
}  // namespace parallax::aws
