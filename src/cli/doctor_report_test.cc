#include "cli/doctor_report.h"

#include <gtest/gtest.h>

namespace parallax::cli {
namespace {

Check ok(const char* region = "") {
  return {"region", "x", Verdict::ok, "fine", "", region};
}

Check bad(const char* region = "") {
  return {"region", "y", Verdict::problem, "broken", "mend it", region};
}

TEST(DoctorReport, EndsWith3WhereSomeRegionsAreBad) {
  EXPECT_EQ(exit_code_of({ok(), ok("a"), ok("b")}), 0);
  EXPECT_EQ(exit_code_of({ok(), ok("a"), bad("b")}), 3);
  EXPECT_EQ(exit_code_of({ok(), bad("a"), bad("b")}), 1);
  EXPECT_EQ(exit_code_of({bad(), ok("a"), ok("b")}), 1);
  EXPECT_EQ(exit_code_of({{"quota", "vCPUs", Verdict::unknown, "?", "", ""}, ok("a")}), 0);
}

TEST(DoctorReport, TellsOnceWhatToDo) {
  EXPECT_EQ(report_text({ok("a"), bad("b"), bad("c")}),
            "verdict  check      found\n"
            "ok       region: x  fine\n"
            "problem  region: y  broken\n"
            "problem  region: y  broken\n"
            "\n"
            "What to do:\n"
            "  region: y: mend it\n");
}

TEST(DoctorReport, GivesTheWorstVerdictAsJson) {
  const Json json = report_to_json({ok("a"), bad()});
  EXPECT_EQ(json.text("verdict"), "problem");
  EXPECT_EQ(json.list("checks")[0].dump(),
            R"({"area":"region","name":"x","region":"a","verdict":"ok","found":"fine","advice":null})");
}

}  // namespace
}  // namespace parallax::cli
