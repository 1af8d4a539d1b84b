#include <csignal>

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/world_for_test.h"
#include "cli/writers/exec.h"
#include "cli/writers/local_time.h"
#include "cli/writers/outputs.h"
#include "cli/writers/servicemon_csv.h"
#include "cli/writers/writer.h"
#include "codec/csv.h"

namespace parallax::cli {
namespace {

Measurement foreign() {
  Measurement m;
  m.service = "=cmd|' /C calc'!A0";
  m.query = "SELECT *\nFROM t";
  m.message = "\x1b[31mred";
  return m;
}

std::string written(std::string_view format, const Measurement& measurement) {
  std::string text;
  auto writer = writer_kind(format).value()->make([&text](std::string_view piece) {
    text += piece;
    return Result<>();
  });
  EXPECT_TRUE(writer->write(measurement));
  return text;
}

Measurement cone_measurement() {
  Measurement m;
  m.service = "Cool_Archive";
  m.type = "cone";
  m.ra = 10.0;
  m.dec = -5.25;
  m.radius = 0.1;
  m.url = "https://cool.example.org/SCS?table=stars&RA=10&DEC=-5.25&SR=0.1&VERB=2";
  m.started_at = parse_iso8601("2026-11-22T10:00:00.5Z").value();
  m.total_us = 1'500'000;
  m.times.transfer_us = 250'000;
  m.http_status = 200;
  m.bytes_decoded = 7217;
  m.rows = 13;
  m.columns = 14;
  return m;
}

std::map<std::string, std::string> row_of(const std::string& csv) {
  const std::vector<CsvRecord> records = parse_csv("t.csv", csv).value();
  std::map<std::string, std::string> row;
  for (std::size_t i = 0; i < records.at(0).size(); ++i) {
    row[records.at(0).at(i).text] = records.at(1).at(i).text;
  }
  return row;
}

TEST(Writers, LetNoForeignTextActOnATerminalOrASpreadsheet) {
  for (const char* format : {"table", "csv", "ndjson", "servicemon-csv"}) {
    EXPECT_EQ(written(format, foreign()).find('\x1b'), std::string::npos) << format;
  }
  const std::string csv = written("csv", foreign());
  EXPECT_NE(csv.find(",'=cmd|"), std::string::npos);
  EXPECT_NE(csv.find(",\\x1b[31mred,"), std::string::npos);
}

TEST(Writers, KeepTheLinesOfAQueryInCsv) {
  EXPECT_NE(written("csv", foreign()).find("\"SELECT *\nFROM t\""), std::string::npos);
}

TEST(Writers, SuggestTheFormatThatWasMeant) {
  const auto kind = writer_kind("ndjsn");
  ASSERT_FALSE(kind);
  EXPECT_NE(kind.error().message.find("did you mean 'ndjson'"), std::string::npos);
}

TEST(ServicemonCsv, HasItsColumnsInItsOrder) {
  const std::string text = written("servicemon-csv", cone_measurement());
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "name,start_time,end_time,do_query_dur,stream_to_file_dur,query_total_dur,"
            "extra_dur0_name,extra_dur0_value,extra_dur1_name,extra_dur1_value,extra_dur2_name,extra_dur2_value,"
            "extra_dur3_name,extra_dur3_value,extra_dur4_name,extra_dur4_value,extra_dur5_name,extra_dur5_value,"
            "extra_dur6_name,extra_dur6_value,extra_dur7_name,extra_dur7_value,"
            "base_name,service_type,RA,DEC,SR,ADQL,other_params,access_url,errmsg,status,size,num_rows,num_columns");
}

TEST(ServicemonCsv, WritesNumbersAsPythonDoesAndTheAddressAsItWasConfigured) {
  auto row = row_of(written("servicemon-csv", cone_measurement()));
  EXPECT_EQ(row["name"], "Cool_Archive_cone_10.0_-5.25_0.1");
  EXPECT_EQ(row["RA"], "10.0");
  EXPECT_EQ(row["DEC"], "-5.25");
  EXPECT_EQ(row["do_query_dur"], "1.25");
  EXPECT_EQ(row["stream_to_file_dur"], "0.25");
  EXPECT_EQ(row["query_total_dur"], "1.5");
  EXPECT_EQ(row["access_url"], "https://cool.example.org/SCS?table=stars&");
  EXPECT_EQ(row["other_params"], "{'VERB': '2'}");
  EXPECT_EQ(row["errmsg"], ":");
  EXPECT_EQ(row["extra_dur0_name"], "");
  EXPECT_EQ(row["start_time"].size(), std::string("2026-11-22 10:00:00.500000").size());
  EXPECT_TRUE(row["start_time"].ends_with(":00.500000"));
  EXPECT_TRUE(row["end_time"].ends_with(":02.000000"));
}

TEST(ServicemonCsv, FillsTheExtraDurationsOfAnAsynchronousJob) {
  Measurement m = cone_measurement();
  m.type = "tap";
  m.mode = "async";
  m.url = "https://great.example.org/tap/async";
  m.submit_us = 10'000;
  m.delete_us = 2'000'000;
  m.verdict = Verdict::service_error;
  m.message = "no such table";
  auto row = row_of(written("servicemon-csv", m));
  EXPECT_EQ(row["extra_dur0_name"], "tap_submit");
  EXPECT_EQ(row["extra_dur0_value"], "0.01");
  EXPECT_EQ(row["extra_dur3_name"], "tap_raise_if_error");
  EXPECT_EQ(row["extra_dur5_name"], "tap_delete");
  EXPECT_EQ(row["extra_dur5_value"], "2.0");
  EXPECT_EQ(row["access_url"], "https://great.example.org/tap");
  EXPECT_EQ(row["errmsg"], ":service-error: no such table");
}

TEST(TimeMarks, AreReplacedAndOthersRefused) {
  const Instant instant = parse_iso8601("2026-11-22T10:00:00.000007Z").value();
  EXPECT_EQ(with_time_marks("a%%-%f", instant).value(), "a%-000007");
  const std::string local = local_time_text(instant);
  EXPECT_EQ(with_time_marks("%Y-%m-%d %H:%M:%S.%f", instant).value(), local);
  EXPECT_FALSE(with_time_marks("x%q", instant));
  EXPECT_FALSE(with_time_marks("x%", instant));
}

class ExecWriter : public testing::Test {
 protected:
  // As main() has it.
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }

