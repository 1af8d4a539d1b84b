// Every sample of a real server in tests/vo-samples, against what astropy and STILTS found in it (expect.tsv).
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "base/text.h"
#include "test_data.h"
#include "vo/describe.h"
#include "vo/verdict.h"
#include "vo/votable.h"

namespace parallax::vo {
namespace {

const std::string kSamples = PARALLAX_TEST_DATA "/vo-samples/";

std::string read_sample(const std::string& name) {
  std::ifstream file(kSamples + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Expectation {
  std::string file, http, form, status, rows, columns;
};

std::vector<Expectation> read_expectations() {
  std::vector<Expectation> all;
  const std::string text = read_sample("expect.tsv");
  for (const std::string_view line : split(text, '\n')) {
    const auto cells = split(line, '\t');
    if (cells.size() >= 6 && cells[0] != "file") {
      const auto cell = [&](std::size_t i) { return std::string(cells[i]); };
      all.push_back({cell(0), cell(1), cell(2), cell(3), cell(4), cell(5)});
    }
  }
  return all;
}

VotableSummary read_in_pieces(std::string_view body, std::size_t piece) {
  VotableReader reader;
  for (std::size_t i = 0; i < body.size(); i += piece) {
    EXPECT_TRUE(reader.push(body.substr(i, piece)).has_value());
  }
  return reader.finish();
}

std::string joined_marks(const VotableSummary& summary) {
  std::string joined;
  for (const StatusMark& mark : summary.marks) {
    joined += (joined.empty() ? "" : ",") + mark.value;
  }
  return joined.empty() ? "-" : joined;
}

std::string final_status(const std::string& marks) {
  const std::string last = marks.substr(marks.rfind(',') + 1);
  return last == "Error" ? "ERROR" : last == "-" ? "" : last;
}

class EverySample : public testing::TestWithParam<Expectation> {};

TEST_P(EverySample, IsReadAsAstropyAndStiltsReadItHoweverItIsCut) {
  const Expectation& expected = GetParam();
  const std::string body = read_sample(expected.file);
  for (const std::size_t piece : {body.size(), std::size_t{1000}, std::size_t{1}}) {
    const VotableSummary summary = read_in_pieces(body, piece);
    EXPECT_EQ(summary.problem, Problem::none) << summary.problem_text;
    EXPECT_EQ(summary.serialization, expected.form == "-" ? "" : expected.form);
    EXPECT_EQ(joined_marks(summary), expected.status);
    EXPECT_EQ(summary.status, final_status(expected.status));
    EXPECT_EQ(summary.rows, expected.rows == "-" ? 0 : std::stoll(expected.rows));
    EXPECT_EQ(summary.columns, expected.columns == "-" ? 0 : std::stoll(expected.columns));
    EXPECT_EQ(summary.bytes_in, body.size());
    EXPECT_EQ(summary.bad_cells, 0U);
    if (summary.kind == BodyKind::votable) {
      EXPECT_EQ(summary.cells, static_cast<std::uint64_t>(summary.rows * summary.columns));
      EXPECT_EQ(static_cast<std::size_t>(summary.columns), summary.fields.size());
    }
    if (summary.status == "ERROR") {
      EXPECT_NE(summary.message, "");
    }
  }
}

TEST_P(EverySample, IsJudgedByItsStatus) {
  const Expectation& expected = GetParam();
  ExchangeFacts exchange;
  exchange.http_status = std::stoi(expected.http);
  const Judgement judgement = judge(exchange, read_in_pieces(read_sample(expected.file), 4096));
  const std::string status = final_status(expected.status);
  const std::map<std::string, Verdict> verdicts = {{"OK", Verdict::ok},
                                                   {"OVERFLOW", Verdict::overflow},
                                                   {"ERROR", Verdict::service_error},
                                                   {"", Verdict::not_votable}};
  EXPECT_EQ(to_string(judgement.verdict), to_string(verdicts.at(status)));
}

std::string test_name(const testing::TestParamInfo<Expectation>& sample) {
  std::string name = sample.param.file;
  for (char& c : name) {
    c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(VoSamples, EverySample, testing::ValuesIn(read_expectations()), test_name);

TEST(VoSamples, AreAllThere) {
  EXPECT_EQ(read_expectations().size(), 42U);
}

// Row 7, 14, 21: n_obs is null; 10, 20: mag_g; 11, 22: is_var; 13, 26: label is empty.
TEST(VoSamples, HaveTheSameNullsInEverySerialization) {
  for (const std::string name : {"tap-ok.td.xml", "tap-ok.binary.xml", "tap-ok.b2.xml", "tap-ok.binary.xml.gz"}) {
    EXPECT_EQ(read_votable(read_sample(name)).null_cells, 9U) << name;
  }
}

// Wherever a download is cut, it is seen; a table is never taken for a shorter complete one.
TEST(VoSamples, AreTruncatedWhereverTheyAreCut) {
  for (const std::string name : {"tap-overflow.td.xml", "tap-overflow.binary.xml", "tap-overflow.b2.xml",
                                 "tap-ok.binary.xml.gz", "tap-ok.fits", "scs-error-bad-ra.xml"}) {
    const std::string body = read_sample(name);
    const std::size_t end = body.find_last_not_of(" \n\r") + 1;
    const std::size_t last = name == "tap-ok.fits" ? 2880 + 1 : end;  // what pads a FITS file may be missing
    for (std::size_t size = 20; size < last; size += name.ends_with("fits") ? 80U : 1U) {
      const VotableSummary summary = read_votable(std::string_view(body).substr(0, size));
      ASSERT_EQ(to_string(summary.problem), "truncated") << name << " cut to " << size << ": " << summary.problem_text;
    }
  }
}

TEST(VoSamples, AreDescribedWithIntegersAndNulls) {
  const Json ok = describe(read_votable(read_sample("tap-overflow.b2.xml")));
  EXPECT_EQ(ok.integer("rows", -1), 10);
  EXPECT_EQ(ok.integer("columns", -1), 13);
  EXPECT_EQ(ok.text("serialization"), "BINARY2");
  EXPECT_EQ(ok.text("status"), "OVERFLOW");
  const Json error = describe(read_votable(read_sample("scs-error-bad-ra.xml")));
  EXPECT_TRUE(error.find("rows")->is_integer());
  EXPECT_TRUE(error.find("serialization")->is_null());
  EXPECT_EQ(error.text("status"), "ERROR");
  EXPECT_NE(error.text("message"), "");
  const Json csv = describe(read_votable(read_sample("tap-ok.csv")));
  EXPECT_TRUE(csv.find("status")->is_null());
}

}  // namespace
}  // namespace parallax::vo
