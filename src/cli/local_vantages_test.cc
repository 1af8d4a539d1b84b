#include "cli/local_vantages.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/token.h"

namespace parallax::cli {
namespace {

using ::testing::HasSubstr;

constexpr Instant kNow{Micros(1'800'000'000'000'000)};

class StillClock final : public Clock {
 public:
  Instant now() const override { return kNow; }

  Monotonic monotonic() const override { return Monotonic(Seconds(50)); }

  bool sleep_until(Monotonic /*deadline*/, std::stop_token /*stop*/) override { return true; }
};

// A collector that gives one page for the latest arrivals and another for a run's records.
class Pages final : public http::Client {
 public:
  http::Exchange send(const http::Request& request, const http::SendOptions& /*options*/, std::stop_token) override {
    urls.push_back(request.url);
    http::Exchange exchange;
    exchange.response.status = status;
    exchange.response.body = request.url.find("run_id=") == std::string::npos ? latest : run;
    return exchange;
  }

  int status = 200;
  std::string latest = R"({"measurements":[],"next":null})", run = latest;
  std::vector<std::string> urls;
};

class LocalVantages : public ::testing::Test {
 protected:
  LocalVantages() {
    config_.fleet.name = "NA VO";
    config_.collector.url = "https://collector.example.org";
    config_.collector.key = testing::TempDir() + "/parallax-key-" + std::to_string(::getpid());
    config_.locals = {{"desk", std::chrono::hours(6)}};
    CHECK(files_->write(config_.collector.key, to_private_text(make_signing_key().value()), 0600).has_value());
  }

  ~LocalVantages() override { ignore(files_->remove(config_.collector.key), "a temporary file"); }

  LocalStatus look() {
    World world{clock_, *rng_, *executor_, *files_, pages_, [](const std::string&) { return std::nullopt; },
                {},     {},    "parallax", false};
    return look_at_local_vantages(world, config_).at(0);
  }

  static std::string record(const std::string& run, Micros ago, const std::string& verdict) {
    return R"({"run_id":")" + run + R"(","started_at":")" + to_iso8601(kNow - ago) + R"(","verdict":")" + verdict +
           R"(","build":"0.1.0+abc"})";
  }

  StillClock clock_;
  std::unique_ptr<Rng> rng_ = make_system_rng();
  std::unique_ptr<Executor> executor_ = make_thread_executor();
  std::unique_ptr<Files> files_ = make_system_files();
  Pages pages_;
  Config config_;
};

TEST_F(LocalVantages, TellTheLatestRunAlthoughAnOlderOneArrivedLater) {
  pages_.latest = R"({"measurements":[)" + record("OLD", std::chrono::hours(9), "ok") + "," +
                  record("NEW", std::chrono::hours(2), "ok") + R"(],"next":null})";
  pages_.run = R"({"measurements":[)" + record("NEW", std::chrono::hours(2), "ok") + "," +
               record("NEW", std::chrono::hours(2), "overflow") + "," +
               record("NEW", std::chrono::hours(2), "timeout") + R"(],"next":null})";
  const LocalStatus status = look();
  EXPECT_EQ(status.problem, "");
  EXPECT_EQ(status.run_id, "NEW");
  EXPECT_EQ(status.build, "0.1.0+abc");
  EXPECT_EQ(status.measurements, 3);
  EXPECT_EQ(status.successes, 2);
  EXPECT_EQ(describe(status, kNow), "2 h 00 min ago, 2 of 3 good (1 timeout)");
  ASSERT_EQ(pages_.urls.size(), 2U);
  EXPECT_THAT(pages_.urls[0], HasSubstr("/api/v1/measurements?fleet=NA%20VO&vantage=desk&limit="));
  EXPECT_THAT(pages_.urls[1], HasSubstr("run_id=NEW"));
}

TEST_F(LocalVantages, AreAProblemOnceSilentForThreeIntervals) {
  const auto after = [&](Micros silence) {
    pages_.latest = pages_.run = R"({"measurements":[)" + record("R", silence, "ok") + R"(],"next":null})";
    return look().problem;
  };
  EXPECT_EQ(after(std::chrono::hours(18)), "");
  EXPECT_THAT(after(std::chrono::hours(19)), HasSubstr("silent for 19 h 00 min, it should report every 6 h 00 min"));
}

TEST_F(LocalVantages, AreAProblemWhenNothingEverCame) {
  EXPECT_EQ(look().problem, "nothing from it has reached https://collector.example.org yet");
  EXPECT_EQ(describe(look(), kNow), "never");
  EXPECT_TRUE(to_json(look()).find("last_at")->is_null());
}

TEST_F(LocalVantages, SayWhenTheCollectorRefuses) {
  pages_.status = 401;
  pages_.latest = "no\x1b[2J";
  EXPECT_EQ(look().problem.find('\x1b'), std::string::npos);
  EXPECT_THAT(look().problem, HasSubstr("the collector cannot tell: HTTP 401"));
}

TEST_F(LocalVantages, SayWhenThereIsNoCollector) {
  config_.collector.url = "";
  EXPECT_THAT(look().problem, HasSubstr("[collector] needs 'url' and 'key'"));
  EXPECT_TRUE(pages_.urls.empty());
}

}  // namespace
}  // namespace parallax::cli
