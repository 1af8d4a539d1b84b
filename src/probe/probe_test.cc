#include "probe/probe.h"

#include <functional>

#include <gtest/gtest.h>

#include "base/text.h"
#include "codec/gzip.h"
#include "probe/fakes.h"

namespace parallax {
namespace {

using probe::answer;
using probe::failure;
using probe::ScriptedClient;
using probe::votable;

const std::string kRun = "01JCZZZZZZ0000000000000001";

http::Exchange confirm_all(const http::Request& request) {
  const std::string lines = gzip_decompress(request.body).value();
  JsonArray records;
  for (const std::string_view line : split(lines, '\n')) {
    if (!line.empty()) {
      records.push_back(Json::object({{"line", static_cast<std::int64_t>(records.size() + 1)},
                                      {"id", parse_json(line)->text("id")},
                                      {"outcome", "stored"}}));
    }
  }
  return answer(200, Json::object({{"records", std::move(records)}}).dump());
}

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    order_.fleet = "F";
    order_.run_id = kRun;
    order_.round_id = "round";
    order_.vantage = "eu";
    order_.instance_id = "i-1";
    order_.cones.count = 3;
    for (const std::string name : {"a", "b"}) {
      Service service;
      service.name = name;
      service.provider = "P-" + name;
      service.url = "http://" + name + ".org/scs?";
      order_.services.push_back(service);
    }
    options_.spool_directory = "/spool";
    options_.build = "test";
    options_.submit.linger = Micros(0);
    options_.submit.backoff_first = options_.submit.backoff_max = Micros(1);
  }

  // `service` answers queries; the collector (where the order names one) confirms.
  ProbeOutcome run(ScriptedClient::Script service) {
    client_ = std::make_unique<ScriptedClient>(
        [service = std::move(service)](const http::Request& request, const auto& options, std::stop_token stop) {
          if (request.url == "http://127.0.0.1:1/api/v1/pauses") {
            return answer(200, R"({"pauses": []})");
          }
          return request.url.starts_with("http://127.0.0.1:1/") ? confirm_all(request)
                                                                : service(request, options, stop);
        });
    measurements_.clear();
    const ProbeDeps deps{clock_, rng_, *executor_, files_, *client_};
    return run_probe(
        order_, options_, deps, [this](const Measurement& m) { measurements_.push_back(m); }, stop_.get_token());
  }

  static http::Exchange good(const http::Request& /*request*/, const http::SendOptions& /*options*/,
                             const std::stop_token& /*stop*/) {
    return answer(200, votable(2), {{"Content-Type", "application/x-votable+xml"}});
  }

  void use_collector() { order_.collector = "http://127.0.0.1:1"; }

  int with_code(std::string_view code) const {
    return static_cast<int>(std::count_if(measurements_.begin(), measurements_.end(),
                                          [&](const Measurement& m) { return m.code == code; }));
  }

  Order order_;
  ProbeOptions options_;
  probe::JumpClock clock_;
  Xoshiro rng_{1};
  std::unique_ptr<Executor> executor_ = make_thread_executor();
  probe::MemoryFiles files_;
  std::unique_ptr<ScriptedClient> client_;
  std::stop_source stop_;
  std::vector<Measurement> measurements_;
};

TEST_F(ProbeTest, AsksEveryServiceForEveryConeAndDeliversAll) {
  use_collector();
  const ProbeOutcome outcome = run(good);
  EXPECT_EQ(outcome.problem, "");
  EXPECT_EQ(outcome.planned, 6);
  EXPECT_EQ(outcome.asked, 6);
  EXPECT_EQ(outcome.successes(), 6);
  EXPECT_EQ(outcome.stored(), 6);
  EXPECT_EQ(outcome.spool.pending, 0);
  EXPECT_EQ(outcome.exit_code, ExitCode::done);
  EXPECT_TRUE(spool_status(files_, "/spool").value().empty());
  ASSERT_EQ(measurements_.size(), 6U);
  for (const Measurement& m : measurements_) {
    EXPECT_TRUE(measurement_from_json(to_json(m)));
    EXPECT_EQ(m.instance_id, "i-1");
    EXPECT_EQ(m.build, "test");
    EXPECT_GE(*m.started_at, *m.scheduled_at);
    ASSERT_TRUE(m.late_us.has_value());
    EXPECT_GE(*m.late_us, 0);
  }
}

