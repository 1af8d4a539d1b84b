// The readers of what people write by hand: TOML, Python literals, CSV.
#include <gtest/gtest.h>

#include "codec/csv.h"
#include "codec/python_literal.h"
#include "codec/toml.h"

namespace parallax {
namespace {

std::string python(std::string_view text) {
  const Result<LocatedValue> value = parse_python_literal("f.py", text);
  return value ? value->to_json().dump() : value.error().message;
}

TEST(Toml, KeepsTheOrderOfTheTextAndEveryPlace) {
  const Result<TomlValue> root = parse_toml("f.toml", "b = 1\n[a]\nx = [1, 'two', 2.5, true]\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->to_json().dump(), R"({"b":1,"a":{"x":[1,"two",2.5,true]}})");
  const LocatedMember* x = root->find("a")->value.find("x");
  EXPECT_EQ(x->place, (Place{3, 1}));
  EXPECT_EQ(x->value.list()->at(1).place, (Place{3, 9}));
}

TEST(Toml, PointsAtASyntaxError) {
  const Result<TomlValue> root = parse_toml("f.toml", "a = 1\nb = = 2\n");
  ASSERT_FALSE(root);
  EXPECT_TRUE(root.error().message.starts_with("f.toml:2:5: ")) << root.error().message;
  EXPECT_TRUE(root.error().message.ends_with("\n  b = = 2\n      ^")) << root.error().message;
}

TEST(PythonLiteral, ReadsWhatServicemonFilesHold) {
  EXPECT_EQ(python("# first\n[\n {'a': 'x' \"y\"\n   '''z\nw''', 'n': -1.5e3,}, # c\n (1, 2,), None, True, (3), ()]\n"),
            R"([{"a":"xyz\nw","n":-1500.0},[1,2],null,true,3,[]])");
  EXPECT_EQ(python(R"(['a\n\x41\u00e9\'\d', r'\n', u'u', b"b", '\
joined', "\101"])"),
            R"(["a\nA)"
            "\xC3\xA9"
            R"('\\d","\\n","u","b","joined","A"])");
  EXPECT_EQ(python("[1_000, +5, .5, 1., -0.0]"), "[1000,5,0.5,1.0,-0.0]");
}

TEST(PythonLiteral, PointsAtWhatItCannotRead) {
  EXPECT_EQ(python("[1,\n 2"), "f.py:1:1: '[' is never closed\n  [1,\n  ^");
  EXPECT_EQ(python("{'a' 1}"), "f.py:1:6: ':' expected after the key 'a'\n  {'a' 1}\n       ^");
  EXPECT_EQ(python("['abc\n]"), "f.py:1:2: this string is not closed on its line\n  ['abc\n   ^");
  EXPECT_EQ(python("[open('x')]"),
            "f.py:1:2: 'open' is not a literal; only strings, numbers, lists, tuples, dictionaries, True, False and "
            "None are read\n  [open('x')]\n   ^");
  EXPECT_EQ(python("[1] + [2]"),
            "f.py:1:5: nothing may follow the value; a file holds one Python literal\n  [1] + [2]\n      ^");
  EXPECT_EQ(python("{'a': 1, 'a': 2}"),
            "f.py:1:10: key 'a' stands twice in this dictionary\n  {'a': 1, 'a': 2}\n           ^");
  EXPECT_EQ(python("[99999999999999999999]"),
            "f.py:1:2: '99999999999999999999' is not a number that can be read here\n  [99999999999999999999]\n   ^");
  EXPECT_EQ(python(""), "f.py:1:1: the file holds no value; a list of dictionaries is expected\n  \n  ^");
}

TEST(PythonLiteral, RefusesDepthAndCountAtTheLimit) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_python_literal("f", nested(65)));
  const Result<LocatedValue> deep = parse_python_literal("f", nested(66));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().kind, ErrorKind::refused);
  PythonLiteralLimits limits;
  limits.values_max = 3;
  EXPECT_TRUE(parse_python_literal("f", "[1,2]", limits));
  EXPECT_FALSE(parse_python_literal("f", "[1,2,3]", limits));
  limits.bytes_max = 2;
  EXPECT_FALSE(parse_python_literal("f", "[1]", limits));
}

TEST(Csv, ReadsQuotesLineEndsAndPlaces) {
  const auto records = parse_csv("f.csv", "a,b\r\n\"x,\"\"y\"\"\nz\",2\n\n,last");
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 3U);
  EXPECT_EQ((*records)[0][1].text, "b");
  EXPECT_EQ((*records)[1][0].text, "x,\"y\"\nz");
  EXPECT_EQ((*records)[1][1].place, (Place{3, 4}));
  EXPECT_EQ((*records)[2][0].text, "");
  EXPECT_EQ((*records)[2][1].text, "last");
}

TEST(Csv, PointsAtBrokenQuotes) {
  EXPECT_EQ(parse_csv("f", "a,\"b").error().message, "f:1:3: this quote is never closed\n  a,\"b\n    ^");
  EXPECT_EQ(parse_csv("f", "\"b\"c").error().message,
            "f:1:4: ',' or the end of the line expected after the closing quote\n  \"b\"c\n     ^");
}

TEST(Csv, DefusesFormulasInTextButNotInNumbers) {
  CsvLine line;
  EXPECT_EQ(line.text("=1+1").text("-x").text("a,\"b\"").number("-5").text("").take(),
            "'=1+1,'-x,\"a,\"\"b\"\"\",-5,\n");
  EXPECT_EQ(line.text("@x").take(), "'@x\n");
}

}  // namespace
}  // namespace parallax
