#include "vo/uws.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "test_data.h"

namespace parallax::vo {
namespace {

std::string read_sample(const std::string& name) {
  std::ifstream file(PARALLAX_TEST_DATA "/vo-samples/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

UwsJob read_job(std::string_view document) {
  Result<UwsJob> job = parse_uws_job(document);
  EXPECT_TRUE(job.has_value()) << (job ? "" : job.error().text());
  return job.value_or(UwsJob{});
}

std::string chosen(std::vector<UwsResult> results, const std::string& job = "https://h.test/tap/async/7") {
  return choose_result(*http::parse_url(job), results).text();
}

TEST(UwsJob, TellsPhaseTimesAndResultsOfACompletedJob) {
  const UwsJob job = read_job(read_sample("uws-completed.xml"));
  EXPECT_EQ(job.version, "1.1");
  EXPECT_EQ(job.id, "gkjvgfb5");
  EXPECT_EQ(job.phase, UwsPhase::completed);
  EXPECT_EQ(to_iso8601_seconds(job.created.value()), "2026-11-22T08:30:55Z");
  EXPECT_EQ(to_iso8601_seconds(job.started.value()), "2026-11-22T08:30:57Z");
  EXPECT_EQ(to_iso8601_seconds(job.ended.value()), "2026-11-22T08:30:57Z");
  EXPECT_EQ(to_iso8601_seconds(job.destruction.value()), "2026-11-24T08:30:55Z");
  ASSERT_EQ(job.results.size(), 1U);
  EXPECT_EQ(job.results[0].id, "result");
  EXPECT_EQ(job.results[0].href, "http://127.0.0.1:8917/__system__/tap/run/async/gkjvgfb5/results/result");
  EXPECT_EQ(job.error_message, "");
}

TEST(UwsJob, HasNoTimesWhereTheyAreNil) {
  const UwsJob job = read_job(read_sample("uws-pending.xml"));
  EXPECT_EQ(job.phase, UwsPhase::pending);
  EXPECT_TRUE(job.created.has_value());
  EXPECT_FALSE(job.started.has_value());
  EXPECT_FALSE(job.ended.has_value());
  EXPECT_TRUE(job.results.empty());
}

TEST(UwsJob, SaysWhyItFailed) {
  const UwsJob job = read_job(read_sample("uws-error.xml"));
  EXPECT_EQ(job.phase, UwsPhase::error);
  EXPECT_EQ(job.error_message,
            "Field query: No such field known: column 'bogus' could not be located in table metadata");
  EXPECT_EQ(read_job(read_sample("uws-aborted.xml")).phase, UwsPhase::aborted);
  EXPECT_EQ(read_job(read_sample("uws-executing.xml")).phase, UwsPhase::executing);
}

TEST(UwsJob, IsReadWithoutPrefixVersionAndNeatText) {
  const UwsJob job = read_job(
      "<job><jobId>\n 7 </jobId><phase>\r\n Executing\t</phase>"
      "<startTime>2026-11-22T08:30:57</startTime><endTime>soon</endTime></job>");
  EXPECT_EQ(job.version, "1.0");
  EXPECT_EQ(job.id, "7");
  EXPECT_EQ(job.phase, UwsPhase::executing);
  EXPECT_EQ(to_iso8601_seconds(job.started.value()), "2026-11-22T08:30:57Z");
  EXPECT_FALSE(job.ended.has_value());
}

TEST(UwsJob, GoesOnInAWordThatNobodyKnows) {
  const UwsJob job = read_job("<job><phase>DREAMING</phase></job>");
  EXPECT_EQ(job.phase, UwsPhase::other);
  EXPECT_EQ(job.phase_text, "DREAMING");
  EXPECT_FALSE(is_final(job.phase));
  EXPECT_FALSE(may_block(job.phase));
}

TEST(UwsJob, IsNotMadeOfOtherDocuments) {
  for (const std::string name : {"uws-joblist.xml", "uws-results.xml", "uws-result.xml", "vosi-tap-availability.xml"}) {
    const Result<UwsJob> job = parse_uws_job(read_sample(name));
    ASSERT_FALSE(job.has_value()) << name;
    EXPECT_EQ(job.error().kind, ErrorKind::corrupt) << name;
  }
  EXPECT_EQ(parse_uws_job("<html><body/></html>").error().message, "expected a UWS job, got an XML document of <html>");
  EXPECT_EQ(parse_uws_job("<job><jobId>7</jobId></job>").error().message, "the UWS job has no <phase>");
}

TEST(UwsJob, IsRefusedBeyondTheLimit) {
  const std::string big = "<job><phase>ERROR</phase><x>" + std::string(std::size_t{1} << 20, 'x') + "</x></job>";
  EXPECT_EQ(parse_uws_job(big).error().kind, ErrorKind::refused);
  const std::string chatty =
      "<job><phase>ERROR</phase><errorSummary><message>" + std::string(9000, 'x') + "</message></errorSummary></job>";
  EXPECT_EQ(read_job(chatty).error_message.size(), 4000U);
}

TEST(UwsJob, IsCorruptWhereverItIsCut) {
  const std::string whole = read_sample("uws-completed.xml");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(parse_uws_job(std::string_view(whole).substr(0, size)).has_value()) << size;
  }
}

TEST(UwsPhase, IsFinalInFourWords) {
  for (const std::string word : {"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"}) {
    EXPECT_TRUE(is_final(parse_uws_phase(word))) << word;
    EXPECT_EQ(to_string(parse_uws_phase(word)), word);
  }
  for (const std::string word : {"PENDING", "QUEUED", "EXECUTING", "UNKNOWN", "HELD", "SUSPENDED"}) {
    EXPECT_FALSE(is_final(parse_uws_phase(word))) << word;
    EXPECT_EQ(to_string(parse_uws_phase(word)), word);
  }
}

TEST(UwsResult, IsTheEntryThatEndsAsTapSays) {
  EXPECT_EQ(chosen({{"diag", "uws:executing:23"},
                    {"log", "https://h.test/tap/async/7/results/log"},
                    {"main", "https://h.test/tap/async/7/results/result"}}),
            "https://h.test/tap/async/7/results/result");
}

TEST(UwsResult, IsElseTheOneNamedSoOnAnyHost) {
  EXPECT_EQ(chosen({{"log", "https://h.test/log"}, {"result", "https://files.test/a1b2?key=3"}}),
            "https://files.test/a1b2?key=3");
}

TEST(UwsResult, IsElseTheOnlyAddress) {
  EXPECT_EQ(chosen({{"diag", "uws:executing:23"}, {"table", "https://files.test/a1b2"}}), "https://files.test/a1b2");
}

TEST(UwsResult, IsElseWhereTapPromisesIt) {
  EXPECT_EQ(chosen({}), "https://h.test/tap/async/7/results/result");
  EXPECT_EQ(chosen({}, "https://h.test/tap/async/7/"), "https://h.test/tap/async/7/results/result");
  EXPECT_EQ(chosen({{"a", "https://x.test/a"}, {"b", "https://x.test/b"}}),
            "https://h.test/tap/async/7/results/result");
  EXPECT_EQ(chosen({{"result", "file:///etc/passwd"}, {"", ""}}), "https://h.test/tap/async/7/results/result");
}

TEST(UwsResult, MayBeRelative) {
  EXPECT_EQ(chosen({{"x", "/files/7/results/result"}}), "https://h.test/files/7/results/result");
  EXPECT_EQ(chosen({{"result", "7/table"}}), "https://h.test/tap/async/7/table");
}

}  // namespace
}  // namespace parallax::vo