TEST_F(ProbeTest, TheExitCodeTellsHowItWent) {
  EXPECT_EQ(run([](const auto&, const auto&, const auto&) { return answer(500); }).exit_code, ExitCode::failed);
  files_.content.clear();
  EXPECT_EQ(run([](const http::Request& request, const auto& options, const auto& stop) {
              return request.url.starts_with("http://a.") ? answer(500) : good(request, options, stop);
            }).exit_code,
            ExitCode::in_part);
  files_.content.clear();
  order_.collector = "https://dead.org";
  options_.submit.flush_wait = Millis(20);
  const ProbeOutcome left = run([](const http::Request& request, const auto& options, const auto& stop) {
    return request.url.starts_with("https://dead.org") ? answer(502) : good(request, options, stop);
  });
  EXPECT_EQ(left.exit_code, ExitCode::in_spool);
  EXPECT_EQ(left.spool.pending, 6);
  EXPECT_EQ(left.submit.last_problem, "the collector answered HTTP 502");
}

TEST_F(ProbeTest, AStopAbortsAndRecordsWhatRunsAndAsksNothingMore) {
  use_collector();
  const ProbeOutcome outcome = run([this](const auto&, const auto&, const auto&) {
    stop_.request_stop();
    return failure(ErrorKind::cancelled, "cancelled", http::Phase::first_byte);
  });
  EXPECT_EQ(outcome.exit_code, ExitCode::interrupted);
  EXPECT_GE(with_code("interrupted"), 1);
  EXPECT_LE(outcome.asked, 2);
  EXPECT_EQ(outcome.unasked, 6 - static_cast<std::int64_t>(measurements_.size()));
  EXPECT_EQ(outcome.stored(), static_cast<std::int64_t>(measurements_.size()));
}

TEST_F(ProbeTest, ARestartOfTheSameRunAsksOnlyWhatHasNoRecord) {
  // The first start dies: its spool is what is left of it.
  {
    auto spool = Spool::open(files_, clock_, "/spool", kRun).value();
    ASSERT_TRUE(spool->begin_run(kRun, ""));
    Measurement m;
    m.run_id = kRun;
    m.started_at = clock_.now();
    for (const std::int64_t sequence : {0, 4}) {
      m.sequence = sequence;
      m.id = measurement_id(kRun, sequence);
      ASSERT_TRUE(spool->intent(m));
    }
    ASSERT_TRUE(spool->record(m));
  }
  use_collector();
  const ProbeOutcome outcome = run(good);
  EXPECT_EQ(outcome.planned, 6);
  EXPECT_EQ(outcome.resumed, 2);
  EXPECT_EQ(outcome.asked, 4);
  EXPECT_EQ(outcome.stored(), 6);
  EXPECT_EQ(outcome.spool.recovered, 1);
}

TEST_F(ProbeTest, NeverMeasuresWhatItCannotKeep) {
  use_collector();
  order_.services.pop_back();
  options_.submit.linger = Seconds(100);  // so that nothing is answered before the end of the run
  files_.writes_left = 3;                 // an intent, its record, another intent
  const ProbeOutcome outcome = run(good);
  EXPECT_EQ(outcome.asked, 2);
  EXPECT_EQ(outcome.successes(), 2);
  EXPECT_EQ(outcome.stored(), 2);
  EXPECT_EQ(outcome.exit_code, ExitCode::failed);
  EXPECT_NE(outcome.problem.find("no space left"), std::string::npos);
}

TEST_F(ProbeTest, AQueryWhoseTurnIsOverIsRecordedAndNotSent) {
  order_.services.pop_back();
  order_.turn = Seconds(2);  // at one query a second: the third comes too late
  const ProbeOutcome outcome = run(good);
  EXPECT_EQ(with_code("turn-over"), 1);
  EXPECT_EQ(outcome.asked, 2);
  EXPECT_EQ(client_->requests().size(), 2U);
  EXPECT_EQ(outcome.exit_code, ExitCode::in_part);
}

TEST_F(ProbeTest, TheDeadlineEndsTheQuerying) {
  order_.services.pop_back();
  order_.deadline = clock_.now() + Millis(1500);
  const ProbeOutcome outcome = run(good);
  EXPECT_EQ(with_code("deadline"), 1);
  EXPECT_EQ(outcome.asked, 2);
}