  // What the program left behind, and finish()'s result.
  Result<> run(const std::string& command, int records, const ExecLimits& limits = {}) {
    auto writer = make_exec_writer(command, directory_ + "/undelivered", test_.world, limits);
    EXPECT_TRUE(writer);
    for (int i = 0; i < records; ++i) {
      Measurement m = cone_measurement();
      m.sequence = i;
      EXPECT_TRUE(writer.value()->write(m));
    }
    return writer.value()->finish();
  }

  std::size_t lines(const std::string& name) {
    const auto text = test_.files->read(directory_ + "/" + name, 64U << 20U);
    return text ? split(text.value(), '\n').size() - 1 : 0;
  }

  WorldForTest test_;
  const std::string directory_ = [] {
    std::string name = testing::TempDir() + "/exec-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
};

TEST_F(ExecWriter, GivesEveryRecordToTheProgram) {
  const Result<> finished = run("cat > '" + directory_ + "/out'", 500);
  EXPECT_TRUE(finished) << finished.error().text();
  EXPECT_EQ(lines("out"), 500U);
  EXPECT_EQ(lines("undelivered"), 0U);
}

TEST_F(ExecWriter, KeepsWhatADeadProgramHasNotRead) {
  const Result<> finished = run("exit 7", 300);
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().message.find("ended with status 7"), std::string::npos);
  EXPECT_EQ(lines("undelivered"), 300U);
}

TEST_F(ExecWriter, SaysThatTheProgramFailedAfterTheLastRecord) {
  const Result<> finished = run("cat > '" + directory_ + "/out'; echo broken >&2; exit 3", 5);
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().message.find("status 3"), std::string::npos);
  EXPECT_EQ(lines("out"), 5U);
  EXPECT_EQ(lines("undelivered"), 0U);
}

TEST_F(ExecWriter, EndsAProgramThatDoesNot) {
  ExecLimits limits;
  limits.end_wait = Millis(50);
  const Result<> finished = run("cat >/dev/null; exec sleep 100", 1, limits);
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().message.find("did not end within"), std::string::npos);
}

TEST_F(ExecWriter, KeepsRecordsForWhichTheQueueHasNoRoom) {
  ExecLimits limits;
  limits.queue_max = 1;
  limits.end_wait = Millis(50);
  const Result<> finished = run("exec sleep 100", 400, limits);
  ASSERT_FALSE(finished);
  EXPECT_EQ(lines("undelivered"), 400U);
}

TEST(Outputs, DoNotTouchAFileThatExists) {
  WorldForTest test;
  std::string directory = testing::TempDir() + "/outputs-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  Arguments arguments;
  arguments.values["--output"] = {"csv=" + directory + "/a.csv", "ndjson=" + directory + "/a.ndjson"};
  {
    auto outputs = Outputs::open(arguments, test.world);
    ASSERT_TRUE(outputs) << outputs.error().text();
    outputs.value().write(cone_measurement());
    EXPECT_TRUE(outputs.value().finish());
  }
  EXPECT_TRUE(test.files->read(directory + "/a.csv", 1 << 20).value().starts_with("schema,"));
  const auto again = Outputs::open(arguments, test.world);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("exists already"), std::string::npos);
  arguments.values["--output"] = {"csv", "ndjson"};
  EXPECT_FALSE(Outputs::open(arguments, test.world));
}

}  // namespace
}  // namespace parallax::cli
