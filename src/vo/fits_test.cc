// FITS tables: as a file of their own and in the STREAM of a VOTable.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "codec/gzip.h"
#include "test_data.h"
#include "vo/votable.h"

namespace parallax::vo {
namespace {

std::string padded(std::string text, char filler) {
  text.resize((text.size() + 2879) / 2880 * 2880, filler);
  return text;
}

std::string header(const std::vector<std::string>& cards) {
  std::string text;
  for (const std::string& card : cards) {
    text += fmt::format("{:<80}", card);
  }
  return padded(text + fmt::format("{:<80}", "END"), ' ');
}

std::string primary() {
  return header({"SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0"});
}

// A binary table whose rows have `row_bytes` bytes, with `heap` bytes after them.
std::string table(std::uint64_t rows, std::uint64_t row_bytes, int columns, std::uint64_t heap = 0) {
  return header({"XTENSION= 'BINTABLE'", "BITPIX  =                    8", "NAXIS   =                    2",
                 fmt::format("NAXIS1  = {:>20}", row_bytes), fmt::format("NAXIS2  = {:>20}", rows),
                 fmt::format("PCOUNT  = {:>20}", heap), "GCOUNT  =                    1",
                 fmt::format("TFIELDS = {:>20}", columns)}) +
         padded(std::string(rows * row_bytes + heap, 'x'), '\0');
}

std::string in_votable(std::string_view text, std::string_view encoding = "base64", std::string_view attributes = "",
                       int fields = 2) {
  std::string document =
      "<VOTABLE version='1.4' xmlns='http://www.ivoa.net/xml/VOTable/v1.3'><RESOURCE type='results'>"
      "<INFO name='QUERY_STATUS' value='OK'/><TABLE>";
  for (int i = 0; i < fields; ++i) {
    document += fmt::format("<FIELD name='f{}' datatype='int'/>", i);
  }
  return document + fmt::format(
                        "<DATA><FITS {}><STREAM encoding='{}'>{}</STREAM></FITS></DATA></TABLE>"
                        "<INFO name='QUERY_STATUS' value='OVERFLOW'/></RESOURCE></VOTABLE>",
                        attributes, encoding, text);
}

VotableSummary read_fits(std::string_view file, std::string_view attributes = "", int fields = 2) {
  return read_votable(in_votable(base64_encode(file), "base64", attributes, fields));
}

bool has_finding(const VotableSummary& summary, std::string_view code) {
  return std::any_of(summary.findings.begin(), summary.findings.end(),
                     [&](const Finding& finding) { return finding.code == code; });
}

TEST(FitsInVotable, IsCountedAndTheStatusAfterItIsRead) {
  const VotableSummary summary = read_fits(primary() + table(700, 8, 2));
  EXPECT_EQ(summary.problem, Problem::none) << summary.problem_text;
  EXPECT_EQ(summary.serialization, "FITS");
  EXPECT_TRUE(summary.rows_counted);
  EXPECT_EQ(summary.rows, 700);
  EXPECT_EQ(summary.columns, 2);
  EXPECT_EQ(summary.status, "OVERFLOW");
  EXPECT_TRUE(summary.findings.empty());
}

TEST(FitsInVotable, OfARealServerHasTheRowsOfItsFile) {
  std::ifstream file(PARALLAX_TEST_DATA "/vo-samples/tap-ok.fits", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string body = in_votable(base64_encode(text.str()), "base64", "", 5);
  for (const std::size_t piece : {body.size(), std::size_t{1000}, std::size_t{1}}) {
    VotableReader reader;
    for (std::size_t i = 0; i < body.size(); i += piece) {
      ASSERT_TRUE(reader.push(std::string_view(body).substr(i, piece)).has_value());
    }
    const VotableSummary summary = reader.finish();
    EXPECT_EQ(summary.problem, Problem::none) << summary.problem_text;
    EXPECT_EQ(summary.rows, 26);
    EXPECT_FALSE(has_finding(summary, "fits-fields"));
  }
}

TEST(FitsInVotable, IsInflatedWhereTheEncodingSaysSo) {
  const VotableSummary summary =
      read_votable(in_votable(base64_encode(gzip_compress(primary() + table(3, 8, 2))), "gzip+base64"));
  EXPECT_EQ(summary.problem, Problem::none) << summary.problem_text;
  EXPECT_EQ(summary.rows, 3);
}

TEST(FitsInVotable, IsTheExtensionThatExtnumNames) {
  const std::string file = primary() + table(3, 8, 2, 10) + table(5, 4, 1);
  EXPECT_EQ(read_fits(file).rows, 3);
  EXPECT_EQ(read_fits(file, "extnum='1'").rows, 3);
  EXPECT_EQ(read_fits(file, "extnum=' 2 '", 1).rows, 5);
  EXPECT_EQ(read_fits(file, "extnum='two'").rows, 3);
  const VotableSummary none = read_fits(file, "extnum='3'");
  EXPECT_EQ(none.problem, Problem::not_votable);
  EXPECT_EQ(none.problem_code, "fits");
  EXPECT_NE(none.problem_text.find("extension 3"), std::string::npos);
}

TEST(FitsInVotable, HasNoMoreRowsThanItsBytes) {
  const std::string file = primary() + table(1000, 8, 2);
  const VotableSummary cut = read_fits(std::string_view(file).substr(0, 2 * 2880 + 8 * 10 + 3));
  EXPECT_EQ(cut.problem, Problem::truncated);
  EXPECT_EQ(cut.problem_code, "fits-truncated");
  EXPECT_EQ(cut.rows, 10);
  EXPECT_FALSE(cut.rows_counted);
  EXPECT_EQ(cut.status, "OVERFLOW");
  const VotableSummary alone = read_votable(std::string_view(file).substr(0, 2 * 2880 + 8 * 10 + 3));
  EXPECT_EQ(alone.problem_code, "fits-truncated");
  EXPECT_EQ(alone.rows, 10);
}

TEST(FitsInVotable, IsNotBelievedWithRowsThatTakeNoBytes) {
  const std::string claim =
      header({"XTENSION= 'BINTABLE'", "BITPIX  =                    8", "NAXIS1  =                    0",
              "NAXIS2  =        1000000000000", "TFIELDS =                    2"});
  EXPECT_EQ(read_fits(primary() + claim).rows, 0);
}

TEST(FitsInVotable, IsDamagedWhereItIsNoFits) {
  const VotableSummary summary = read_fits(padded("not a FITS file at all", ' '));
  EXPECT_EQ(summary.problem, Problem::not_votable);
  EXPECT_EQ(summary.problem_code, "fits");
  EXPECT_EQ(read_fits(primary()).problem_code, "fits");
}

TEST(FitsInVotable, TellsWhereItHasOtherColumnsThanTheDocument) {
  EXPECT_TRUE(has_finding(read_fits(primary() + table(3, 8, 7)), "fits-fields"));
}

TEST(FitsInVotable, IsRefusedBeyondTheLimitOfRows) {
  VotableOptions options;
  options.limits.rows_max = 5;
  const VotableSummary summary = read_votable(in_votable(base64_encode(primary() + table(6, 8, 2))), options);
  EXPECT_EQ(summary.problem, Problem::refused);
  EXPECT_EQ(summary.problem_code, "rows");
}

// A size that wraps around would have the reader take the heap for the next header.
TEST(FitsInVotable, EndsEarlyWhereItsSizeIsBeyondEveryNumber) {
  const std::string claim =
      header({"XTENSION= 'BINTABLE'", "BITPIX  =                   64", "NAXIS1  =        1099511627776",
              "NAXIS2  =        1099511627776", "PCOUNT  =                    1", "TFIELDS =                    2"});
  EXPECT_EQ(read_fits(primary() + claim + std::string(2880, 'x')).problem_code, "fits-truncated");
}

}  // namespace
}  // namespace parallax::vo
