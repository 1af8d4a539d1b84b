#include <fmt/format.h>
#include <gtest/gtest.h>

#include "vo/votable.h"

namespace parallax::vo {
namespace {

constexpr std::string_view kTable =
    "<TABLE><FIELD name='n' datatype='int'/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>";

std::string info(std::string_view name, std::string_view value, std::string_view content = "") {
  return fmt::format("<INFO name='{}' value='{}'>{}</INFO>", name, value, content);
}

VotableSummary read_results(std::string_view inside) {
  return read_votable(fmt::format("<VOTABLE xmlns='v'><RESOURCE type='results'>{}</RESOURCE></VOTABLE>", inside));
}

bool has_finding(const VotableSummary& summary, std::string_view code) {
  for (const Finding& finding : summary.findings) {
    if (finding.code == code) {
      return true;
    }
  }
  return false;
}

TEST(StatusMarks, LastQueryStatusWins) {
  const std::string ok = info("QUERY_STATUS", "OK");
  const VotableSummary overflow = read_results(ok + std::string(kTable) + info("QUERY_STATUS", "OVERFLOW", "cut at 1"));
  EXPECT_EQ(overflow.status, "OVERFLOW");
  EXPECT_EQ(overflow.message, "cut at 1");
  const VotableSummary error = read_results(ok + std::string(kTable) + info("QUERY_STATUS", "ERROR", "disk full"));
  EXPECT_EQ(error.status, "ERROR");
  EXPECT_EQ(error.message, "disk full");
  EXPECT_EQ(error.rows, 1);
  ASSERT_EQ(error.marks.size(), 2U);
  EXPECT_EQ(error.marks[0].value, "OK");
}

struct ErrorCase {
  std::string_view name;
  std::string body;
};

TEST(StatusMarks, FindsAConeSearchErrorInEveryPlaceAndSpelling) {
  const ErrorCase cases[] = {
      {"INFO at VOTABLE", "<VOTABLE>" + info("Error", "bad SR") + "</VOTABLE>"},
      {"INFO in RESOURCE", "<VOTABLE><RESOURCE>" + info("ERROR", "bad SR") + "</RESOURCE></VOTABLE>"},
      {"PARAM in RESOURCE", "<VOTABLE><RESOURCE><PARAM name='error' value='bad SR'/></RESOURCE></VOTABLE>"},
      {"PARAM in DEFINITIONS", "<VOTABLE><DEFINITIONS><PARAM name='Error' value='bad SR'/></DEFINITIONS></VOTABLE>"},
      {"INFO in TABLE", "<VOTABLE><RESOURCE><TABLE>" + info("Error", "bad SR") + "</TABLE></RESOURCE></VOTABLE>"},
      {"in the text", "<VOTABLE><INFO name='Error'>bad SR</INFO></VOTABLE>"},
      {"after QUERY_STATUS OK",
       "<VOTABLE><RESOURCE>" + info("QUERY_STATUS", "OK") + info("Error", "bad SR") + "</RESOURCE></VOTABLE>"},
      {"before QUERY_STATUS OK",
       "<VOTABLE><RESOURCE>" + info("Error", "bad SR") + info("QUERY_STATUS", "OK") + "</RESOURCE></VOTABLE>"},
      {"after rows", "<VOTABLE><RESOURCE>" + std::string(kTable) + info("Error", "bad SR") + "</RESOURCE></VOTABLE>"},
      {"cut before the end", "<VOTABLE><RESOURCE>" + info("Error", "bad SR")},
  };
  for (const ErrorCase& sample : cases) {
    const VotableSummary summary = read_votable(sample.body);
    EXPECT_EQ(summary.status, "ERROR") << sample.name;
    EXPECT_EQ(summary.message, "bad SR") << sample.name;
  }
}

TEST(StatusMarks, FindAnErrorThatIsNamedByItsIdAlone) {
  EXPECT_EQ(read_results("<INFO ID='Error' value='no RA'/>").message, "no RA");
  EXPECT_EQ(read_results("<INFO name='note' ID='Error' value='no RA'/>").status, "");
}

TEST(StatusMarks, TakeATablesOwnParameterForAQuantity) {
  const VotableSummary empty =
      read_results(info("QUERY_STATUS", "OK") +
                   "<TABLE><PARAM name='error' datatype='float' value='0.1'/><FIELD name='n' datatype='int'/></TABLE>");
  EXPECT_EQ(empty.status, "OK");
  EXPECT_EQ(read_results("<TABLE><FIELD name='n' datatype='int'/>" + info("Error", "late") + "</TABLE>").status,
            "ERROR");
}

TEST(StatusMarks, LetRowsOverruleAnEarlierErrorMark) {
  const VotableSummary summary = read_results(info("Error", "?") + info("QUERY_STATUS", "OK") + std::string(kTable));
  EXPECT_EQ(summary.status, "OK");
  EXPECT_TRUE(has_finding(summary, "error-mark-with-rows"));
  EXPECT_EQ(read_results(info("Error", "?") + std::string(kTable)).status, "");
}

TEST(StatusMarks, ForgetRowsOfATableThatDoesNotCount) {
  const std::string meta = fmt::format("<RESOURCE type='meta'>{}</RESOURCE>", kTable);
  const std::string body = "<VOTABLE>" + meta + "<RESOURCE type='results'>" + info("Error", "none") +
                           "<TABLE><FIELD datatype='int'/></TABLE></RESOURCE></VOTABLE>";
  EXPECT_EQ(read_votable(body).status, "ERROR");
}

TEST(StatusMarks, ReadAStatusThatStandsInTheText) {
  const VotableSummary summary = read_results("<INFO name='QUERY_STATUS'>ERROR: no such table</INFO>");
  EXPECT_EQ(summary.status, "ERROR");
  EXPECT_EQ(summary.message, "no such table");
  EXPECT_TRUE(has_finding(summary, "status-in-text"));
  EXPECT_EQ(read_results("<INFO name='query_status' value=' ok '/>").status, "OK");
}

TEST(StatusMarks, FindAStatusAtTheRootAndInTheTable) {
  const VotableSummary root = read_votable("<VOTABLE>" + info("QUERY_STATUS", "ERROR", "x") + "</VOTABLE>");
  EXPECT_EQ(root.status, "ERROR");
  EXPECT_TRUE(has_finding(root, "status-at-root"));
  const VotableSummary inside = read_results("<TABLE>" + info("QUERY_STATUS", "OVERFLOW") + "</TABLE>");
  EXPECT_EQ(inside.status, "OVERFLOW");
  EXPECT_TRUE(has_finding(inside, "status-in-table"));
}

TEST(StatusMarks, SayNothingForAnUnknownWord) {
  const VotableSummary summary = read_results(info("QUERY_STATUS", "MAYBE") + std::string(kTable));
  EXPECT_EQ(summary.status, "");
  EXPECT_TRUE(has_finding(summary, "status-unknown"));
}

TEST(StatusMarks, KeepTheLastOneOfVeryMany) {
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    many += info("QUERY_STATUS", "OK");
  }
  const VotableSummary summary = read_results(many + info("QUERY_STATUS", "ERROR", "end"));
  EXPECT_EQ(summary.marks.size(), 100U);
  EXPECT_EQ(summary.status, "ERROR");
}

TEST(StatusMarks, CutALongMessage) {
  const VotableSummary summary = read_results(info("QUERY_STATUS", "ERROR", std::string(100'000, 'x')));
  EXPECT_EQ(summary.message.size(), kMessageMax);
}

}  // namespace
}  // namespace parallax::vo
