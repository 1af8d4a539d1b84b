#include "codec/json.h"

#include <string>

#include <gtest/gtest.h>

namespace parallax {
namespace {

TEST(Json, WritesWhatItRead) {
  const std::string text = R"({"a":[1,-2,3.5,true,null,"x\"\\\n\u001b"],"b":{"c":9007199254740993}})";
  const Result<Json> value = parse_json(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->dump(), text);
}

TEST(Json, TellsLineAndColumn) {
  const Result<Json> value = parse_json("{\"a\": 1,\n  \"b\": }");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message.substr(0, 18), "line 2, column 8: ");
}

TEST(Json, RefusesRepeatedNamesAndDepth) {
  EXPECT_FALSE(parse_json(R"({"a":1,"a":2})"));
  const Result<Json> deep = parse_json(std::string(100, '[') + std::string(100, ']'));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().kind, ErrorKind::refused);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "nul", "1 2", "'a'", "NaN"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
}

TEST(Json, CanonicalTextDoesNotDependOnOrder) {
  EXPECT_EQ(parse_json(R"({"b":1,"a":{"d":1,"c":2}})")->canonical(),
            parse_json(R"({"a":{"c":2,"d":1},"b":1})")->canonical());
}

TEST(Json, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(Json("a\xff").dump(), "\"a\xEF\xBF\xBD\"");
}

TEST(Json, ComparesByValue) {
  EXPECT_EQ(parse_json("[1,1.0]")->items()->at(0), parse_json("[1,1.0]")->items()->at(1));
  EXPECT_FALSE(Json(1) == Json("1"));
  EXPECT_EQ(parse_json(R"({"b":1,"a":2})").value(), parse_json(R"({"a":2,"b":1})").value());
}

TEST(Json, QuotesForHtml) {
  EXPECT_EQ(json_quote("</script>"), "\"\\u003c/script>\"");
}

}  // namespace
}  // namespace parallax
