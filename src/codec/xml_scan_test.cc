#include "codec/xml_scan.h"

#include <gtest/gtest.h>

namespace parallax {
namespace {

// Writes what it is told as text; adjacent pieces of text as one. Stops at an element <stop>.
class Transcript final : public XmlHandler {
 public:
  void start_element(XmlName name, const XmlAttributes& /*attributes*/) override {
    out += "(" + std::string(name.local);
    in_text_ = false;
    stop = stop || name.local == "stop";
  }

  void end_element(XmlName /*name*/) override {
    out += ")";
    in_text_ = false;
  }

  void text(std::string_view piece) override {
    out += (in_text_ ? "" : "'") + std::string(piece);
    in_text_ = true;
  }

  std::string out;
  bool stop = false;

 private:
  bool in_text_ = false;
};

std::string scanned(std::string_view document, const XmlLimits& limits = {}) {
  Transcript transcript;
  const XmlScan result = scan_xml(document, transcript, limits, transcript.stop);
  return result == XmlScan::done ? transcript.out : result == XmlScan::stopped ? "stopped" : "gave up";
}

std::string parsed(std::string_view document) {
  Transcript transcript;
  XmlParser parser(transcript);
  const bool good = parser.push(document).has_value() && parser.finish().has_value();
  return good ? transcript.out : "error";
}

TEST(XmlScan, ReadsWhatMachinesWrite) {
  constexpr std::string_view kDocuments[] = {
      "<a/>",
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"urn:x\" b='c'>\n <b>1</b><c/></a>\n",
      "<?xml version='1.0'?><n:a><n:b >x</n:b ></n:a><!-- end -->",
      "<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x20AC;&#128512;</a>",
      "<a>ä€😀 ]] ] <![CDATA[<b>&amp;]]]]><!-- c -->d</a>",
      "<a><![CDATA[]]></a>",
      "<a>\t\n</a>",
  };
  for (const std::string_view document : kDocuments) {
    EXPECT_EQ(scanned(document), parsed(document)) << document;
  }
  EXPECT_EQ(scanned("<a>x<!-- - -->y<![CDATA[<]]>&lt;<b/></a>"), "(a'xy<<(b))");
}

TEST(XmlScan, GivesUpOnWhatItDoesNotKnow) {
  constexpr std::string_view kDocuments[] = {
      "<!DOCTYPE a><a/>",
      "<?pi x?><a/>",
      "<a><?pi x?></a>",
      "<ä/>",
      "<a>\r\n</a>",
      "\xEF\xBB\xBF<a/>",
      "<a b='&lt;'/>",
      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>",
      "<:a/>",
      "<a:/>",
  };
  for (const std::string_view document : kDocuments) {
    EXPECT_EQ(scanned(document), "gave up") << document;
  }
}

TEST(XmlScan, NeverTakesWhatIsNotWellFormed) {
  using namespace std::string_view_literals;
  constexpr std::string_view kDocuments[] = {
      "",
      "<",
      "<a",
      "<a>",
      "<a/",
      "<a></b>",
      "<a></ab>",
      "<?xml vErsion=\"1.0\"?><a/>",
      "<?xml version='1.0\"?><a/>",
      "<a/><b/>",
      "<a/>x",
      "x<a/>",
      "<a b/>",
      "<a b=c/>",
      "<a b='1'b='2'/>",
      "<a b='1' b='2'/>",
      "<a b='<'/>",
      "<a b='1/>",
      "<a>&x;</a>",
      "<a>&amp</a>",
      "<a>&#0;</a>",
      "<a>&#xD800;</a>",
      "<a>&#x110000;</a>",
      "<a>]]></a>",
      "<a>\x01</a>",
      "<a>\xC0\x80</a>",
      "<a>\xED\xA0\x80</a>",
      "<a>\xFF</a>",
      "<a>\xEF\xBF\xBF</a>",
      "<a><!-- -- --></a>",
      "<a><!-- x --->",
      "<a><![CDATA[x</a>",
      "</a>",
      "<1/>",
      "< a/>",

      "<a>\0</a>"sv,
  };
  for (const std::string_view document : kDocuments) {
    EXPECT_EQ(scanned(document), "gave up") << document;
    EXPECT_EQ(parsed(document), "error") << document;
  }
}

TEST(XmlScan, KeepsLimits) {
  XmlLimits limits;
  limits.depth_max = 2;
  EXPECT_EQ(scanned("<a><b/></a>", limits), "(a(b))");
  EXPECT_EQ(scanned("<a><b><c/></b></a>", limits), "gave up");
  limits.bytes_max = 3;
  EXPECT_EQ(scanned("<a/>", limits), "gave up");
}

TEST(XmlScan, StopsWhenTold) {
  EXPECT_EQ(scanned("<a><stop></a>"), "stopped");
  EXPECT_EQ(scanned("<stop/>"), "stopped");
}

}  // namespace
}  // namespace parallax
