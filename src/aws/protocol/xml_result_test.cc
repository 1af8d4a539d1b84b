#include "aws/protocol/xml_result.h"

#include <gtest/gtest.h>

#include "aws/model/pack.h"

namespace parallax::aws {
namespace {

constexpr std::string_view kModel = R"({
  "metadata": {"protocol": "query"},
  "operations": {"Get": {"output": {"shape": "Out", "resultWrapper": "GetResult"}}, "Bare": {"output": {"shape": "Out"}}},
  "shapes": {
    "Out": {"type": "structure", "members": {
      "B": {"shape": "Number"}, "A": {"shape": "Text", "locationName": "a"}, "Flat": {"shape": "FlatList"},
      "Named": {"shape": "FlatNamed"}, "Map": {"shape": "Map"}, "FlatMap": {"shape": "FlatMap"},
      "List": {"shape": "List"}, "Flag": {"shape": "Flag"}, "Self": {"shape": "Out"}, "Plain": {"shape": "Plain"}}},
    "Plain": {"type": "structure", "members": {"X": {"shape": "Text"}, "Y": {"shape": "Text"}}},
    "FlatList": {"type": "list", "member": {"shape": "Number"}, "flattened": true},
    "FlatNamed": {"type": "list", "member": {"shape": "Text", "locationName": "n"}, "flattened": true},
    "List": {"type": "list", "member": {"shape": "Text", "locationName": "item"}},
    "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Number"}},
    "FlatMap": {"type": "map", "key": {"shape": "Text", "locationName": "k"}, "value": {"shape": "Text", "locationName": "v"},
                "flattened": true},
    "Text": {"type": "string"}, "Number": {"type": "integer"}, "Flag": {"type": "boolean"}}})";

const Operation& operation(std::string_view name) {
  static const std::unique_ptr<ServiceModel> kModelRead =
      load_service("tiny", pack_service("tiny", {parse_json(kModel).value(), {}, {}}, nullptr).value()).value();
  return *kModelRead->find_operation(name);
}

std::string read(std::string_view inner) {
  const Result<Json> result = read_xml_result(
      operation("Get"), "<GetResponse xmlns='urn:x'><GetResult>" + std::string(inner) + "</GetResult></GetResponse>");
  return result ? result->dump() : result.error().message;
}

TEST(XmlResult, PutsMembersInTheModelsOrder) {
  EXPECT_EQ(read("<Plain><Y>y</Y><X>x</X></Plain><a>t &amp; u</a><B> 5 </B>"),
            R"({"B":5,"A":"t & u","Plain":{"X":"x","Y":"y"}})");
}

TEST(XmlResult, GathersFlattenedListsAndMaps) {
  EXPECT_EQ(read("<Flat>1</Flat><n>x</n><Flat>2</Flat><FlatMap><k>a</k><v>1</v></FlatMap><n/>"
                 "<FlatMap><v>2</v><k>b</k></FlatMap><Flat>3</Flat>"),
            R"({"Flat":[1,2,3],"Named":["x",""],"FlatMap":{"a":"1","b":"2"}})");
}

TEST(XmlResult, ReadsMapsByTheLastOfEqualKeys) {
  EXPECT_EQ(read("<Map><entry><key>a</key><value>1</value><why/></entry><entry><value>2</value><key>b</key></entry>"
                 "<entry><key>a</key><value>3</value></entry><entry><key>lonely</key></entry></Map>"),
            R"({"Map":{"b":2,"a":3}})");
}

TEST(XmlResult, CountsTheFirstOfWhatShouldComeOnce) {
  EXPECT_EQ(read("<B>1</B><B>2</B><Plain><X>1</X><X>2</X></Plain>"), R"({"B":1,"Plain":{"X":"1"}})");
}

TEST(XmlResult, PassesOverWhatTheModelDoesNotKnow) {
  EXPECT_EQ(read("noise<New><B>9</B></New><Self><B>1</B>noise<New/><Self/></Self><a>x<b>y</b>z</a>"),
            R"({"A":"xz","Self":{"B":1,"Self":{}}})");
}

TEST(XmlResult, TellsEmptyListsFromMissingOnes) {
  EXPECT_EQ(read("<List/><Map/><B/><a/><Flag/>"), R"({"A":"","Map":{},"List":[],"Flag":false})");
  EXPECT_EQ(read(""), "{}");
}

TEST(XmlResult, ReadsTheRootWhereNothingWrapsTheResult) {
  EXPECT_EQ(read_xml_result(operation("Bare"), "<BareResponse><B>1</B></BareResponse>").value().dump(), R"({"B":1})");
}

// The general parser reads what the fast one gives up on; both must come to the same.
TEST(XmlResult, ReadsAlikeWithBothParsers) {
  const std::string plain = "<r><GetResult><B>1</B><List><item>x</item>\n<item/></List></GetResult></r>";
  const Json wanted = read_xml_result(operation("Get"), plain).value();
  EXPECT_EQ(read_xml_result(operation("Get"), "<!DOCTYPE r>" + plain).value(), wanted);
  EXPECT_EQ(read_xml_result(operation("Get"), "\xEF\xBB\xBF" + plain).value(), wanted);
}

TEST(XmlResult, SaysWhatIsNoAnswer) {
  EXPECT_EQ(read("<B>many</B>"), "'many' where a number belongs");
  EXPECT_EQ(read("<B>1</C>"), "the answer is not XML: XML line 1, column 45: mismatched tag");
  EXPECT_EQ(read_xml_result(operation("Get"), "<!DOCTYPE r><r><GetResult><B>x</B></GetResult></r>").error().message,
            "'x' where a number belongs");
  const Result<Json> other = read_xml_result(operation("Get"), "<html><body/></html>");
  EXPECT_EQ(other.error().message, "the answer has no <GetResult> but is a <html>");
  EXPECT_EQ(other.error().code, "bad-answer");
}

TEST(XmlResult, RefusesAnAnswerThatIsTooDeep) {
  std::string deep;
  for (int i = 0; i < 300; ++i) {
    deep += "<Self>";
  }
  const Result<Json> result = read_xml_result(operation("Bare"), "<r>" + deep);
  EXPECT_EQ(result.error().kind, ErrorKind::refused);
  EXPECT_EQ(result.error().code, "xml-depth");
}

}  // namespace
}  // namespace parallax::aws
