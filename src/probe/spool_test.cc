#include "probe/spool.h"

#include <gtest/gtest.h>

#include "probe/fakes.h"
#include "probe/journal.h"

namespace parallax {
namespace {

const std::string kRun = "01JCZZZZZZ0000000000000001";
const std::string kOlder = "01JBZZZZZZ0000000000000001";

class SpoolTest : public testing::Test {
 protected:
  std::unique_ptr<Spool> open(const std::string& run = kRun) {
    Result<std::unique_ptr<Spool>> spool = Spool::open(files_, clock_, "/spool", run);
    EXPECT_TRUE(spool) << spool.error().text();
    EXPECT_TRUE((*spool)->begin_run(run, ""));
    return std::move(spool).value();
  }

  static Measurement measurement(std::int64_t sequence, Verdict verdict = Verdict::ok, const std::string& run = kRun) {
    Measurement m;
    m.run_id = run;
    m.sequence = sequence;
    m.id = measurement_id(run, sequence);
    m.fleet = "F";
    m.vantage = "v";
    m.service = "s";
    m.started_at = Instant(Seconds(1'700'000'000));
    m.verdict = verdict;
    return m;
  }

  static void ask(Spool& spool, std::int64_t sequence, const std::string& run = kRun) {
    ASSERT_TRUE(spool.intent(measurement(sequence, Verdict::refused, run)));
    ASSERT_TRUE(spool.record(measurement(sequence, Verdict::ok, run)));
  }

  static std::vector<std::int64_t> pending(const Spool& spool) {
    std::vector<std::int64_t> sequences;
    for (const SpooledRecord& record : spool.batch(1000, 1U << 20U)) {
      sequences.push_back(record.sequence);
    }
    return sequences;
  }

  // Of the files, without the spool's directory and the ballast of a spool in use.
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& [path, text] : files_.content) {
      if (path != "/spool/ballast") {
        list.push_back(path.substr(std::string("/spool/").size()));
      }
    }
    return list;
  }

