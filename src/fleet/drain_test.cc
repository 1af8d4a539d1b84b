#include "fleet/drain.h"

#include <gtest/gtest.h>

namespace parallax::fleet {
namespace {

TEST(Drain, ReadsTheLastCountOfTheOutput) {
  const std::optional<SpoolCount> count = parse_drain_output("4 stored\nparallax-spool 9 9\nparallax-spool 3 1\n");
  ASSERT_TRUE(count);
  EXPECT_EQ(count->waiting, 3);
  EXPECT_EQ(count->rejected, 1);
}

TEST(Drain, TakesNothingElseForACount) {
  for (const char* output : {"", "parallax-spool", "parallax-spool 3", "parallax-spool -1 0", "parallax-spool 1 2 3",
                             "parallax-spool 1 x", "x parallax-spool 1 2"}) {
    EXPECT_FALSE(parse_drain_output(output)) << output;
  }
}

TEST(Drain, SendsOnlyWhereThereIsACollector) {
  EXPECT_EQ(drain_script("").find("spool send"), std::string::npos);
  EXPECT_NE(drain_script("https://c.example/a'b").find("--collector 'https://c.example/a'\\''b'"), std::string::npos);
}

}  // namespace
}  // namespace parallax::fleet
