#include "aws/retry/retry.h"

#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

constexpr Micros kEver = std::chrono::hours(1);

// Always the same fraction of the longest wait.
class FixedRng final : public Rng {
 public:
  explicit FixedRng(double unit) : bits_(static_cast<std::uint64_t>(unit * 0x1.0p53) << 11U) {}

  std::uint64_t next() override { return bits_; }

 private:
  const std::uint64_t bits_;
};

Error error_of(ErrorKind kind, std::string code = "", long retry_after_ms = 0) {
  Error error = make_error(kind, "failed");
  error.code = std::move(code);
  error.retry_after_ms = retry_after_ms;
  return error;
}

TEST(Retry, DoublesTheWaitUpToTheLimit) {
  FixedRng rng(0.5);
  RetryBudget budget;
  RetryOptions options;
  options.attempts_max = 8;
  Retry retry(options, Repeat::unsafe, rng, budget);
  const Error throttled = error_of(ErrorKind::throttled);
  for (const int millis : {500, 1000, 2000, 4000, 8000, 10000, 10000}) {
    EXPECT_EQ(retry.next_delay(throttled, kEver), Micros(Millis(millis)));
  }
  EXPECT_EQ(retry.attempt(), 8);
  EXPECT_EQ(retry.next_delay(throttled, kEver), std::nullopt);
}

TEST(Retry, TriesThreeTimesByDefault) {
  FixedRng rng(0.25);
  RetryBudget budget;
  Retry retry({}, Repeat::unsafe, rng, budget);
  EXPECT_EQ(retry.next_delay(error_of(ErrorKind::unavailable), kEver), Micros(Millis(250)));
  EXPECT_EQ(retry.next_delay(error_of(ErrorKind::unavailable), kEver), Micros(Millis(500)));
  EXPECT_EQ(retry.next_delay(error_of(ErrorKind::unavailable), kEver), std::nullopt);
}

TEST(Retry, DoesNotRepeatWhatIsPermanent) {
  FixedRng rng(0.5);
  RetryBudget budget;
  for (const ErrorKind kind : {ErrorKind::invalid, ErrorKind::denied, ErrorKind::not_found, ErrorKind::conflict,
                               ErrorKind::corrupt, ErrorKind::refused, ErrorKind::cancelled, ErrorKind::internal}) {
    EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(error_of(kind), kEver), std::nullopt);
  }
  EXPECT_EQ(budget.left(), RetryBudget::kCapacity);
}

TEST(Retry, RepeatsALostAnswerOnlyWhereThatIsSafe) {
  FixedRng rng(0.5);
  RetryBudget budget;
  const Error lost = error_of(ErrorKind::timeout, "connection-reset");
  EXPECT_EQ(Retry({}, Repeat::unsafe, rng, budget).next_delay(lost, kEver), std::nullopt);
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(lost, kEver), Micros(Millis(500)));
  EXPECT_EQ(budget.left(), 495);
  EXPECT_TRUE(Retry({}, Repeat::safe, rng, budget).next_delay(error_of(ErrorKind::timeout, "timeout"), kEver));
  EXPECT_EQ(budget.left(), 485);
}

TEST(Retry, WaitsAsLongAsTheServerAsks) {
  FixedRng rng(0.5);
  RetryBudget budget;
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(error_of(ErrorKind::unavailable, "", 5000), kEver),
            Micros(Seconds(5)));
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(error_of(ErrorKind::unavailable, "", 1), kEver),
            Micros(Millis(500)));
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(error_of(ErrorKind::unavailable, "", 3'600'000), kEver * 9),
            std::nullopt);
}

TEST(Retry, DoesNotWaitBeyondTheDeadline) {
  FixedRng rng(0.5);
  RetryBudget budget;
  const Error throttled = error_of(ErrorKind::throttled);
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(throttled, Millis(500)), std::nullopt);
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(throttled, Millis(501)), Micros(Millis(500)));
}