  probe::JumpClock clock_;
  probe::MemoryFiles files_;
};

using Sequences = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

TEST_F(SpoolTest, KeepsRecordsOverRestartsUntilTheyAreAnsweredFor) {
  {
    auto spool = open();
    ask(*spool, 0);
    ask(*spool, 1);
    ASSERT_TRUE(spool->end_run());
    EXPECT_EQ(pending(*spool), (Sequences{0, 1}));
  }
  {
    auto spool = Spool::open(files_, clock_, "/spool", "").value();
    const std::vector<SpooledRecord> batch = spool->batch(10, 1U << 20U);
    ASSERT_EQ(batch.size(), 2U);
    EXPECT_EQ(batch[0].line, to_json(measurement(0)).dump());
    EXPECT_EQ(batch[0].id, kRun + "-0");
    ASSERT_TRUE(spool->settle(batch[0], Delivery::stored, ""));
  }
  auto spool = Spool::open(files_, clock_, "/spool", "").value();
  EXPECT_EQ(pending(*spool), (Sequences{1}));
  ASSERT_TRUE(spool->settle(spool->batch(1, 1)[0], Delivery::duplicate, ""));
  EXPECT_EQ(names(), (Names{kRun + ".settled"}));
}

TEST_F(SpoolTest, AnIntentOfADeadProcessBecomesARecord) {
  {
    auto spool = open();
    ask(*spool, 0);
    ASSERT_TRUE(spool->intent(measurement(1, Verdict::refused)));
  }
  for (int start = 0; start < 2; ++start) {
    auto spool = open();
    EXPECT_EQ(pending(*spool), (Sequences{0, 1}));
    EXPECT_EQ(spool->done(0), Verdict::ok);
    EXPECT_EQ(spool->done(1), Verdict::refused);
    EXPECT_EQ(spool->done(2), std::nullopt);
    EXPECT_EQ(spool->counts().recovered, start == 0 ? 1 : 0);
  }
}

// Cuts the journal after every single byte (every 17th where a sanitizer makes it slow): what was complete before is
// there, nothing else is.
TEST_F(SpoolTest, ATornTailIsCutWhereverItTears) {
  {
    auto spool = open();
    ask(*spool, 0);
    ask(*spool, 1);
  }
  const std::string path = "/spool/" + kRun + ".journal";
  const std::string whole = files_.content[path];
#ifdef PARALLAX_SANITIZED
  constexpr std::size_t kStep = 17;
#else
  constexpr std::size_t kStep = 1;
#endif
  for (std::size_t cut = 0; cut <= whole.size(); cut += kStep) {
    files_.content[path] = whole.substr(0, cut);
    auto spool = open();
    const auto lines =
        static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
    EXPECT_EQ(pending(*spool).size(), (lines + 1) / 2) << cut;
    ask(*spool, 7);
    spool.reset();
    EXPECT_EQ(open()->done(7), Verdict::ok) << cut;
  }
}

TEST_F(SpoolTest, ADamagedLineInTheMiddleCostsOnlyItself) {
  {
    auto spool = open();
    ask(*spool, 0);
    ask(*spool, 1);
  }
  std::string& journal = files_.content["/spool/" + kRun + ".journal"];
  journal[journal.find(" record {") + 20] ^= 1;
  auto spool = open();
  EXPECT_EQ(pending(*spool), (Sequences{0, 1}));
  EXPECT_EQ(spool->done(0), Verdict::refused);  // its intent is what is left
  EXPECT_EQ(spool->counts().torn, 1);
}

TEST_F(SpoolTest, AFullDiskIsReportedAndWhatIsKnownIsKeptInMemory) {
  auto spool = open();
  ask(*spool, 0);
  ASSERT_TRUE(spool->intent(measurement(1, Verdict::refused)));
  files_.writes_left = 0;
  EXPECT_FALSE(spool->record(measurement(1)));
  EXPECT_FALSE(spool->intent(measurement(2, Verdict::refused)));
  EXPECT_EQ(pending(*spool), (Sequences{0, 1}));
  files_.writes_left = 1000;
  for (const SpooledRecord& record : spool->batch(10, 1U << 20U)) {
    ASSERT_TRUE(spool->settle(record, Delivery::stored, ""));
  }
  spool.reset();
  // The record went out from memory; the intent on disk must not come back under the same id.
  EXPECT_EQ(pending(*open()), Sequences{});
}

// Found by filling a disk: the record was sent from memory, its confirmation got lost, and the next start made another
// record of the intent under the same id.
TEST_F(SpoolTest, AnAnswerThatCameWhenTheDiskFilledUpStillReachesIt) {
  {
    auto spool = open();
    ASSERT_TRUE(spool->intent(measurement(0, Verdict::refused)));
    ASSERT_TRUE(spool->intent(measurement(1, Verdict::refused)));
    files_.writes_left = 0;
    files_.freed_by_removal = 3;
    EXPECT_FALSE(spool->intent(measurement(2, Verdict::refused)));
    EXPECT_TRUE(spool->record(measurement(0)));
    EXPECT_TRUE(spool->record(measurement(1, Verdict::timeout)));
    EXPECT_FALSE(spool->intent(measurement(3, Verdict::refused)));
  }
  files_.writes_left = 1000;
  auto spool = open();
  EXPECT_EQ(spool->done(0), Verdict::ok);
  EXPECT_EQ(spool->done(1), Verdict::timeout);
  EXPECT_EQ(spool->done(2), std::nullopt);
  EXPECT_EQ(spool->counts().torn, 0);
}

TEST_F(SpoolTest, ARefusedRecordMovesToRejectedWithItsReason) {
  auto spool = open();
  ask(*spool, 0);
  ASSERT_TRUE(spool->end_run());
  ASSERT_TRUE(spool->settle(spool->batch(1, 1)[0], Delivery::refused, "too \"old\""));
  ASSERT_EQ(names(), (Names{kRun + ".settled", "rejected/" + kRun + ".ndjson"}));
  const Result<Json> line = parse_json(files_.content["/spool/rejected/" + kRun + ".ndjson"]);
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->text("reason"), "too \"old\"");
  EXPECT_EQ(*line->find("record"), to_json(measurement(0)));
  EXPECT_EQ(spool_status(files_, "/spool").value().at(0).rejected, 1);
}

TEST_F(SpoolTest, ARefusedRecordStaysWhereItIsIfItCannotBeMoved) {
  auto spool = open();
  ask(*spool, 0);
  files_.writes_left = 0;
  EXPECT_FALSE(spool->settle(spool->batch(1, 1)[0], Delivery::refused, "bad"));
  EXPECT_EQ(pending(*spool), (Sequences{0}));
}

TEST_F(SpoolTest, TwoProcessesDoNotShareASpool) {
  auto spool = open();
  const auto second = Spool::open(files_, clock_, "/spool", kOlder);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  EXPECT_EQ(
      second.error().message,
      "/spool: another process works in this spool; nothing was changed. Wait for it to end, or give each probe a "
      "spool of its own");
}

TEST_F(SpoolTest, BatchesRespectBothLimitsAndTakeOldRunsFirst) {
  {
    auto spool = open(kOlder);
    ask(*spool, 5, kOlder);
  }
  auto spool = open();
  ask(*spool, 0);
  ask(*spool, 1);
  EXPECT_EQ(pending(*spool), (Sequences{5, 0, 1}));
  EXPECT_EQ(spool->batch(2, 1U << 20U).size(), 2U);
  EXPECT_EQ(spool->batch(10, 1).size(), 1U);
  EXPECT_EQ(spool->counts().pending, 3);
}

TEST_F(SpoolTest, OldRecordsAreKeptAndReported) {
  const std::string ancient = "01ARZ3NDEKTSV4RRFFQ69G5FAV";  // 2016
  auto spool = open(ancient);
  ask(*spool, 0, ancient);
  EXPECT_EQ(spool->counts().old, 1);
  EXPECT_EQ(spool->counts().pending, 1);
}

TEST_F(SpoolTest, AResumedRunIsKeptThoughAllOfItIsAnsweredFor) {
  {
    auto spool = open();
    ask(*spool, 0);
    ASSERT_TRUE(spool->settle(spool->batch(1, 1)[0], Delivery::stored, ""));
  }
  EXPECT_EQ(open()->done(0), Verdict::ok);
  EXPECT_TRUE(Spool::open(files_, clock_, "/spool", ""));
  EXPECT_EQ(names(), (Names{kRun + ".settled"}));
}

// Found by killing a probe between the removal of its journal and its end: the order, started again, asked everything
// once more, under ids that the collector knew.
TEST_F(SpoolTest, AnOrderStartedAgainAfterItsDeliveryKnowsWhatWasAsked) {
  {
    auto spool = open();
    ask(*spool, 0);
    ASSERT_TRUE(spool->intent(measurement(2, Verdict::refused)));
    ASSERT_TRUE(spool->record(measurement(2, Verdict::timeout)));
    ASSERT_TRUE(spool->end_run());
    for (const SpooledRecord& record : spool->batch(10, 1U << 20U)) {
      ASSERT_TRUE(spool->settle(record, Delivery::stored, ""));
    }
  }
  ASSERT_EQ(names(), (Names{kRun + ".settled"}));
  {
    auto spool = open();
    EXPECT_EQ(spool->done(0), Verdict::ok);
    EXPECT_EQ(spool->done(1), std::nullopt);
    EXPECT_EQ(spool->done(2), Verdict::timeout);
    EXPECT_EQ(pending(*spool), Sequences{});
    ask(*spool, 1);
  }
  auto spool = open();
  EXPECT_EQ(spool->done(0), Verdict::ok);
  EXPECT_EQ(pending(*spool), (Sequences{1}));
}

TEST_F(SpoolTest, WhatIsSettledIsForgottenWithAge) {
  {
    auto spool = open(kOlder);
    ask(*spool, 0, kOlder);
    ASSERT_TRUE(spool->end_run());
    ASSERT_TRUE(spool->settle(spool->batch(1, 1)[0], Delivery::stored, ""));
  }
  SpoolLimits limits;
  limits.age_max = Seconds(1);
  EXPECT_TRUE(Spool::open(files_, clock_, "/spool", "", limits));
  EXPECT_EQ(names(), Names{});
}

TEST_F(SpoolTest, SyncsInGroups) {
  auto spool = open();
  for (int i = 0; i < 100; ++i) {
    ask(*spool, i);
  }
  EXPECT_LT(files_.syncs, 50);
  const int before = files_.syncs;
  ASSERT_TRUE(spool->end_run());
  EXPECT_GT(files_.syncs, before);
}

TEST_F(SpoolTest, AJournalAtItsLimitTakesNoMore) {
  SpoolLimits limits;
  limits.journal_bytes_max = 4000;
  auto spool = Spool::open(files_, clock_, "/spool", kRun, limits).value();
  ASSERT_TRUE(spool->begin_run(kRun, ""));
  int taken = 0;
  while (spool->intent(measurement(taken, Verdict::refused))) {
    ++taken;
  }
  EXPECT_GT(taken, 0);
  EXPECT_LE(files_.content["/spool/" + kRun + ".journal"].size(), 4000U);
}

TEST_F(SpoolTest, StatusShowsWhatWaits) {
  auto spool = open();
  ask(*spool, 0);
  ask(*spool, 1);
  ASSERT_TRUE(spool->intent(measurement(2, Verdict::refused)));
  ASSERT_TRUE(spool->settle(spool->batch(1, 1)[0], Delivery::stored, ""));
  const auto runs = spool_status(files_, "/spool").value();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].records, 2);
  EXPECT_EQ(runs[0].pending, 1);
  EXPECT_EQ(runs[0].intents, 1);
  EXPECT_FALSE(runs[0].ended);
}

TEST_F(SpoolTest, WithoutADirectoryNothingIsWritten) {
  auto spool = Spool::in_memory(clock_);
  ASSERT_TRUE(spool->begin_run(kRun, ""));
  ask(*spool, 0);
  EXPECT_EQ(spool->done(0), Verdict::ok);
  EXPECT_TRUE(spool->end_run());
  EXPECT_TRUE(files_.content.empty());
}

}  // namespace
}  // namespace parallax
