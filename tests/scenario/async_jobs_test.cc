// Asynchronous TAP queries against a scripted UWS service, in virtual time: what the measurement says, and that no job
// stays on the server, whatever the server does and wherever the probe is ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "probe/probe.h"
#include "sim/vo/sample_service.h"
#include "sim/vo/uws_service.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"

namespace parallax::sim {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

constexpr const char* kAdql =
    "SELECT ra, dec FROM stars WHERE 1=CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, {radius}))";
constexpr Micros kRoundTrip = Millis(20);

// TAP: /tap/sync and /tap/async over the bright stars.
class Tap final : public http::Service {
 public:
  Tap(Clock& clock, const UwsScript& script)
      : sync_(clock, {}, nullptr), jobs(clock, script, [this](const http::Request& request) {
          http::Request query = request;
          query.url = "/tap/sync";
          return sync_.handle(query);
        }) {}

  http::Response handle(const http::Request& request) override {
    asked.push_back(request.method + " " + request.url);
    return jobs.owns(request.url) ? jobs.handle(request) : sync_.handle(request);
  }

 private:
  SampleService sync_;

 public:
  UwsService jobs;
  std::vector<std::string> asked;
};

// One probe and one service in a world of their own.
struct Site {
  explicit Site(const UwsScript& script = {}, std::uint64_t seed = 1)
      : world({.seed = seed}),
        disks(world),
        network(world, {.round_trip_min = kRoundTrip, .round_trip_max = kRoundTrip}),
        server(world.start_process("tap", "vo.test")),
        tap(server.clock(), script) {
    network.serve("vo.test:80", tap, server);
    Service service;
    service.name = "Stars";
    service.provider = "P";
    service.type = ServiceType::tap;
    service.mode = TapMode::async;
    service.url = "http://vo.test/tap";
    service.adql = kAdql;
    order.services = {service};
    order.fleet = "F";
    order.vantage = "here";
    order.run_id = "01JCZZZZZZ0000000000000001";
    order.cone_list = {{101.3, -16.7, 5}};
    options.spool_directory = "/spool";
  }

  // Starts a probe; for run().
  Process& start() {
    Process& probe = world.start_process("probe", "vantage");
    probe.start("main", [this, &probe](const std::stop_token&) {
      const std::unique_ptr<Files> files = disks.files(probe);
      const std::unique_ptr<http::Client> client = network.client(probe);
      const ProbeDeps deps{probe.clock(), probe.rng(), probe.executor(), *files, *client};
      outcome = run_probe(
          order, options, deps, [this](const Measurement& m) { measured.push_back(m); }, stop.get_token());
    });
    return probe;
  }

  void run(const std::function<void()>& meanwhile = [] {}) {
    const Result<> ended = world.run([&] {
      start();
      meanwhile();
    });
    EXPECT_TRUE(ended) << ended.error().text();
  }