TEST_F(ProbeTest, AThrottledProviderIsLeftInPeaceAsLongAsItAsks) {
  order_.services.pop_back();
  run([n = 0](const auto& request, const auto& options, const auto& stop) mutable {
    return n++ == 0 ? answer(429, "", {{"Retry-After", "60"}}) : good(request, options, stop);
  });
  ASSERT_EQ(measurements_.size(), 3U);
  EXPECT_EQ(measurements_[0].verdict, Verdict::throttled);
  EXPECT_GE(*measurements_[1].started_at - *measurements_[0].started_at, Seconds(60));
}

TEST_F(ProbeTest, WhoOptedOutOrIsQuietIsRecordedAndNotAsked) {
  order_.providers = {Provider{.name = "P-a", .opt_out = true},
                      Provider{.name = "P-b", .quiet_hours = {{0, 720}, {720, 1440}}}};
  const ProbeOutcome outcome = run(good);
  EXPECT_TRUE(client_->requests().empty());
  EXPECT_EQ(outcome.asked, 0);
  EXPECT_EQ(with_code("opted-out"), 3);
  EXPECT_EQ(with_code("quiet-hours"), 3);
  EXPECT_EQ(outcome.exit_code, ExitCode::failed);
}

TEST_F(ProbeTest, AsksItsCollectorWhatOtherVantagesWereTold) {
  use_collector();
  order_.token = "secret";
  run(good);
  const std::vector<http::Request> requests = client_->requests();
  EXPECT_TRUE(std::any_of(requests.begin(), requests.end(), [](const http::Request& request) {
    return request.url.ends_with("/api/v1/pauses") && request.headers.get("Authorization") == "Bearer secret";
  }));
}

TEST_F(ProbeTest, AnOverloadedProviderIsAskedLessOftenAlsoWhenItDoesNotSayHowLong) {
  order_.services.pop_back();
  run([n = 0](const auto& request, const auto& options, const auto& stop) mutable {
    return n++ == 0 ? answer(503, "busy") : good(request, options, stop);
  });
  ASSERT_EQ(measurements_.size(), 3U);
  EXPECT_GE(*measurements_[1].started_at - *measurements_[0].started_at, Seconds(2));
  EXPECT_GE(*measurements_[2].started_at - *measurements_[1].started_at, Millis(1900));  // twice the agreed second
}

TEST_F(ProbeTest, NothingIsSentWhereTheOrderIsWrong) {
  order_.collector = "http://far.example.org";
  ProbeOutcome outcome = run(good);
  EXPECT_EQ(outcome.exit_code, ExitCode::wrong_usage);
  EXPECT_TRUE(client_->requests().empty());
  use_collector();
  options_.spool_directory.clear();
  outcome = run(good);
  EXPECT_EQ(outcome.problem, "an order with a collector needs a spool directory; nothing was asked");
  EXPECT_TRUE(client_->requests().empty());
}

TEST_F(ProbeTest, WhatItCannotDoYetIsRefusedAndNotIgnored) {
  const Order plain = order_;
  const auto problem = [&](const std::function<void(Order&)>& change) {
    order_ = plain;
    change(order_);
    const ProbeOutcome outcome = run({});
    EXPECT_EQ(outcome.exit_code, ExitCode::wrong_usage);
    EXPECT_EQ(outcome.asked, 0);
    return outcome.problem;
  };
  EXPECT_EQ(problem([](Order& o) { o.deep = true; }), "deep is not supported yet; nothing was asked");
  EXPECT_EQ(problem([](Order& o) { o.connection = ConnectionSeries::pair; }),
            "connection 'pair' is not supported yet; nothing was asked");
}

TEST_F(ProbeTest, WithoutCollectorAndSpoolResultsGoToTheCallerAlone) {
  options_.spool_directory.clear();
  const ProbeOutcome outcome = run(good);
  EXPECT_EQ(outcome.exit_code, ExitCode::done);
  EXPECT_EQ(measurements_.size(), 6U);
  EXPECT_TRUE(files_.content.empty());
}

TEST_F(ProbeTest, SpoolSendDeliversWhatEarlierRunsLeft) {
  run(good);
  EXPECT_EQ(spool_status(files_, "/spool").value().at(0).pending, 6);
  SubmitOptions submit = options_.submit;
  submit.collector = "http://127.0.0.1:1";
  const ProbeDeps deps{clock_, rng_, *executor_, files_, *client_};
  const Result<SendOutcome> sent = spool_send("/spool", submit, deps);
  ASSERT_TRUE(sent) << sent.error().text();
  EXPECT_EQ(sent->spool.by_delivery[0], 6);
  EXPECT_TRUE(spool_status(files_, "/spool").value().empty());
}

}  // namespace
}  // namespace parallax
