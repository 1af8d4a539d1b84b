#include "probe/submit.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "codec/gzip.h"
#include "probe/fakes.h"

namespace parallax {
namespace {

using probe::answer;
using probe::failure;
using probe::ScriptedClient;

const std::string kRun = "01JCZZZZZZ0000000000000001";

// What a collector would say to a batch: `outcome` for each line.
http::Exchange confirm(const http::Request& request, const std::string& outcome = "stored") {
  const std::string lines = gzip_decompress(request.body).value();
  JsonArray records;
  for (const std::string_view line : split(lines, '\n')) {
    if (!line.empty()) {
      records.push_back(Json::object({{"line", static_cast<std::int64_t>(records.size() + 1)},
                                      {"id", parse_json(line)->text("id")},
                                      {"outcome", outcome},
                                      {"reason", outcome == "refused" ? "of its own" : ""}}));
    }
  }
  return answer(200, Json::object({{"records", std::move(records)}}).dump());
}

class SubmitTest : public testing::Test {
 protected:
  SubmitTest() {
    options_.collector = "http://127.0.0.1:1/base/";
    options_.token = "secret";
    options_.user_agent = "parallax/test";
    options_.linger = Micros(0);
    options_.backoff_first = Micros(1);
    options_.backoff_max = Micros(2);
    spool_ = Spool::open(files_, *clock_, "/spool", kRun).value();
    EXPECT_TRUE(spool_->begin_run(kRun, ""));
  }

  void fill(int count) {
    for (int i = 0; i < count; ++i) {
      Measurement m;
      m.run_id = kRun;
      m.sequence = i;
      m.id = measurement_id(kRun, i);
      m.started_at = Instant(Seconds(1'700'000'000));
      ASSERT_TRUE(spool_->record(m));
    }
    ASSERT_TRUE(spool_->end_run());
  }

  SubmitReport flush(ScriptedClient::Script script) {
    client_ = std::make_unique<ScriptedClient>(std::move(script));
    Submitter submitter(options_, *clock_, rng_, *executor_, *client_, *spool_);
    return submitter.finish();
  }

  std::int64_t count(Delivery delivery) const {
    return spool_->counts().by_delivery[static_cast<std::size_t>(delivery)];
  }

  SubmitOptions options_;
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Executor> executor_ = make_thread_executor();
  Xoshiro rng_{1};
  probe::MemoryFiles files_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<ScriptedClient> client_;
};

TEST_F(SubmitTest, SendsCompressedBatchesWithTheToken) {
  fill(1201);
  const SubmitReport report = flush([](const auto& request, const auto&, const auto&) { return confirm(request); });
  EXPECT_EQ(report.last_problem, "");
  EXPECT_EQ(count(Delivery::stored), 1201);
  EXPECT_TRUE(spool_status(files_, "/spool").value().empty());
  const std::vector<http::Request> requests = client_->requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].url, "http://127.0.0.1:1/base/api/v1/measurements");
  EXPECT_EQ(requests[0].headers.get("Authorization"), "Bearer secret");
  EXPECT_EQ(requests[0].headers.get("Content-Encoding"), "gzip");
}

TEST_F(SubmitTest, ShowsTheTokenOfAnEarlierRunWhoseRecordsItSends) {
  ASSERT_TRUE(spool_->begin_run(kRun, "old-token"));
  fill(1);
  spool_.reset();
  spool_ = Spool::open(files_, *clock_, "/spool", "").value();
  EXPECT_EQ(spool_->counts().torn, 0);
  flush([](const auto& request, const auto&, const auto&) { return confirm(request); });
  const std::vector<http::Request> requests = client_->requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].headers.get("Authorization"), "Bearer secret");
  EXPECT_EQ(requests[0].headers.get("Parallax-Earlier-Tokens"), "old-token");
}

TEST_F(SubmitTest, TriesAgainUntilTheCollectorIsBack) {
  fill(3);
  const SubmitReport report = flush([n = 0](const auto& request, const auto&, const auto&) mutable {
    switch (n++) {
      case 0:
        return failure(ErrorKind::unavailable, "connect-refused", http::Phase::connect);
      case 1:
        return answer(503);
      case 2:
        return failure(ErrorKind::corrupt, "cut", http::Phase::transfer);  // a lost answer: was it stored?
      case 3:
        return answer(200, "{\"stored\":3,\"records\":[{\"line\":1");
      default:
        return confirm(request, "duplicate");
    }
  });
  EXPECT_EQ(report.last_problem, "");
  EXPECT_EQ(count(Delivery::duplicate), 3);
  EXPECT_EQ(client_->requests().size(), 5U);
}