  VirtualWorld world;
  Disks disks;
  Network network;
  Process& server;
  Tap tap;
  Order order;
  ProbeOptions options;
  std::stop_source stop;
  ProbeOutcome outcome;
  std::vector<Measurement> measured;
};

Measurement measure(Site& site) {
  site.run();
  EXPECT_EQ(site.measured.size(), 1U);
  return site.measured.empty() ? Measurement() : site.measured.front();
}

TEST(AsyncQuery, TimesEachStepOfAJobAndDeletesIt) {
  Site site({.steps = {{"QUEUED", Seconds(1)}, {"EXECUTING", Seconds(3)}, {"COMPLETED", Micros(0)}}});
  const Measurement m = measure(site);
  EXPECT_EQ(m.verdict, Verdict::ok) << m.code << " " << m.message;
  EXPECT_EQ(m.rows, 1);
  EXPECT_EQ(m.mode, "async");
  EXPECT_EQ(m.url, "http://vo.test/tap/async");
  EXPECT_EQ(m.job_url, "http://vo.test/tap/async/j1");
  EXPECT_EQ(m.job_phase, "COMPLETED");
  EXPECT_EQ(*m.job_ended_at - *m.job_started_at, Seconds(3));
  EXPECT_THAT(*m.wait_us, AllOf(Ge(4'000'000), Le(4'300'000)));
  EXPECT_EQ(m.polls, 2) << "the server holds each answer until the phase changes";
  EXPECT_EQ(m.poll_gap_us, 0);
  for (const auto& step : {m.submit_us, m.run_us, m.fetch_us, m.delete_us}) {
    EXPECT_THAT(step.value_or(-1), AllOf(Ge(2 * kRoundTrip.count()), Le(3 * kRoundTrip.count())));
  }
  EXPECT_EQ(m.total_us, *m.submit_us + *m.run_us + *m.wait_us + *m.fetch_us);
  EXPECT_EQ(m.hops, 1);
  EXPECT_EQ(m.hop_records.at(0).url, "http://vo.test/tap/async/j1/results/result");
  EXPECT_EQ(*m.times.resolve_us + *m.times.connect_us + *m.times.tls_us + *m.times.send_us + *m.times.first_byte_us +
                *m.times.transfer_us,
            *m.fetch_us);
  EXPECT_TRUE(m.findings.empty()) << m.findings.front().code << m.findings.front().message;
  EXPECT_EQ(site.tap.jobs.existing(), 0U);
  const UwsService::Seen job = site.tap.jobs.jobs().at(0);
  EXPECT_EQ(job.runs, 1);
  EXPECT_EQ(job.fields.at("LANG"), "ADQL");
  EXPECT_THAT(*job.destruction - *m.started_at, AllOf(Ge(Seconds(4199)), Le(Seconds(4201))));
  EXPECT_EQ(site.outcome.exit_code, ExitCode::done);
  EXPECT_EQ(site.disks.content("vantage", "/spool/jobs"), "") << "nothing is left to look for";
}

TEST(AsyncQuery, PollsWithGrowingGapsWhereWaitDoesNotWork) {
  for (const bool one_one : {true, false}) {
    UwsScript script{.steps = {{"EXECUTING", Seconds(20)}, {"COMPLETED", Micros(0)}}};
    script.version = one_one ? "1.1" : "1.0";
    script.waits = false;
    script.prefix = one_one ? "uws" : "";
    Site site(script);
    const Measurement m = measure(site);
    EXPECT_EQ(m.verdict, Verdict::ok) << m.code << " " << m.message;
    EXPECT_EQ(m.job_created_at.has_value(), one_one);
    EXPECT_THAT(*m.polls, AllOf(Ge(7), Le(10)));
    EXPECT_THAT(*m.poll_gap_us, AllOf(Ge(4'000'000), Le(5'000'000)));
    EXPECT_THAT(*m.wait_us, AllOf(Ge(20'000'000), Le(25'500'000)));
  }
}

TEST(AsyncQuery, TakesWhatServersDoInsteadOfTheStandard) {
  const std::vector<std::pair<std::string, UwsScript>> scripts = {
      {"relative addresses", {.relative = true}},
      {"no namespace", {.prefix = "", .names_space = false}},
      {"201 with the job", {.create_status = 201}},
      {"200 with the job and no Location", {.create_status = 200, .location = false}},
      {"302 to the job", {.create_status = 302}},
      {"DELETE refused, ACTION taken", {.delete_status = 405}},
      {"DELETE with 200", {.delete_status = 200}},
      {"DELETE with 204", {.delete_status = 204}},
      {"no destruction", {.sets_destruction = false}},
      {"two polls fail", {.failing_polls = 2}},
      {"other results", {.result_id = "main", .has_other_results = true}},
      {"PENDING after RUN", {.steps = {{"PENDING", Seconds(3)}, {"EXECUTING", Seconds(1)}, {"COMPLETED", Micros(0)}}}},
      {"unknown words", {.steps = {{"THINKING", Seconds(3)}, {"SUSPENDED", Seconds(1)}, {"COMPLETED", Micros(0)}}}},
      {"HELD", {.steps = {{"HELD", Micros(0)}, {"EXECUTING", Seconds(1)}, {"COMPLETED", Micros(0)}}}},
      {"WAIT is cut short", {.steps = {{"EXECUTING", Seconds(9)}, {"COMPLETED", Micros(0)}}, .wait_max = Seconds(2)}},
      {"the result is slow", {.result_delay = Seconds(20)}}};
  for (const auto& [name, script] : scripts) {
    Site site(script);
    const Measurement m = measure(site);
    EXPECT_EQ(m.verdict, Verdict::ok) << name << ": " << m.code << " " << m.message;
    EXPECT_EQ(m.rows, 1) << name;
    EXPECT_EQ(site.tap.jobs.existing(), 0U) << name;
  }
}

struct Failing {
  std::string name;
  UwsScript script;
  Verdict verdict;
  std::string code;
  std::string message;  // a part of it
};

TEST(AsyncQuery, SaysWhatBecameOfAJobThatGaveNothingAndDeletesItToo) {
  const Micros forever = Seconds(86'400);
  const std::vector<Failing> cases = {
      {"creation refused", {.create_status = 403}, Verdict::http_error, "http-403", "No jobs today"},
      {"creation without a job", {.create_status = 303, .location = false}, Verdict::not_votable, "text", ""},
      {"too many jobs", {.jobs_max = 0}, Verdict::throttled, "http-503", ""},
      {"aborted", {.steps = {{"ABORTED", Micros(0)}}}, Verdict::service_error, "job-aborted", ""},
      {"archived", {.steps = {{"ARCHIVED", Micros(0)}}}, Verdict::service_error, "job-archived", ""},
      {"vanished",
       {.steps = {{"EXECUTING", forever}}, .waits = false, .polls_until_gone = 2},
       Verdict::http_error,
       "http-404",
       "There is no job"},
      {"polls fail", {.failing_polls = 99}, Verdict::http_error, "http-503", "Come again"},
      {"never ends", {.steps = {{"EXECUTING", forever}}}, Verdict::timeout, "job", "EXECUTING"},
      {"never begins", {.steps = {{"QUEUED", forever}}, .waits = false}, Verdict::timeout, "job", "QUEUED"},
      {"result elsewhere", {.result_href = "http://vo.test/nothing"}, Verdict::http_error, "http-404", ""}};
  for (const Failing& failing : cases) {
    Site site(failing.script);
    const Measurement m = measure(site);
    EXPECT_EQ(m.verdict, failing.verdict) << failing.name << ": " << m.code << " " << m.message;
    EXPECT_EQ(m.code, failing.code) << failing.name;
    EXPECT_THAT(m.message, HasSubstr(failing.message)) << failing.name;
    EXPECT_FALSE(m.rows.has_value()) << failing.name;
    EXPECT_EQ(site.tap.jobs.existing(), failing.name == "creation without a job" ? 1U : 0U) << failing.name;
    EXPECT_EQ(site.outcome.jobs_after.kept, 0) << failing.name;
    if (failing.verdict == Verdict::timeout) {
      EXPECT_EQ(m.limit_us, 600'000'000) << failing.name;
      EXPECT_THAT(*m.polls, Le(200)) << failing.name;
    }
  }
}

TEST(AsyncQuery, TellsTheErrorOfTheQueryInTheServicesOwnWords) {
  Site site;
  site.order.services[0].adql = "SELECT nothing FROM stars WHERE {ra} {dec} {radius}";
  const Measurement m = measure(site);
  EXPECT_EQ(m.verdict, Verdict::service_error);
  EXPECT_EQ(m.code, "job-error");
  EXPECT_THAT(m.message, HasSubstr("column"));
  EXPECT_EQ(m.job_phase, "ERROR");
  EXPECT_FALSE(m.fetch_us.has_value());
  EXPECT_EQ(site.tap.jobs.existing(), 0U);
}

TEST(AsyncQuery, NeverGoesToAnotherHostToStartOrDelete) {
  Site site({.scheme = "http://elsewhere.test/x?y="});  // its Location is http://elsewhere.test/x?y=://vo.test/...
  const Measurement m = measure(site);
  EXPECT_EQ(m.verdict, Verdict::refused) << m.message;
  EXPECT_EQ(m.code, "job-elsewhere");
  EXPECT_THAT(m.message, HasSubstr("elsewhere.test"));
}

TEST(AsyncQuery, IsNotTheServicesFaultWhenTheOrdersDeadlineComes) {
  Site site({.steps = {{"EXECUTING", Seconds(3600)}}});
  site.order.deadline = site.world.utc() + Seconds(30);
  const Measurement m = measure(site);
  EXPECT_EQ(m.verdict, Verdict::refused);
  EXPECT_EQ(m.code, "interrupted");
  EXPECT_EQ(site.tap.jobs.existing(), 0U);
}

TEST(AsyncQuery, IsASeriesOfItsOwnBesideTheSynchronousOne) {
  Site site;
  site.order.services[0].mode = TapMode::both;
  site.order.cone_list.push_back({201.3, -11.2, 5});
  site.run();
  ASSERT_EQ(site.measured.size(), 4U);
  std::map<std::string, int> modes;
  std::set<std::string> definitions;
  for (const Measurement& m : site.measured) {
    EXPECT_EQ(m.verdict, Verdict::ok) << m.message;
    ++modes[m.mode];
    definitions.insert(m.definition);
    EXPECT_EQ(m.url, "http://vo.test/tap/" + m.mode);
  }
  EXPECT_EQ(modes, (std::map<std::string, int>{{"sync", 2}, {"async", 2}}));
  EXPECT_EQ(definitions.size(), 2U);
}

TEST(AsyncQuery, HasNoMoreJobsAtATimeThanTheProviderAllows) {
  for (const int allowed : {1, 3}) {
    Site site({.steps = {{"EXECUTING", Seconds(30)}, {"COMPLETED", Micros(0)}}});
    Provider provider{.name = "P"};
    provider.parallel = 10;
    provider.queries_per_second = 10;
    provider.async_jobs = allowed;
    site.order.providers = {provider};
    for (int i = 0; i < 5; ++i) {
      site.order.cone_list.push_back({10.0 * i, 0, 1});
    }
    std::size_t most = 0;
    site.world.set_check([&] { most = std::max(most, site.tap.jobs.existing()); });
    site.run();
    EXPECT_EQ(site.measured.size(), 6U);
    EXPECT_EQ(most, static_cast<std::size_t>(allowed));
  }
}

TEST(AsyncQuery, KeepsAJobInMindThatCouldNotBeDeleted) {
  Site site({.delete_status = 403, .deletes_by_action = false});
  const Measurement m = measure(site);
  EXPECT_EQ(m.verdict, Verdict::ok);
  ASSERT_EQ(m.findings.size(), 1U);
  EXPECT_EQ(m.findings[0].code, "job-not-deleted");
  EXPECT_EQ(m.findings[0].message, "HTTP 403 to DELETE, HTTP 405 to ACTION=DELETE");
  EXPECT_EQ(site.outcome.jobs_after.kept, 1);
  EXPECT_THAT(site.outcome.jobs_after.problem, HasSubstr("http://vo.test/tap/async/j1: HTTP 403"));
  EXPECT_THAT(site.disks.content("vantage", "/spool/jobs"), HasSubstr("http://vo.test/tap/async/j1"));
}

// Goal: at no moment does a signal leave a job on the server. Method: one run per request of a query, the signal comes
// when the server has seen that request.
TEST(AsyncQuery, DeletesItsJobWhereverASignalComes) {
  for (std::size_t request = 1; request <= 6; ++request) {
    Site site({.steps = {{"EXECUTING", Seconds(3)}, {"COMPLETED", Micros(0)}}});
    site.world.set_check([&] {
      if (site.tap.asked.size() >= request) {
        site.stop.request_stop();
      }
    });
    const Measurement m = measure(site);
    EXPECT_EQ(site.tap.asked.size() >= request, true);
    const bool answered = m.verdict == Verdict::ok;
    EXPECT_TRUE(answered || m.code == "interrupted") << request << ": " << m.code << " " << m.message;
    // Whose creation was cut off nobody knows the address: the next start says so, and the server's own time deletes
    // it.
    const bool unknown = request == 1;
    EXPECT_EQ(site.tap.jobs.existing(), unknown ? 1U : 0U) << request;
    EXPECT_EQ(site.outcome.exit_code, ExitCode::interrupted);
  }
}

// Goal: what a killed probe left is deleted by the next start. Method: a kill at every step of a run, a power cut at
// every other one, and the same order again.
TEST(AsyncQuery, LeavesNothingBehindWhereverItIsKilledOnceItIsStartedAgain) {
  constexpr std::uint64_t kPointsMax = 1000;  // more than a run has
  int left = 0;
  int unknown = 0;
  for (std::uint64_t point = 1; point <= kPointsMax; ++point) {
    Site site({}, point);
    bool died = false;
    const Result<> ended = site.world.run([&] {
      Process& probe = site.start();
      probe.kill_at(point, point % 2 == 0 ? KillKind::power_cut : KillKind::signal);
      site.world.clock().sleep_for(Seconds(60), {});
      died = !probe.alive();
      left += site.tap.jobs.existing() > 0 ? 1 : 0;
      if (died) {
        site.order.run_id = "01JCZZZZZZ0000000000000002";
        site.start();
      }
    });
    ASSERT_TRUE(ended) << "point " << point << ": " << ended.error().text();
    if (!died) {
      break;
    }
    unknown += static_cast<int>(site.outcome.jobs_before.unknown);
    const std::size_t existing = site.tap.jobs.existing();
    EXPECT_LE(existing, static_cast<std::size_t>(site.outcome.jobs_before.unknown)) << "point " << point;
    EXPECT_EQ(site.outcome.exit_code, ExitCode::done) << "point " << point;
  }
  EXPECT_GT(left, 5) << "the kills did leave jobs";
  EXPECT_GT(unknown, 0) << "and some between the request for a job and its address";
}

}  // namespace
}  // namespace parallax::sim
