#include "cli/results.h"

#include <gtest/gtest.h>

#include "cli/writers/writer.h"

namespace parallax::cli {
namespace {

Measurement measured() {
  Measurement m;
  m.run_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  m.sequence = 7;
  m.id = measurement_id(m.run_id, m.sequence);
  m.fleet = "local";
  m.vantage = "here";
  m.provider = "P";
  m.service = "=Sum";  // what a spreadsheet would run
  m.type = "cone";
  m.connection = "cold";
  m.ra = 10.5;
  m.dec = -20.25;
  m.radius = 0.1;
  m.url = "http://h.example/scs?x=1&RA=10.5&DEC=-20.25&SR=0.1&VERB=2";
  m.started_at = Instant(Seconds(1'700'000'000));
  m.scheduled_at = m.started_at;
  m.times.first_byte_us = 1000;
  m.times.transfer_us = 500;
  m.total_us = 1500;
  m.http_status = 200;
  m.rows = 3;
  m.columns = 2;
  m.message = "two\nlines";
  return m;
}

std::string written(std::unique_ptr<MeasurementWriter> (*make)(TextSink), const std::vector<Measurement>& list) {
  std::string text;
  const std::unique_ptr<MeasurementWriter> writer = make([&](std::string_view more) {
    text += more;
    return Result<>();
  });
  for (const Measurement& m : list) {
    EXPECT_TRUE(writer->write(m));
  }
  EXPECT_TRUE(writer->finish());
  return text;
}

void expect_equal(const Measurement& read, const Measurement& m) {
  EXPECT_EQ(read.service, m.service);
  EXPECT_EQ(read.type, m.type);
  EXPECT_EQ(read.url, m.url);
  EXPECT_EQ(read.ra, m.ra);
  EXPECT_EQ(read.dec, m.dec);
  EXPECT_EQ(read.radius, m.radius);
  EXPECT_EQ(read.total_us, m.total_us);
  EXPECT_EQ(read.rows, m.rows);
  EXPECT_EQ(read.http_status, m.http_status);
  EXPECT_EQ(read.verdict, m.verdict);
}

TEST(ResultsTest, ReadsBackEachFormThatTheProbeWrites) {
  for (const auto& [make, format] : {std::pair(&make_ndjson_writer, ResultFormat::ndjson),
                                     {&make_csv_writer, ResultFormat::csv},
                                     {&make_servicemon_csv_writer, ResultFormat::servicemon}}) {
    const Result<Results> results = parse_results("f", written(make, {measured(), measured()}), std::nullopt);
    ASSERT_TRUE(results) << results.error().text();
    EXPECT_EQ(results->format, format);
    EXPECT_TRUE(results->unread.empty());
    ASSERT_EQ(results->rows.size(), 2U) << to_string(format);
    expect_equal(results->rows[1].m, measured());
  }
}

TEST(ResultsTest, AFailureStaysOne) {
  Measurement m = measured();
  m.verdict = Verdict::timeout;
  m.failed_phase = "first_byte";
  m.code = "first_byte";
  m.message = "too late";
  m.rows.reset();
  for (const auto make : {&make_ndjson_writer, &make_csv_writer, &make_servicemon_csv_writer}) {
    const Result<Results> results = parse_results("f", written(make, {m}), std::nullopt);
    ASSERT_TRUE(results);
    EXPECT_EQ(results->rows.at(0).m.verdict, Verdict::timeout);
    EXPECT_EQ(results->rows.at(0).m.message, "too late");
  }
}

constexpr const char* kServicemon =
    "name,start_time,end_time,do_query_dur,stream_to_file_dur,query_total_dur,base_name,service_type,RA,DEC,SR,ADQL,"
    "other_params,access_url,errmsg,status,size,num_rows,num_columns\n";

TEST(ResultsTest, ReadsServicemonsOwnRows) {
  const std::string text =
      std::string(kServicemon) +
      "Cool_cone_1.5_2.0_0.1,2026-11-22 10:00:00.5,x,0.25,0.5,0.75,Cool,cone,1.5,2.0,0.1,,\"{'VERB': "
      "'2'}\",https://c.example/SCS?t=a&,:,200,100,4,9\n"
      "Great_tap-async_1.5_2.0_0.1,2026-11-22 10:00:01.5,x,1,2,3,Great,tap,1.5,2.0,0.1,SELECT "
      "1,{},https://g.example/tap,:no such table,400,,,\n"
      "Great_tap-sync_1.5_2.0_0.1,2026-11-22 10:00:02,x,1,2,3,Great,tap,1.5,2.0,0.1,SELECT "
      "1,{},https://g.example/tap,:it broke,200,,,\n";
  const Result<Results> results = parse_results("f", text, std::nullopt);
  ASSERT_TRUE(results) << results.error().text();
  ASSERT_EQ(results->rows.size(), 3U);
  const Measurement& cone = results->rows[0].m;
  EXPECT_EQ(cone.url, "https://c.example/SCS?t=a&RA=1.5&DEC=2&SR=0.1&VERB=2");
  EXPECT_EQ(cone.times.first_byte_us, 250'000);
  EXPECT_EQ(cone.total_us, 750'000);
  EXPECT_EQ(cone.rows, 4);
  EXPECT_EQ(cone.verdict, Verdict::ok);
  EXPECT_EQ(results->rows[1].m.mode, "async");
  EXPECT_EQ(results->rows[1].m.verdict, Verdict::http_error);
  EXPECT_EQ(results->rows[2].m.mode, "sync");
  EXPECT_EQ(results->rows[2].m.verdict, Verdict::service_error);
  EXPECT_EQ(results->rows[2].m.url, "https://g.example/tap/sync");
  EXPECT_EQ(*results->rows[1].m.started_at - *results->rows[0].m.started_at, Seconds(1));
  EXPECT_EQ(results->rows[2].line, 4U);
}

TEST(ResultsTest, WhatIsNoRecordIsToldByItsLine) {
  const std::string good = written(&make_ndjson_writer, {measured()});
  const Result<Results> ndjson = parse_results("f", good + "\n{\"a\": 1}\n{nonsense\n" + good, std::nullopt);
  ASSERT_TRUE(ndjson);
  EXPECT_EQ(ndjson->rows.size(), 2U);
  ASSERT_EQ(ndjson->unread.size(), 2U);
  EXPECT_EQ(ndjson->unread[0].line, 3U);
  EXPECT_EQ(ndjson->unread[1].line, 4U);
  const Result<Results> csv = parse_results("f", std::string(kServicemon) + "a,b,c\n", std::nullopt);
  ASSERT_TRUE(csv);
  ASSERT_EQ(csv->unread.size(), 1U);
  EXPECT_EQ(csv->unread[0].line, 2U);
  std::string ours = written(&make_csv_writer, {measured()});
  ours.replace(ours.find(",1500,"), 6, ",many,");
  const Result<Results> bad = parse_results("f", ours, std::nullopt);
  ASSERT_TRUE(bad);
  ASSERT_EQ(bad->unread.size(), 1U);
  EXPECT_NE(bad->unread[0].why.find("'many' is no number"), std::string::npos) << bad->unread[0].why;
}

TEST(ResultsTest, OtherFilesAreRefused) {
  for (const char* text : {"", "ra,dec,radius\n1,2,3\n", "<VOTABLE/>", "\xff\xfe"}) {
    EXPECT_FALSE(parse_results("f", text, std::nullopt)) << text;
  }
  EXPECT_FALSE(result_format("excel"));
  EXPECT_EQ(*result_format("servicemon"), ResultFormat::servicemon);
  EXPECT_EQ(*result_format("auto"), std::nullopt);
}

}  // namespace
}  // namespace parallax::cli
