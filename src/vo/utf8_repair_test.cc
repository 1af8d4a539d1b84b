#include "vo/utf8_repair.h"

#include <gtest/gtest.h>

namespace parallax::vo {
namespace {

std::string repair_in_pieces(std::string_view text, std::size_t piece) {
  Utf8Repair repair;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += piece) {
    out += repair.repair(text.substr(i, piece));
  }
  return out;
}

TEST(Utf8Repair, LeavesGoodTextAsItIsHoweverItIsCut) {
  const std::string text = "plain ASCII text\r\n\tand \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x94\xad to the end";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(repair_in_pieces(text, piece), text) << piece;
  }
  Utf8Repair repair;
  EXPECT_EQ(repair.repair(text).data(), text.data());
  EXPECT_EQ(repair.bad_bytes(), 0U);
}

TEST(Utf8Repair, ReplacesAndCountsWhatXmlForbids) {
  struct Case {
    std::string_view text;
    std::string_view repaired;
    std::uint64_t bad;
  };

  const Case cases[] = {
      {"caf\xe9 x", "caf\xEF\xBF\xBD x", 1},
      {std::string_view("a\0b\x1f", 4),
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD",
       2},
      {"\xed\xa0\x80z", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz", 3},  // a surrogate
      {"\xc0\xafz", "\xEF\xBF\xBD\xEF\xBF\xBDz", 2},                  // '/' in two bytes
      {"\xf4\x90\x80\x80z", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz", 4},
      {"\xef\xbf\xbfz", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz", 3},  // U+FFFF
  };
  for (const Case& one : cases) {
    Utf8Repair repair;
    EXPECT_EQ(repair.repair(one.text), one.repaired);
    EXPECT_EQ(repair.bad_bytes(), one.bad);
    EXPECT_EQ(repair_in_pieces(one.text, 1), one.repaired);
  }
}

}  // namespace
}  // namespace parallax::vo
