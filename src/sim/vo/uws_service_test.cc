#include "sim/vo/uws_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vo/uws.h"

namespace parallax::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StillClock final : public Clock {
 public:
  Instant now() const override { return Instant(Seconds(1'800'000'000)) + time; }

  Monotonic monotonic() const override { return Monotonic(time); }

  bool sleep_until(Monotonic deadline, std::stop_token /*stop*/) override {
    time = std::max(time, deadline.time_since_epoch());
    return true;
  }

  Micros time{0};
};

class UwsServiceTest : public testing::Test {
 protected:
  void script(const UwsScript& script) {
    service_ = std::make_unique<UwsService>(clock_, script, [this](const http::Request& request) {
      query_ = request.body;
      return answer_;
    });
  }

  http::Response ask(const std::string& method, const std::string& target, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.url = target;
    request.body = body;
    request.headers.set("Host", "vo.test:8080");
    return service_->handle(request);
  }

  vo::UwsJob job(const std::string& query = "") {
    return vo::parse_uws_job(ask("GET", "/tap/async/j1" + query).body).value();
  }

  StillClock clock_;
  http::Response answer_{200, {}, "<VOTABLE/>"};
  std::string query_;
  std::unique_ptr<UwsService> service_;
};

TEST_F(UwsServiceTest, TakesAJobFromItsCreationToItsEnd) {
  script({});
  const http::Response made = ask("POST", "/tap/async", "LANG=ADQL&QUERY=SELECT%201");
  EXPECT_EQ(made.status, 303);
  EXPECT_EQ(made.headers.get("Location"), "http://vo.test:8080/tap/async/j1");
  EXPECT_EQ(job().phase, vo::UwsPhase::pending);
  EXPECT_TRUE(job().created.has_value());
  EXPECT_EQ(ask("POST", "/tap/async/j1/phase", "PHASE=RUN").status, 303);
  EXPECT_EQ(query_, "LANG=ADQL&QUERY=SELECT%201");
  EXPECT_EQ(job().phase, vo::UwsPhase::executing);
  EXPECT_EQ(ask("GET", "/tap/async/j1/results/result").status, 404);
  clock_.time += Millis(500);
  EXPECT_EQ(ask("GET", "/tap/async/j1/phase").body, "COMPLETED\r\n");
  const vo::UwsJob done = job();
  EXPECT_EQ(*done.ended - *done.started, Millis(500));
  EXPECT_EQ(done.results.at(0).href, "http://vo.test:8080/tap/async/j1/results/result");
  EXPECT_EQ(ask("GET", "/tap/async/j1/results/result").body, "<VOTABLE/>");
  EXPECT_EQ(ask("DELETE", "/tap/async/j1").headers.get("Location"), "http://vo.test:8080/tap/async");
  EXPECT_EQ(ask("GET", "/tap/async/j1").status, 404);
  EXPECT_EQ(service_->existing(), 0U);
  EXPECT_EQ(service_->jobs().at(0).runs, 1);
}

TEST_F(UwsServiceTest, BlocksForAWaitUntilThePhaseChanges) {
  script({.steps = {{"EXECUTING", Seconds(7)}, {"COMPLETED", Micros(0)}}});
  ask("POST", "/tap/async");
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  EXPECT_EQ(job("?WAIT=3&PHASE=EXECUTING").phase, vo::UwsPhase::executing);
  EXPECT_EQ(clock_.time, Seconds(3));
  EXPECT_EQ(job("?WAIT=30&PHASE=PENDING").phase, vo::UwsPhase::executing) << "it is another phase already";
  EXPECT_EQ(clock_.time, Seconds(3));
  job("?WAIT=10.0");
  EXPECT_EQ(clock_.time, Seconds(3)) << "WAIT is an integer";
  EXPECT_EQ(job("?WAIT=-1").phase, vo::UwsPhase::completed);
  EXPECT_EQ(clock_.time, Seconds(7));
}

TEST_F(UwsServiceTest, KnowsNoWaitAndNoCreationTimeAsOneOfVersionOneZero) {
  script({.steps = {{"EXECUTING", Seconds(7)}, {"COMPLETED", Micros(0)}}, .version = "1.0", .prefix = ""});
  ask("POST", "/tap/async");
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  const std::string document = ask("GET", "/tap/async/j1?WAIT=5").body;
  EXPECT_EQ(clock_.time, Micros(0));
  EXPECT_THAT(document, Not(HasSubstr("version=\"1.1\"")));
  EXPECT_THAT(document, Not(HasSubstr("creationTime")));
  EXPECT_THAT(document, HasSubstr("<phase>EXECUTING</phase>"));
  EXPECT_EQ(vo::parse_uws_job(document)->version, "1.0");
}

TEST_F(UwsServiceTest, EndsInErrorWithTheDocumentOfTheQuery) {
  script({});
  answer_ = {400, {}, "the query is wrong"};
  ask("POST", "/tap/async");
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  EXPECT_EQ(ask("GET", "/tap/async/j1/error").status, 404);
  clock_.time += Seconds(1);
  EXPECT_EQ(job().phase, vo::UwsPhase::error);
  EXPECT_EQ(job().error_message, "The query failed; see the error document.");
  EXPECT_EQ(ask("GET", "/tap/async/j1/error").body, "the query is wrong");
  EXPECT_EQ(ask("GET", "/tap/async/j1/error").status, 200);
}

TEST_F(UwsServiceTest, HoldsUntilRunComesAgain) {
  script({.steps = {{"HELD", Micros(0)}, {"EXECUTING", Seconds(1)}, {"COMPLETED", Micros(0)}}});
  ask("POST", "/tap/async");
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  clock_.time += Seconds(100);
  EXPECT_EQ(job().phase, vo::UwsPhase::held);
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  EXPECT_EQ(job().phase, vo::UwsPhase::executing);
  clock_.time += Seconds(1);
  EXPECT_EQ(job().phase, vo::UwsPhase::completed);
}

TEST_F(UwsServiceTest, MisbehavesAsItIsTold) {
  script({.relative = true, .create_status = 201, .delete_status = 403, .failing_polls = 1, .has_other_results = true});
  const http::Response made = ask("POST", "/tap/async");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.get("Location"), "/tap/async/j1");
  EXPECT_EQ(vo::parse_uws_job(made.body)->id, "j1");
  EXPECT_EQ(ask("GET", "/tap/async/j1").status, 503);
  EXPECT_EQ(ask("DELETE", "/tap/async/j1").status, 403);
  EXPECT_EQ(service_->existing(), 1U);
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  clock_.time += Seconds(1);
  EXPECT_EQ(job().results.size(), 3U);
  EXPECT_EQ(ask("POST", "/tap/async/j1", "ACTION=DELETE").status, 303);
  EXPECT_EQ(service_->existing(), 0U);

  script({.polls_until_gone = 2});
  ask("POST", "/tap/async");
  EXPECT_EQ(ask("GET", "/tap/async/j1").status, 200);
  EXPECT_EQ(ask("GET", "/tap/async/j1/phase").status, 200);
  EXPECT_EQ(ask("GET", "/tap/async/j1").status, 404);

  script({.jobs_max = 1});
  ask("POST", "/tap/async");
  EXPECT_EQ(ask("POST", "/tap/async").status, 503);
}

TEST_F(UwsServiceTest, DestroysAJobWhenItsTimeHasCome) {
  script({});
  ask("POST", "/tap/async");
  EXPECT_EQ(ask("POST", "/tap/async/j1/destruction", "DESTRUCTION=2027-01-15T08:00:10Z").status, 303);
  EXPECT_EQ(job().destruction, parse_iso8601("2027-01-15T08:00:10Z").value());
  EXPECT_EQ(service_->existing(), 1U);
  clock_.time += Seconds(10);
  EXPECT_EQ(ask("GET", "/tap/async/j1").status, 404);
  EXPECT_EQ(service_->existing(), 0U);
  EXPECT_EQ(ask("POST", "/tap/async/j1/phase", "PHASE=RUN").status, 404);
}

TEST_F(UwsServiceTest, AbortsAndRefusesWhatIsNoPhase) {
  script({});
  ask("POST", "/tap/async");
  ask("POST", "/tap/async/j1/phase", "PHASE=RUN");
  EXPECT_EQ(ask("POST", "/tap/async/j1/phase", "PHASE=FASTER").status, 400);
  ask("POST", "/tap/async/j1/phase", "PHASE=ABORT");
  EXPECT_EQ(job().phase, vo::UwsPhase::aborted);
  EXPECT_THAT(ask("GET", "/tap/async?LAST=1").body, HasSubstr("ABORTED"));
  EXPECT_EQ(ask("GET", "/elsewhere").status, 404);
}

}  // namespace
}  // namespace parallax::sim
