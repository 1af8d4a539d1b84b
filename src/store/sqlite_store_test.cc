#include "store/sqlite_store.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/sqlite_connection.h"
#include "store/store_test_support.h"

namespace parallax::store {
namespace {

using test::accepted;
using test::at;
using test::measurement;
using ::testing::HasSubstr;

std::vector<NewMeasurement> large_batch(int run) {
  std::vector<NewMeasurement> batch;
  for (int i = 0; i < 100; ++i) {
    Measurement m = measurement(run, i);
    m.evidence = std::string(10'000, 'x');
    batch.push_back(accepted(m));
  }
  return batch;
}

TEST(SqliteStore, KeepsWhatItConfirmedWhenItIsOpenedAgain) {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.file("a.db");
  ASSERT_TRUE(open_sqlite_store(file).value()->ingest({accepted(measurement(1, 0))}, at(0)));
  EXPECT_EQ(open_sqlite_store(file).value()->query_measurements({}).value().json.size(), 1U);
}

TEST(SqliteStore, StoresNothingOfABatchThatDoesNotFit) {
  const test::ScratchDirectory scratch;
  const std::unique_ptr<Store> store = open_sqlite_store(scratch.file("a.db"), {.pages_max = 100}).value();
  const auto outcome = store->ingest(large_batch(1), at(0));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(store->query_measurements({}).value().json.empty());
  EXPECT_TRUE(store->counters().value().empty());
  EXPECT_TRUE(store->ingest({accepted(measurement(2, 0))}, at(0))) << "a small batch still fits";
}

TEST(SqliteStore, RefusesASchemaThatIsNewerThanItself) {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.file("a.db");
  ASSERT_TRUE(open_sqlite_store(file));
  {
    auto connection = sqlite::Connection::open(file, sqlite::Access::write).value();
    ASSERT_TRUE(connection->execute("INSERT INTO schema_version (version) VALUES (99)"));
  }
  const auto opened = open_sqlite_store(file);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
  EXPECT_EQ(opened.error().text(), "database " + file +
                                       " has schema version 99; this build knows versions up to 1. Nothing was "
                                       "changed; use the newer parallax that made it.");
}

TEST(SqliteStore, KeepsAwayFromAnotherProgramsDatabase) {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.file("a.db");
  {
    auto connection = sqlite::Connection::open(file, sqlite::Access::write).value();
    ASSERT_TRUE(connection->execute("CREATE TABLE cookies (value TEXT)"));
  }
  const auto opened = open_sqlite_store(file);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
  EXPECT_EQ(opened.error().text(),
            "database " + file + " holds another program's tables. They were not touched; name another file");
}

TEST(SqliteStore, SaysThatAFileIsNoDatabase) {
  const test::ScratchDirectory scratch;
  const std::string file = scratch.file("a.db");
  std::ofstream(file) << std::string(8192, 'x');
  const auto opened = open_sqlite_store(file);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(opened.error().text(), HasSubstr("not a database"));
  EXPECT_THAT(opened.error().text(), HasSubstr(file));
}

TEST(SqliteStore, NamesTheFileThatItCannotOpen) {
  const auto opened = open_sqlite_store("/nonexistent/a.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(opened.error().text(), HasSubstr("/nonexistent/a.db"));
}

TEST(SqliteStore, WritesThroughToTheDiskAndJournalsAhead) {
  const test::ScratchDirectory scratch;
  auto connection = sqlite::Connection::open(scratch.file("a.db"), sqlite::Access::write).value();
  auto mode = connection->prepare("PRAGMA journal_mode").value();
  ASSERT_TRUE(mode.step().value());
  EXPECT_EQ(mode.text_at(0), "wal");
  auto synchronous = connection->prepare("PRAGMA synchronous").value();
  ASSERT_TRUE(synchronous.step().value());
  EXPECT_EQ(synchronous.integer_at(0), 2) << "2 is FULL";
}

TEST(SqliteStore, TwoStoresOnOneFileSeeTheSameMeasurements) {
  const test::ScratchDirectory scratch;
  const std::unique_ptr<Store> a = open_sqlite_store(scratch.file("a.db")).value();
  const std::unique_ptr<Store> b = open_sqlite_store(scratch.file("a.db")).value();
  ASSERT_TRUE(a->ingest({accepted(measurement(1, 0))}, at(0)));
  EXPECT_EQ(b->ingest({accepted(measurement(1, 0))}, at(0)).value().at(0), Outcome::duplicate);
}

}  // namespace
}  // namespace parallax::store
