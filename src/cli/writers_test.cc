#include "cli/writers.h"

#include <gtest/gtest.h>

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
  auto writer = make_writer(format);
  testing::internal::CaptureStdout();
  writer.value()->write(measurement);
  return testing::internal::GetCapturedStdout();
}

TEST(Writers, LetNoForeignTextActOnATerminalOrASpreadsheet) {
  for (const char* format : {"table", "csv", "ndjson"}) {
    EXPECT_EQ(written(format, foreign()).find('\x1b'), std::string::npos) << format;
  }
  const std::string csv = written("csv", foreign());
  EXPECT_NE(csv.find(",'=cmd|"), std::string::npos);
  EXPECT_NE(csv.find(",\\x1b[31mred,"), std::string::npos);
}

TEST(Writers, KeepTheLinesOfAQueryInCsv) {
  EXPECT_NE(written("csv", foreign()).find("\"SELECT *\nFROM t\""), std::string::npos);
}

}  // namespace
}  // namespace parallax::cli
