#include "aws/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

using ::testing::HasSubstr;

// tests/aws/flow_oracle.py compares with Python's library; here is what its documents do not reach.
std::string search(std::string_view expression, std::string_view document) {
  const Result<Expression> parsed = Expression::parse(expression);
  if (!parsed) {
    return parsed.error().message;
  }
  const Result<Json> found = parsed->search(parse_json(document).value());
  return found ? found->dump() : found.error().code + ": " + found.error().message;
}

TEST(Expression, SelectsMembersItemsAndProjections) {
  constexpr std::string_view kDocument = R"({"a":{"b":[{"c":1},{"c":2},{"d":3}]},"x y":4,"l":[[1,2],[3],4]})";

  const struct {
    const char* expression;
    const char* value;
  } kRows[] = {
      {"a.b[0].c", "1"},
      {"a.b[-2].c", "2"},
      {"a.b[7].c", "null"},
      {"a.b[].c", "[1,2]"},
      {"a.b[*].c", "[1,2]"},
      {"a.*[0]", R"([{"c":1}])"},
      {"a.*[0].c", "null"},
      {"\"x y\"", "4"},
      {"l[]", "[1,2,3,4]"},
      {"l[][]", "[1,2,3,4]"},
      {"nothing.b[].c", "null"},
      {"a.b[?c > `1`].c", "[2]"},
      {"a.b[?d].d", "[3]"},
      {"a.b[?!d].c", "[1,2]"},
      {"length(a.b)", "3"},
      {"length(a.b[?c]) == length(a.b)", "false"},
      {"length(nothing || '') > `0`", "false"},
      {"length('äöü')", "3"},
      {"contains(l, `4`)", "true"},
      {"contains(l[0], `4`)", "false"},
      {"contains('abc', 'bc')", "true"},
      {"a.b[0].c == `1.0`", "true"},
      {"a.b[0].c == `true`", "false"},
      {"'text' < `1`", "null"},
      {"a && `0`", "0"},
      {"!`0`", "false"},
      {"'it\\'s'", "\"it's\""},
  };

  for (const auto& row : kRows) {
    EXPECT_EQ(search(row.expression, kDocument), row.value) << row.expression;
  }
}

TEST(Expression, RefusesTheRestOfTheLanguageByPosition) {
  const struct {
    const char* expression;
    const char* message;
  } kRows[] = {
      {"a[0:2]", "column 4: ':' is not supported in 'a[0:2]'"},
      {"a.[b, c]", "column 3: a list of expressions is not supported in 'a.[b, c]'"},
      {"a[b]", "column 2: a list of expressions is not supported in 'a[b]'"},
      {"{a: b}", "column 1: '{' is not supported in '{a: b}'"},
      {"a | b", "column 3: '|' is not supported in 'a | b'"},
      {"length(@)", "column 8: '@' is not supported in 'length(@)'"},
      {"sort_by(a, &b)", "column 12: '&' is not supported in 'sort_by(a, &b)'"},
      {"a && keys(b)", "column 6: function 'keys' is not supported in 'a && keys(b)'"},
      {"length(a, b)", "column 9: unexpected , in 'length(a, b)'"},
      {"a ==", "column 5: the expression ends too early in 'a =='"},
      {"", "column 1: the expression ends too early in ''"},
      {"a b", "column 3: unexpected b in 'a b'"},
      {"'a", "column 1: a quote that is not closed in ''a'"},
      {"`{`", "column 1: a literal that is not JSON in '`{`'"},
      {"\"length\"(a)", "column 9: a call of what is no function's name in '\"length\"(a)'"},
  };

  for (const auto& row : kRows) {
    EXPECT_EQ(search(row.expression, "{}"), row.message);
  }
}

TEST(Expression, SaysWhenAFunctionIsGivenTheWrongThing) {
  EXPECT_EQ(search("length(a) == `0`", "{}"), "expression-type: length() of null in 'length(a) == `0`'");
  EXPECT_EQ(search("contains(a, 'b')", R"({"a":1})"), "expression-type: contains() of integer in 'contains(a, 'b')'");
}

TEST(Expression, HasLimits) {
  EXPECT_THAT(search(std::string(5000, 'a'), "{}"), HasSubstr("more than 4096 bytes"));
  EXPECT_THAT(search(std::string(65, '(') + "a" + std::string(65, ')'), "{}"), HasSubstr("too deeply nested"));
  EXPECT_EQ(search(std::string(63, '(') + "a" + std::string(63, ')'), R"({"a":1})"), "1");
  std::string chain = "a";
  for (int i = 0; i < 257; ++i) {
    chain += ".a";
  }
  EXPECT_THAT(search(chain, "{}"), HasSubstr("too many operators"));
}

}  // namespace
}  // namespace parallax::aws