TEST_F(SubmitTest, ARecordCountsOnlyWhenTheAnswerListsIt) {
  fill(3);
  options_.flush_wait = Millis(50);
  const auto empty =
      flush([](const auto&, const auto&, const auto&) { return answer(200, R"({"stored":3,"records":[]})"); });
  EXPECT_EQ(empty.last_problem, "the collector answered for 0 of 3 records");
  EXPECT_EQ(spool_->counts().pending, 3);
  flush([](const auto&, const auto&, const auto&) {
    return answer(200, R"({"records":[{"line":1,"id":"other","outcome":"stored"},{"line":9,"id":"x","outcome":"stored"},
      {"line":2,"id":"01JCZZZZZZ0000000000000001-1","outcome":"new-word"}]})");
  });
  EXPECT_EQ(spool_->counts().pending, 3);
}

TEST_F(SubmitTest, StopsAtOnceWhenTheTokenIsNotAccepted) {
  for (const int status : {401, 403}) {
    if (status == 401) {
      fill(2);
    }
    const SubmitReport report =
        flush([status](const auto&, const auto&, const auto&) { return answer(status, "expired"); });
    EXPECT_TRUE(report.denied);
    EXPECT_EQ(report.last_problem,
              "the collector does not accept this run's token (HTTP " + std::to_string(status) + "): expired");
    EXPECT_EQ(client_->requests().size(), 1U);
    EXPECT_EQ(spool_->counts().pending, 2);
  }
}

TEST_F(SubmitTest, HalvesWhatIsTooLargeAndRejectsTheOneRecordThatNeverFits) {
  fill(8);
  flush([](const auto& request, const auto&, const auto&) {
    const std::string lines = gzip_decompress(request.body).value();
    const bool poisoned = lines.find("\"sequence\":5,") != std::string::npos;
    return poisoned ? answer(413) : confirm(request);
  });
  EXPECT_EQ(count(Delivery::stored), 7);
  EXPECT_EQ(count(Delivery::refused), 1);
  EXPECT_NE(files_.content["/spool/rejected/" + kRun + ".ndjson"].find("413"), std::string::npos);
}

TEST_F(SubmitTest, OneBadRecordDoesNotBlockTheOthers) {
  fill(3);
  const SubmitReport report = flush([](const auto& request, const auto&, const auto&) {
    http::Exchange exchange = confirm(request);
    std::string& body = exchange.response.body;
    body.replace(body.find("stored"), 6, "refused");
    body.replace(body.find("stored"), 6, "conflict");
    return exchange;
  });
  EXPECT_EQ(count(Delivery::stored), 1);
  EXPECT_EQ(count(Delivery::refused), 1);
  EXPECT_EQ(count(Delivery::conflict), 1);
  EXPECT_EQ(report.refusals.size(), 2U);
  EXPECT_EQ(spool_->counts().pending, 0);
}

TEST_F(SubmitTest, ADeadCollectorIsWaitedForNoLongerThanAgreed) {
  fill(1);
  options_.flush_wait = Millis(30);
  options_.backoff_first = options_.backoff_max = Seconds(100);
  const SubmitReport report = flush([](const auto&, const auto&, const auto&) {
    return failure(ErrorKind::unavailable, "connect-refused", http::Phase::connect);
  });
  EXPECT_NE(report.last_problem.find("cannot be reached"), std::string::npos);
  EXPECT_EQ(spool_->counts().pending, 1);
}

TEST_F(SubmitTest, AStopShortensTheWaitForADeadCollector) {
  fill(1);
  options_.flush_wait = Seconds(1000);
  options_.flush_wait_interrupted = Millis(30);
  options_.backoff_first = options_.backoff_max = Seconds(1000);
  client_ = std::make_unique<ScriptedClient>([](const auto&, const auto&, const auto&) {
    return failure(ErrorKind::unavailable, "connect-refused", http::Phase::connect);
  });
  std::stop_source stop;
  stop.request_stop();
  Submitter submitter(options_, *clock_, rng_, *executor_, *client_, *spool_);
  EXPECT_NE(submitter.finish(stop.get_token()).last_problem.find("cannot be reached"), std::string::npos);
  EXPECT_EQ(spool_->counts().pending, 1);
}

TEST_F(SubmitTest, ARetryAfterBeyondTheFlushEndsTheWait) {
  fill(1);
  const SubmitReport report = flush([](const auto&, const auto&, const auto&) {
    return answer(503, "", {{"Retry-After", "200"}});
  });
  EXPECT_EQ(report.last_problem, "the collector answered HTTP 503");
  EXPECT_EQ(client_->requests().size(), 1U);
}

TEST_F(SubmitTest, TokensTravelInClearToLoopbackOnly) {
  EXPECT_TRUE(check_collector_url("http://127.0.0.1:8321"));
  EXPECT_TRUE(check_collector_url("http://[::1]:8321/x"));
  EXPECT_TRUE(check_collector_url("http://localhost:1"));
  EXPECT_TRUE(check_collector_url("https://collector.example.org"));
  const Result<> refused = check_collector_url("http://collector.example.org");
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "http://collector.example.org: a token is sent over https only (http goes to loopback alone): on the way it "
      "could be read by anybody. Nothing was sent");
  EXPECT_FALSE(check_collector_url("http://127.example.org"));
  EXPECT_FALSE(check_collector_url("not a url"));
}

}  // namespace
}  // namespace parallax