TEST(Retry, LeavesMissingCapacityAndBadCertificatesToTheCaller) {
  FixedRng rng(0.5);
  RetryBudget budget;
  for (const char* code : {"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientVolumeCapacity",
                           "tls-expired", "tls-certificate"}) {
    EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(error_of(ErrorKind::unavailable, code), kEver),
              std::nullopt);
  }
}

TEST(Retry, KnowsTheStatusesThatPass) {
  FixedRng rng(0.5);
  RetryBudget budget;
  const auto repeats = [&](int status, std::string code, Repeat repeat) {
    Error error = error_of(ErrorKind::unavailable, std::move(code));
    error.status = status;
    return Retry({}, repeat, rng, budget).next_delay(error, kEver).has_value();
  };
  for (const int status : {408, 500, 502, 503, 504}) {
    EXPECT_TRUE(repeats(status, "", Repeat::safe)) << status;
  }
  for (const int status : {301, 302, 501, 505, 511}) {
    EXPECT_FALSE(repeats(status, "", Repeat::safe)) << status;
  }
  EXPECT_TRUE(repeats(400, "IDPCommunicationError", Repeat::safe));
  EXPECT_TRUE(repeats(400, "ConcurrentTagAccess", Repeat::unsafe));
}

TEST(Retry, DoesNotRepeatACommandThatABalancerMayHaveHandedOn) {
  FixedRng rng(0.5);
  RetryBudget budget;
  const auto repeats = [&](int status, std::string code) {
    Error error = error_of(ErrorKind::unavailable, std::move(code));
    error.status = status;
    return Retry({}, Repeat::unsafe, rng, budget).next_delay(error, kEver).has_value();
  };
  EXPECT_FALSE(repeats(502, ""));
  EXPECT_FALSE(repeats(504, ""));
  EXPECT_TRUE(repeats(503, ""));
  EXPECT_TRUE(repeats(500, "InternalError"));
}

TEST(Retry, RepeatsADamagedAnswerWhereThatIsSafe) {
  FixedRng rng(0.5);
  RetryBudget budget;
  const Error damaged = error_of(ErrorKind::corrupt, "bad-answer");
  EXPECT_TRUE(Retry({}, Repeat::safe, rng, budget).next_delay(damaged, kEver));
  EXPECT_FALSE(Retry({}, Repeat::unsafe, rng, budget).next_delay(damaged, kEver));
}

TEST(RetryBudget, EndsRetriesWhenItIsSpent) {
  FixedRng rng(0.5);
  RetryBudget budget;
  const Error throttled = error_of(ErrorKind::throttled);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(Retry({}, Repeat::safe, rng, budget).next_delay(throttled, kEver).has_value());
  }
  EXPECT_EQ(budget.left(), 0);
  EXPECT_EQ(Retry({}, Repeat::safe, rng, budget).next_delay(throttled, kEver), std::nullopt);
}

TEST(RetryBudget, GetsBackWhatASuccessfulRetryTook) {
  FixedRng rng(0.5);
  RetryBudget budget;
  Retry lost({}, Repeat::safe, rng, budget);
  EXPECT_TRUE(lost.next_delay(error_of(ErrorKind::throttled), kEver).has_value());
  EXPECT_TRUE(lost.next_delay(error_of(ErrorKind::timeout, "idle"), kEver).has_value());
  EXPECT_EQ(budget.left(), 485);
  lost.succeeded();
  EXPECT_EQ(budget.left(), 495);
  Retry({}, Repeat::safe, rng, budget).succeeded();
  EXPECT_EQ(budget.left(), 496);
}

TEST(RetryBudget, NeverHoldsMoreThanItsCapacity) {
  RetryBudget budget;
  budget.give_back(7);
  EXPECT_EQ(budget.left(), RetryBudget::kCapacity);
}

}  // namespace
}  // namespace parallax::aws
