#include "cli/replay.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "probe/fakes.h"

namespace parallax::cli {
namespace {

using probe::answer;
using probe::JumpClock;
using probe::MemoryFiles;
using probe::ScriptedClient;
using probe::votable;

Measurement asked(const std::string& type, std::string url, std::int64_t second, std::string query = "") {
  Measurement m;
  m.provider = "P";
  m.service = "s";
  m.type = type;
  m.mode = type == "tap" ? "sync" : "";
  m.url = std::move(url);
  m.query = std::move(query);
  m.ra = 1;
  m.dec = 2;
  m.radius = 0.5;
  m.scheduled_at = Instant(Seconds(1'700'000'000 + second));
  return m;
}

Results results_of(const std::vector<Measurement>& list) {
  Results results;
  for (std::size_t i = 0; i < list.size(); ++i) {
    results.rows.push_back({i + 1, list[i]});
  }
  return results;
}

const std::string kCone = "http://h.example/scs?RA=1&DEC=2&SR=0.5&x=%20";

TEST(ReplayPlanTest, KeepsThePaceOrChangesIt) {
  const Results results = results_of({asked("cone", kCone, 30), asked("cone", kCone, 0), asked("cone", kCone, 10)});
  const ReplayPlan same = plan_replay(results, {});
  ASSERT_EQ(same.queries.size(), 3U);
  EXPECT_EQ(same.queries[0].line, 2U);
  EXPECT_EQ(same.queries[1].offset, Seconds(10));
  EXPECT_EQ(same.queries[2].offset, Seconds(30));
  ReplayOptions faster;
  faster.speed = 4;
  EXPECT_EQ(plan_replay(results, faster).queries[2].offset, Millis(7500));
  faster.speed.reset();
  EXPECT_EQ(plan_replay(results, faster).queries[2].offset, Micros(0));
}

TEST(ReplayPlanTest, TellsWhatCannotBeReplayed) {
  Results results =
      results_of({asked("cone", "", 0), asked("cone", "ftp://h/", 0), asked("tap", "http://h.example/tap/sync", 0),
                  asked("cone", "http://h/{x}", 0), asked("cone", kCone, 0)});
  results.unread.push_back({2, "no record"});
  const ReplayPlan plan = plan_replay(results, {});
  EXPECT_EQ(plan.queries.size(), 1U);
  ASSERT_EQ(plan.skipped.size(), 5U);
  EXPECT_EQ(plan.skipped[0].why, "the row has no URL");
  EXPECT_EQ(plan.skipped[1].why, "no record");
  EXPECT_EQ(plan.skipped[3].line, 3U);
}

TEST(ReplayPlanTest, AnAsynchronousQueryStaysOneUnlessToldOtherwise) {
  Measurement async = asked("tap", "http://h.example/tap/async", 0, "SELECT 1");
  async.mode = "async";
  const Results results = results_of({async});
  const ReplayPlan same = plan_replay(results, {});
  ASSERT_EQ(same.queries.size(), 1U);
  EXPECT_EQ(same.queries[0].service.mode, TapMode::async);
  EXPECT_EQ(same.queries[0].service.url, "http://h.example/tap");
  ReplayOptions sync;
  sync.async_as_sync = true;
  EXPECT_EQ(plan_replay(results, sync).queries[0].service.mode, TapMode::sync);
}

TEST(ReplayPlanTest, AListHasTheLimitsAndTheOptOuts) {
  const Result<ServiceList> list = parse_services("s.toml", R"([provider.Fast]
queries_per_second = 50
[provider.Shy]
opt_out = true
[[service]]
name = "s"
provider = "Fast"
type = "cone"
url = "http://h.example/scs?"
[[service]]
name = "shy"
provider = "Shy"
type = "cone"
url = "http://shy.example/scs?"
)");
  ASSERT_TRUE(list) << list.error().text();
  Measurement nameless = asked("cone", kCone, 0);
  nameless.provider.clear();  // servicemon's rows have none
  Measurement shy = asked("cone", kCone, 0);
  shy.service = "shy";
  shy.provider.clear();
  Measurement other = asked("cone", "http://other.example/?RA=1", 0);
  other.service = "other";
  other.provider.clear();
  ReplayOptions options;
  options.services = *list;
  const ReplayPlan plan = plan_replay(results_of({nameless, shy, other}), options);
  ASSERT_EQ(plan.skipped.size(), 1U);
  EXPECT_EQ(plan.skipped[0].line, 2U);
  ASSERT_EQ(plan.providers.size(), 2U);
  EXPECT_EQ(plan.providers[0].name, "Fast");
  EXPECT_EQ(plan.providers[0].queries_per_second, 50);
  EXPECT_EQ(plan.providers[1].name, "other.example") << "the host, where nobody says whose it is";
  EXPECT_EQ(plan.providers[1].queries_per_second, 1);
}

class ReplayTest : public testing::Test {
 protected:
  ProbeOutcome run(const ReplayPlan& plan, ScriptedClient& client) {
    Order naming;
    naming.run_id = naming.round_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    naming.fleet = "local";
    naming.vantage = "here";
    Xoshiro rng(1);
    MemoryFiles files;
    const std::unique_ptr<Executor> executor = make_thread_executor();
    const ProbeDeps deps{clock_, rng, *executor, files, client};
    return run_replay(
        plan, naming, {}, deps, [this](const Measurement& m) { written_.push_back(m); }, stop_.get_token());
  }

  JumpClock clock_;
  std::stop_source stop_;
  std::vector<Measurement> written_;
};

TEST_F(ReplayTest, AsksTheSameRequestsAgain) {
  ScriptedClient client([](const auto&, const auto&, const auto&) { return answer(200, votable(2)); });
  const ReplayPlan plan =
      plan_replay(results_of({asked("cone", kCone, 0), asked("tap", "http://h.example/tap/sync", 5, "SELECT 1")}), {});
  const ProbeOutcome outcome = run(plan, client);
  EXPECT_EQ(outcome.exit_code, ExitCode::done);
  ASSERT_EQ(client.requests().size(), 2U);
  EXPECT_EQ(client.requests()[0].url, kCone);
  EXPECT_EQ(client.requests()[0].method, "GET");
  EXPECT_EQ(client.requests()[1].url, "http://h.example/tap/sync");
  EXPECT_NE(client.requests()[1].body.find("QUERY=SELECT%201"), std::string::npos);
  ASSERT_EQ(written_.size(), 2U);
  EXPECT_EQ(written_[0].type, "cone");
  EXPECT_EQ(written_[0].url, kCone);
  EXPECT_EQ(written_[0].ra, 1);
  EXPECT_EQ(written_[1].mode, "sync");
  EXPECT_EQ(written_[1].rows, 2);
  EXPECT_EQ(*written_[1].scheduled_at - *written_[0].scheduled_at, Seconds(5));
  EXPECT_TRUE(measurement_from_json(to_json(written_[0]))) << "a whole record";
}

TEST_F(ReplayTest, NeverCloserTogetherThanAgreed) {
  std::vector<Instant> starts;
  ScriptedClient client([&](const auto&, const auto&, const auto&) {
    starts.push_back(clock_.now());
    return answer(200, votable(1));
  });
  ReplayOptions options;
  options.speed.reset();
  const ReplayPlan plan =
      plan_replay(results_of({asked("cone", kCone, 0), asked("cone", kCone, 0), asked("cone", kCone, 0)}), options);
  run(plan, client);
  ASSERT_EQ(starts.size(), 3U);
  EXPECT_GE(starts[1] - starts[0], Millis(990)) << "one a second where nothing else was agreed";
  EXPECT_GE(starts[2] - starts[1], Millis(990));
}

TEST_F(ReplayTest, FailuresAndRowsLeftOutShowInTheExitCode) {
  ScriptedClient client([n = 0](const auto&, const auto&, const auto&) mutable {
    return ++n == 1 ? answer(200, votable(1)) : answer(500);
  });
  const ReplayPlan plan = plan_replay(results_of({asked("cone", kCone, 0), asked("cone", kCone, 1)}), {});
  EXPECT_EQ(run(plan, client).exit_code, ExitCode::in_part);
  ScriptedClient good([](const auto&, const auto&, const auto&) { return answer(200, votable(1)); });
  EXPECT_EQ(run(plan_replay(results_of({asked("cone", kCone, 0), asked("cone", "", 1)}), {}), good).exit_code,
            ExitCode::in_part);
  ScriptedClient bad([](const auto&, const auto&, const auto&) { return answer(500); });
  EXPECT_EQ(run(plan, bad).exit_code, ExitCode::failed);
  stop_.request_stop();
  EXPECT_EQ(run(plan, good).exit_code, ExitCode::interrupted);
}

}  // namespace
}  // namespace parallax::cli
