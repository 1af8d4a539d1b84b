// What every Store must do, run against each implementation.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store.h"
#include "store/store_test_support.h"

namespace parallax::store {
namespace {

using test::accepted;
using test::at;
using test::measurement;
using test::run_id;
using ::testing::ElementsAre;

class StoreContract : public ::testing::TestWithParam<std::string> {
 protected:
  StoreContract() {
    const std::string url = GetParam() == "memory" ? "sqlite::memory:" : "sqlite:" + scratch_.file("parallax.db");
    store_ = std::move(open_store(url)).value();
  }

  std::vector<Outcome> ingest(const std::vector<Measurement>& batch) {
    std::vector<NewMeasurement> records;
    for (const Measurement& m : batch) {
      records.push_back(accepted(m));
    }
    return store_->ingest(records, at(100)).value();
  }

  std::int64_t counter(const std::string& name) { return store_->counters().value()[name]; }

  std::vector<std::string> ids(const MeasurementFilter& filter) {
    std::vector<std::string> found;
    const MeasurementPage page = store_->query_measurements(filter).value();
    for (const std::string& json : page.json) {
      found.push_back(parse_json(json).value().text("id"));
    }
    return found;
  }

  test::ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, ::testing::Values("file", "memory"),
                         [](const auto& tested) { return tested.param; });

TEST_P(StoreContract, StoresEachMeasurementOnce) {
  const std::vector<Measurement> batch = {measurement(1, 0), measurement(1, 1)};
  EXPECT_THAT(ingest(batch), ElementsAre(Outcome::stored, Outcome::stored));
  EXPECT_THAT(ingest(batch), ElementsAre(Outcome::duplicate, Outcome::duplicate));
  EXPECT_EQ(ids({}).size(), 2U);
  EXPECT_EQ(counter("ingest.stored"), 2);
  EXPECT_EQ(counter("ingest.duplicate"), 2);
}

TEST_P(StoreContract, TellsADuplicateWithinOneBatch) {
  EXPECT_THAT(ingest({measurement(1, 0), measurement(1, 0)}), ElementsAre(Outcome::stored, Outcome::duplicate));
}

TEST_P(StoreContract, KeepsAConflictApartAndCountsEachContentOnce) {
  Measurement other = measurement(1, 0);
  other.total_us += 1;
  EXPECT_THAT(ingest({measurement(1, 0)}), ElementsAre(Outcome::stored));
  EXPECT_THAT(ingest({other}), ElementsAre(Outcome::conflict));
  EXPECT_THAT(ingest({other}), ElementsAre(Outcome::conflict));
  EXPECT_EQ(counter("ingest.conflict"), 1);
  EXPECT_THAT(store_->conflicts(10).value(), ElementsAre(accepted(other).json));
  EXPECT_THAT(store_->query_measurements({}).value().json, ElementsAre(accepted(measurement(1, 0)).json));
}

TEST_P(StoreContract, GivesRecordsBackAsTheyCame) {
  Measurement m = measurement(1, 0);
  m.extra.set("from_the_future", Json::object({{"a", 1}}));
  m.message = std::string("NUL \0 and <script>", 18);
  ingest({m});
  EXPECT_THAT(store_->query_measurements({}).value().json, ElementsAre(accepted(m).json));
}

TEST_P(StoreContract, PagesThroughEverythingOnceWhileMoreArrives) {
  for (int i = 0; i < 5; ++i) {
    ingest({measurement(1, i)});
  }
  MeasurementFilter filter;
  filter.limit = 2;
  MeasurementPage page = store_->query_measurements(filter).value();
  EXPECT_EQ(page.json.size(), 2U);
  ingest({measurement(2, 0)});
  std::size_t seen = page.json.size();
  while (page.next) {
    filter.before = page.next;
    page = store_->query_measurements(filter).value();
    seen += page.json.size();
  }
  EXPECT_EQ(seen, 5U);
}

TEST_P(StoreContract, FiltersMeasurements) {
  Measurement failed = measurement(1, 1);
  failed.verdict = Verdict::timeout;
  Measurement elsewhere = measurement(2, 7);
  elsewhere.vantage = "eu-west-3";
  elsewhere.service = "MAST";
  elsewhere.provider = "STScI";
  elsewhere.round_id = run_id(9);
  ingest({measurement(1, 0), failed, elsewhere});
  const auto with = [](auto member, const auto& value) {
    MeasurementFilter filter;
    filter.*member = value;
    return filter;
  };
  const std::vector<std::string> only_elsewhere = {elsewhere.id};
  EXPECT_EQ(ids(with(&MeasurementFilter::run_id, run_id(2))), only_elsewhere);
  EXPECT_EQ(ids(with(&MeasurementFilter::round_id, run_id(9))), only_elsewhere);
  EXPECT_EQ(ids(with(&MeasurementFilter::vantage, "eu-west-3")), only_elsewhere);
  EXPECT_EQ(ids(with(&MeasurementFilter::service, "MAST")), only_elsewhere);
  EXPECT_EQ(ids(with(&MeasurementFilter::provider, "STScI")), only_elsewhere);
  EXPECT_EQ(ids(with(&MeasurementFilter::since, at(7))), only_elsewhere);
  EXPECT_EQ(ids(with(&MeasurementFilter::until, at(1))), std::vector<std::string>{measurement(1, 0).id});
  EXPECT_EQ(ids(with(&MeasurementFilter::verdict, Verdict::timeout)), std::vector<std::string>{failed.id});
  EXPECT_EQ(ids(with(&MeasurementFilter::failures_only, true)), std::vector<std::string>{failed.id});
  EXPECT_TRUE(ids(with(&MeasurementFilter::fleet, "other")).empty());
}

TEST_P(StoreContract, SumsUpSuccessesExactlyByServiceAndVantage) {
  std::vector<Measurement> batch;
  for (int i = 0; i < 4; ++i) {
    batch.push_back(measurement(1, i));  // 1000, 2000, 3000, 4000 us
  }
  Measurement late = measurement(1, 4);
  late.verdict = Verdict::timeout;
  late.total_us = 60'000'000;
  late.path = "relay";
  Measurement elsewhere = measurement(2, 0);
  elsewhere.vantage = "eu-west-3";
  batch.push_back(late);
  batch.push_back(elsewhere);
  ingest(batch);
  const Summary summary = store_->summary({}).value();
  EXPECT_EQ(summary.measurements, 6);
  EXPECT_FALSE(summary.partial);
  ASSERT_EQ(summary.rows.size(), 2U);
  EXPECT_EQ(summary.rows[0].vantage, "eu-west-3");
  const SummaryRow& row = summary.rows[1];
  EXPECT_EQ(row.vantage, "us-west-2");
  EXPECT_EQ(row.count, 5);
  EXPECT_EQ(row.successes, 4);
  EXPECT_EQ(row.verdicts[static_cast<std::size_t>(Verdict::timeout)], 1);
  EXPECT_EQ(row.median_total_us, 2500);
  EXPECT_EQ(row.median_first_byte_us, 250);
  EXPECT_EQ(row.p95_total_us, 4000);
  EXPECT_EQ(row.median_rows, 11);
  EXPECT_EQ(row.last_started_at, at(4));
  EXPECT_EQ(row.path, "mixed");
}

TEST_P(StoreContract, KeepsAServiceApartFromItsFormerDefinition) {
  Measurement changed = measurement(1, 1);
  changed.definition = "fedcba9876543210";
  ingest({measurement(1, 0), changed});
  EXPECT_EQ(store_->summary({}).value().rows.size(), 2U);
}

TEST_P(StoreContract, HasNoMedianWhereNothingSucceeded) {
  Measurement m = measurement(1, 0);
  m.verdict = Verdict::network;
  ingest({m});
  const SummaryRow row = store_->summary({}).value().rows.at(0);
  EXPECT_EQ(row.count, 1);
  EXPECT_EQ(row.median_total_us, std::nullopt);
}

TEST_P(StoreContract, SumsUpTheLatestWhereThereAreTooMany) {
  ingest({measurement(1, 0), measurement(1, 1), measurement(1, 2)});
  SummaryFilter filter;
  filter.measurements_max = 2;
  const Summary summary = store_->summary(filter).value();
  EXPECT_TRUE(summary.partial);
  EXPECT_EQ(summary.measurements, 2);
  EXPECT_EQ(summary.rows.at(0).median_total_us, 2500);
}

TEST_P(StoreContract, KnowsTheLatestRound) {
  EXPECT_EQ(store_->latest("").value().started_at, std::nullopt);
  Measurement newer = measurement(2, 5);
  newer.round_id = run_id(7);
  ingest({newer, measurement(1, 0)});
  EXPECT_EQ(store_->latest("").value().round_id, run_id(7));
  EXPECT_EQ(store_->latest("nobody").value().round_id, "");
}

TEST_P(StoreContract, MergesReportsAboutARun) {
  parallax::Run ended = test::run(1, RunState::done);
  ended.billed_seconds = 61;
  ended.extra.set("zone", "us-west-2a");
  ASSERT_TRUE(store_->upsert_run(ended, at(1)));
  ASSERT_TRUE(store_->upsert_run(test::run(1, RunState::running), at(2)));
  const std::optional<parallax::Run> found = store_->find_run(run_id(1)).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, RunState::done);
  EXPECT_EQ(found->billed_seconds, 61);
  EXPECT_EQ(*found->extra.find("zone"), Json("us-west-2a"));
  EXPECT_EQ(store_->find_run(run_id(2)).value(), std::nullopt);
}

TEST_P(StoreContract, NeverHandsARunToAnotherVantage) {
  ASSERT_TRUE(store_->upsert_run(test::run(1), at(1)));
  parallax::Run stolen = test::run(1, RunState::done);
  stolen.vantage = "eu-west-3";
  EXPECT_EQ(store_->upsert_run(stolen, at(2)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(store_->find_run(run_id(1)).value()->state, RunState::running);
}

TEST_P(StoreContract, ListsRunsNewestFirst) {
  parallax::Run elsewhere = test::run(2);
  elsewhere.vantage = "eu-west-3";
  for (const parallax::Run& r : {test::run(1), elsewhere, test::run(3)}) {
    ASSERT_TRUE(store_->upsert_run(r, at(1)));
  }
  RunFilter filter;
  EXPECT_EQ(store_->list_runs(filter).value().at(0).run_id, run_id(3));
  filter.limit = 2;
  EXPECT_EQ(store_->list_runs(filter).value().size(), 2U);
  filter.vantage = "eu-west-3";
  EXPECT_EQ(store_->list_runs(filter).value().at(0).run_id, run_id(2));
  filter.fleet = "other";
  EXPECT_TRUE(store_->list_runs(filter).value().empty());
}

TEST_P(StoreContract, KnowsWhoOwnsARun) {
  EXPECT_FALSE(store_->find_owner(run_id(1)).value());
  ingest({measurement(1, 0)});
  EXPECT_FALSE(store_->find_owner(run_id(1)).value()->issued);
  ASSERT_TRUE(store_->upsert_run(test::run(1), at(1)));
  const std::optional<RunOwner> owner = store_->find_owner(run_id(1)).value();
  ASSERT_TRUE(owner);
  EXPECT_TRUE(owner->issued);
  EXPECT_EQ(owner->vantage, "us-west-2");
}

TEST_P(StoreContract, AddsAndRetiresKeys) {
  const KeyRecord key{"0123456789abcdef", std::string(32, '\0'), std::nullopt};
  ASSERT_TRUE(store_->add_key(key, at(0)));
  EXPECT_TRUE(store_->add_key(key, at(1))) << "the same key again changes nothing";
  EXPECT_EQ(store_->add_key({key.key_id, std::string(32, 'x'), std::nullopt}, at(1)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(store_->retire_key("nobody", at(1)).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(store_->retire_key(key.key_id, at(5)));
  ASSERT_TRUE(store_->retire_key(key.key_id, at(9)));
  const std::optional<KeyRecord> found = store_->find_key(key.key_id).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->retired_at, at(5));
  EXPECT_EQ(found->public_key, key.public_key);
  EXPECT_EQ(store_->list_keys().value().size(), 1U);
  EXPECT_FALSE(store_->find_key("nobody").value());
}

TEST_P(StoreContract, Counts) {
  ASSERT_TRUE(store_->add_counts({{"token.expired", 2}, {"token.missing", 1}}));
  ASSERT_TRUE(store_->add_counts({{"token.expired", 3}}));
  EXPECT_EQ(counter("token.expired"), 5);
  EXPECT_EQ(counter("token.missing"), 1);
}

TEST_P(StoreContract, LeavesNothingBehindOfAHealthCheck) {
  ASSERT_TRUE(store_->check_health());
  EXPECT_TRUE(store_->counters().value().empty());
}

TEST_P(StoreContract, CountsExactlyWhatManyWritersStoreWhileOthersRead) {
  constexpr int kWriters = 4;
  constexpr int kBatches = 10;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([this, writer] {
      for (int i = 0; i < kBatches; ++i) {
        // Every second batch repeats what another writer sends.
        ingest({measurement(writer, i), measurement(99, i)});
        EXPECT_TRUE(store_->summary({}));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(counter("ingest.stored"), kBatches * (kWriters + 1));
  EXPECT_EQ(counter("ingest.duplicate"), kBatches * (kWriters - 1));
  EXPECT_EQ(ids({}).size(), static_cast<std::size_t>(kBatches * (kWriters + 1)));
}

TEST(OpenStore, SaysWhichDatabasesThereAre) {
  EXPECT_EQ(open_store("postgresql://u:secret@h/d").error().text(),
            "PostgreSQL is not in this build yet; use sqlite:FILE");
  EXPECT_EQ(open_store("mysql://u:secret@h/d").error().text(),
            "'mysql:' names no database: use sqlite:FILE or sqlite::memory:");
  EXPECT_EQ(open_store("sqlite:").error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace parallax::store
