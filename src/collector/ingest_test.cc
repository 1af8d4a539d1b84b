#include "collector/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/gzip.h"
#include "collector/collector_test_support.h"

namespace parallax::collector {
namespace {

using test::at;
using test::Bench;
using test::error_code;
using test::measurement;
using test::ndjson;
using test::outcomes;
using test::reason;
using test::run_id;
using ::testing::HasSubstr;

http::Response post_gzip(Bench& bench, std::string body) {
  http::Request request;
  request.method = "POST";
  request.url = "/api/v1/measurements";
  request.headers.set("Authorization", "Bearer " + bench.token(Role::vantage));
  request.headers.set("Content-Encoding", "gzip");
  request.body = std::move(body);
  return bench.send(request);
}

TEST(Ingest, TellsStoredDuplicateConflictAndRefusedLineByLine) {
  Bench bench;
  Measurement changed = measurement(1, 0);
  changed.total_us += 1;
  const std::string body = ndjson({measurement(1, 0)}) + "\n" + ndjson({measurement(1, 0), changed}) + "no json\n" +
                           ndjson({measurement(1, 1)});
  const http::Response response = bench.post_measurements(bench.token(Role::vantage), body);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(outcomes(response), "stored, duplicate, conflict, refused, stored");
  const Json json = parse_json(response.body).value();
  EXPECT_EQ(json.integer("stored", 0), 2);
  EXPECT_EQ(json.integer("duplicate", 0), 1);
  EXPECT_EQ(json.integer("conflict", 0), 1);
  EXPECT_EQ(json.integer("refused", 0), 1);
  EXPECT_EQ(json.list("records").at(1).integer("line", 0), 3) << "the empty second line counts";
  EXPECT_EQ(json.list("records").at(0).text("id"), measurement(1, 0).id);
  EXPECT_TRUE(json.list("records").at(3).find("id")->is_null());
  EXPECT_THAT(reason(response, 3), HasSubstr("reading the line as JSON"));
  EXPECT_EQ(bench.counter("ingest.refused"), 1);
}

TEST(Ingest, TakesARecordAgainWhoseMembersAreInAnotherOrder) {
  Bench bench;
  const Json json = to_json(measurement(1, 0));
  EXPECT_EQ(outcomes(bench.post_measurements(bench.token(Role::vantage), json.dump())), "stored");
  EXPECT_EQ(outcomes(bench.post_measurements(bench.token(Role::vantage), json.canonical())), "duplicate");
}

TEST(Ingest, KeepsMembersThatItDoesNotKnow) {
  Bench bench;
  Measurement m = measurement(1, 0);
  m.extra.set("from_the_future", 42);
  bench.post_measurements(bench.token(Role::vantage), ndjson({m}));
  const Json page = bench.get_json("/api/v1/measurements");
  EXPECT_EQ(page.list("measurements").at(0).integer("from_the_future", 0), 42);
}

TEST(Ingest, ReadsGzip) {
  Bench bench;
  EXPECT_EQ(outcomes(post_gzip(bench, gzip_compress(ndjson({measurement(1, 0)})))), "stored");
}

TEST(Ingest, RefusesADamagedGzipBodyWhole) {
  Bench bench;
  std::string body = gzip_compress(ndjson({measurement(1, 0)}));
  EXPECT_EQ(post_gzip(bench, body.substr(0, body.size() - 9)).status, 400);
  EXPECT_EQ(post_gzip(bench, "\x1f\x8b nonsense").status, 400);
  EXPECT_TRUE(bench.get_json("/api/v1/measurements").list("measurements").empty());
}

TEST(Ingest, RefusesAGzipBomb) {
  Bench bench;
  const http::Response response = post_gzip(bench, gzip_compress(std::string(60U << 20U, ' '), 9));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(error_code(response), "inflate-ratio");
}

TEST(Ingest, RefusesMoreThanTheInflatedLimit) {
  Bench bench(
      {.reading_open = true, .allowed_hosts = {}, .build = "", .body = {.inflated_bytes_max = 1000}, .rate = {}});
  EXPECT_EQ(post_gzip(bench, gzip_compress(std::string(1000, '\n'))).status, 200);
  EXPECT_EQ(post_gzip(bench, gzip_compress(std::string(1001, '\n'))).status, 413);
}

TEST(Ingest, RefusesAnEncodingThatItDoesNotRead) {
  Bench bench;
  http::Request request;
  request.method = "POST";
  request.url = "/api/v1/measurements";
  request.headers.set("Authorization", "Bearer " + bench.token(Role::vantage));
  request.headers.set("Content-Encoding", "br");
  EXPECT_EQ(bench.send(request).status, 415);
}

TEST(Ingest, TakesSoManyRecordsAndNotOneMore) {
  Bench bench;
  std::string body;
  for (int i = 0; i < 5000; ++i) {
    body += "x\n";
  }
  EXPECT_EQ(bench.post_measurements(bench.token(Role::vantage), body).status, 200);
  EXPECT_EQ(bench.post_measurements(bench.token(Role::vantage), body + "x").status, 413);
}

TEST(Ingest, SurvivesAMillionLines) {
  Bench bench;
  std::string body;
  for (int i = 0; i < 1'000'000; ++i) {
    body += "1\n";
  }
  EXPECT_EQ(bench.post_measurements(bench.token(Role::vantage), body).status, 413);
}

TEST(Ingest, RefusesALineByItselfThatIsTooLongOrTooDeep) {
  Bench bench;
  const std::string body = std::string((1U << 20U) + 1, ' ').replace(0, 1, "1").append("1\n") +
                           std::string(100'000, '[') + "\n" + ndjson({measurement(1, 0)});
  const http::Response response = bench.post_measurements(bench.token(Role::vantage), body);
  EXPECT_EQ(outcomes(response), "refused, refused, stored");
  EXPECT_THAT(reason(response), HasSubstr("longer than 1048576 bytes"));
}

TEST(Ingest, SaysWhyInWordsThatATerminalCanShow) {
  Bench bench;
  Json json = to_json(measurement(1, 0));
  json.set("verdict", "\x1b[2Jgone");
  const http::Response response = bench.post_measurements(bench.token(Role::vantage), json.dump());
  EXPECT_EQ(outcomes(response), "refused");
  EXPECT_EQ(reason(response).find('\x1b'), std::string::npos);
  EXPECT_THAT(reason(response), HasSubstr("'verdict'"));
}

TEST(Ingest, RefusesNamesThatNoTableCouldShow) {
  Bench bench;
  Measurement m = measurement(1, 0);
  m.service = std::string(257, 's');
  const http::Response response = bench.post_measurements(bench.token(Role::vantage), ndjson({m}));
  EXPECT_EQ(reason(response), "'service' is longer than 256 bytes");
}

// What a vantage's token may add.
struct Scope {
  Bench bench;

  http::Response send(const Measurement& m, const std::string& token_run) {
    TokenPayload claims = bench.claims(Role::vantage);
    claims.run_id = token_run;
    return bench.post_measurements(bench.token(claims), ndjson({m}));
  }
};

TEST(VantageToken, AddsToItsOwnRun) {
  Scope scope;
  EXPECT_EQ(outcomes(scope.send(measurement(5, 0), run_id(5))), "stored");
}

TEST(VantageToken, AddsToAnEarlierRunThatWasIssuedToTheVantage) {
  Scope scope;
  EXPECT_EQ(reason(scope.send(measurement(4, 0), run_id(5))),
            "run " + run_id(4) + " is not the token's, nor known here as issued to this vantage");
  ASSERT_TRUE(scope.bench.store->upsert_run(test::run(4), at(0)));
  EXPECT_EQ(outcomes(scope.send(measurement(4, 0), run_id(5))), "stored");
}

TEST(VantageToken, AddsToAnEarlierRunWhoseExpiredTokenItShows) {
  Scope scope;
  TokenPayload old = scope.bench.claims(Role::vantage);
  old.run_id = run_id(4);
  old.not_before = old.not_before - std::chrono::hours(48);
  old.expiry = old.not_before + std::chrono::hours(1);
  TokenPayload claims = scope.bench.claims(Role::vantage);
  claims.run_id = run_id(5);
  http::Request request = scope.bench.measurements_request(scope.bench.token(claims), ndjson({measurement(4, 0)}));
  request.headers.set(std::string(kEarlierTokensHeader), "rubbish " + scope.bench.token(old));
  EXPECT_EQ(outcomes(scope.bench.send(request)), "stored");
  old.vantage = "eu-west-3";
  request = scope.bench.measurements_request(scope.bench.token(claims), ndjson({measurement(3, 0)}));
  request.headers.set(std::string(kEarlierTokensHeader), scope.bench.token(old));
  EXPECT_EQ(outcomes(scope.bench.send(request)), "refused");
}

TEST(VantageToken, AddsNothingOfAnotherVantageOrFleet) {
  Scope scope;
  Measurement m = measurement(5, 0);
  m.vantage = "eu-west-3";
  EXPECT_EQ(reason(scope.send(m, run_id(5))), "vantage 'eu-west-3' is not the token's");
  m = measurement(5, 0);
  m.fleet = "other";
  EXPECT_EQ(reason(scope.send(m, run_id(5))), "fleet 'other' is not the token's");
}

TEST(VantageToken, AddsNothingToARunOfAnotherVantage) {
  Scope scope;
  parallax::Run other = test::run(4);
  other.vantage = "eu-west-3";
  ASSERT_TRUE(scope.bench.store->upsert_run(other, at(0)));
  EXPECT_EQ(reason(scope.send(measurement(4, 0), "")), "run " + run_id(4) + " belongs to another vantage");
}

TEST(VantageToken, WithoutARunAddsToAnyOfItsOwn) {
  Scope scope;
  EXPECT_EQ(outcomes(scope.send(measurement(4, 0), "")), "stored");
}

TEST(VantageToken, AddsNothingThatIsThirtyDaysOld) {
  Scope scope;
  ASSERT_TRUE(scope.bench.store->upsert_run(test::run(0), at(0)));
  scope.bench.clock.passed = kSpoolAgeMax - Seconds(1001);
  EXPECT_EQ(outcomes(scope.send(measurement(0, 0), run_id(5))), "stored");
  scope.bench.clock.passed = kSpoolAgeMax - Seconds(1000);
  EXPECT_THAT(reason(scope.send(measurement(0, 1), run_id(5))), HasSubstr("more than 30 days ago"));
}

TEST(Ingest, RefusesARunOfTheFutureBeyondTheTolerance) {
  Bench bench;  // the clock shows at(1000)
  const std::string token = bench.token(Role::controller);
  EXPECT_EQ(outcomes(bench.post_measurements(token, ndjson({measurement(1600, 0)}))), "stored");
  EXPECT_THAT(reason(bench.post_measurements(token, ndjson({measurement(1601, 0)}))), HasSubstr("in the future"));
}

TEST(Ingest, LetsAControllerAddToItsFleetAlone) {
  Bench bench;
  Measurement m = measurement(1, 0);
  m.vantage = "eu-west-3";
  EXPECT_EQ(outcomes(bench.post_measurements(bench.token(Role::controller), ndjson({m}))), "stored");
  m.fleet = "other";
  EXPECT_EQ(outcomes(bench.post_measurements(bench.token(Role::controller), ndjson({m}))), "refused");
}

TEST(Ingest, StoresNothingAndSaysSoWhereTheDatabaseCannotBeWritten) {
  Bench bench;

  class Full final : public store::Store {
   public:
    explicit Full(store::Store& inner) : inner_(inner) {}

    Result<std::vector<store::Outcome>> ingest(const std::vector<store::NewMeasurement>& /*batch*/,
                                               Instant /*at*/) override {
      return full();
    }

    Result<> upsert_run(const parallax::Run& /*run*/, Instant /*at*/) override { return full(); }

    Result<std::optional<parallax::Run>> find_run(std::string_view id) override { return inner_.find_run(id); }

    Result<std::optional<store::RunOwner>> find_owner(std::string_view id) override { return inner_.find_owner(id); }

    Result<std::vector<parallax::Run>> list_runs(const store::RunFilter& f) override { return inner_.list_runs(f); }

    Result<store::MeasurementPage> query_measurements(const store::MeasurementFilter& f) override {
      return inner_.query_measurements(f);
    }

    Result<store::Summary> summary(const store::SummaryFilter& f) override { return inner_.summary(f); }

    Result<store::Latest> latest(std::string_view fleet) override { return inner_.latest(fleet); }

    Result<std::vector<std::string>> conflicts(std::size_t limit) override { return inner_.conflicts(limit); }

    Result<> add_key(const KeyRecord& /*key*/, Instant /*at*/) override { return full(); }

    Result<> retire_key(std::string_view /*id*/, Instant /*at*/) override { return full(); }

    Result<std::vector<KeyRecord>> list_keys() override { return inner_.list_keys(); }

    Result<std::optional<KeyRecord>> find_key(std::string_view id) override { return inner_.find_key(id); }

    Result<> add_counts(const std::map<std::string, std::int64_t>& /*counts*/) override { return full(); }

    Result<std::map<std::string, std::int64_t>> counters() override { return inner_.counters(); }

    Result<> check_health() override { return full(); }

   private:
    static Error full() { return make_error(ErrorKind::unavailable, "database: disk is full"); }

    store::Store& inner_;
  };

  Full full(*bench.store);
  Collector collector(full, bench.clock,
                      {.reading_open = true, .allowed_hosts = {}, .build = "", .body = {}, .rate = {}});
  http::Request request;
  request.method = "POST";
  request.url = "/api/v1/measurements";
  request.headers.set("Authorization", "Bearer " + bench.token(Role::vantage));
  request.body = ndjson({measurement(1, 0)});
  const http::Response response = collector.handle(request);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.get("Retry-After"), "5");
  request = {};
  request.url = "/healthz";
  EXPECT_EQ(collector.handle(request).status, 503);
}

TEST(IngestRuns, TakesOneObjectOrALineEach) {
  Bench bench;
  const std::string token = bench.token(Role::controller);
  EXPECT_EQ(bench.post("/api/v1/runs", token, to_json(test::run(1)).pretty()).status, 200);
  const std::string two = to_json(test::run(2)).dump() + "\n" + to_json(test::run(3)).dump() + "\n";
  EXPECT_EQ(outcomes(bench.post("/api/v1/runs", token, two)), "stored, stored");
  EXPECT_EQ(bench.get_json("/api/v1/runs").list("runs").size(), 3U);
}

TEST(IngestRuns, SaysWhichOnesItRefused) {
  Bench bench;
  parallax::Run foreign = test::run(2);
  foreign.fleet = "other";
  parallax::Run future = test::run(9999);
  const std::string body =
      to_json(test::run(1)).dump() + "\n" + to_json(foreign).dump() + "\n" + to_json(future).dump();
  const http::Response response = bench.post("/api/v1/runs", bench.token(Role::controller), body);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(outcomes(response), "stored, refused, refused");
  EXPECT_EQ(reason(response, 1), "fleet 'other' is not the token's");
  parallax::Run stolen = test::run(1);
  stolen.vantage = "eu-west-3";
  EXPECT_EQ(bench.post("/api/v1/runs", bench.token(Role::controller), to_json(stolen).dump()).status, 422);
}

TEST(IngestRuns, TakesNoneFromAVantage) {
  Bench bench;
  EXPECT_EQ(bench.post("/api/v1/runs", bench.token(Role::vantage), to_json(test::run(1)).dump()).status, 403);
}

}  // namespace
}  // namespace parallax::collector
