#include "codec/xml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace parallax {
namespace {

// Writes down what it is told, in one line.
class Recorder : public XmlHandler {
 public:
  void start_element(XmlName name, const XmlAttributes& attributes) override {
    log += fmt::format("<{}|{}", name.prefix, name.local);
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      log += fmt::format(" {}={}", attributes.name(i), attributes.value(i));
    }
    log += '>';
  }

  void end_element(XmlName name) override { log += fmt::format("</{}>", name.local); }

  void text(std::string_view piece) override { log += piece; }

  std::string log;
};

struct Parsed {
  std::string log;
  Result<> result;
};

Parsed parse(std::string_view text, XmlLimits limits = {}, std::size_t piece = 1 << 20) {
  Recorder recorder;
  XmlParser parser(recorder, limits);
  Parsed parsed;
  for (std::size_t i = 0; i < text.size() && parsed.result; i += piece) {
    parsed.result = parser.push(text.substr(i, piece));
  }
  if (parsed.result) {
    parsed.result = parser.finish();
  }
  parsed.log = recorder.log;
  return parsed;
}

std::string code_of(std::string_view text, XmlLimits limits = {}) {
  const Parsed parsed = parse(text, limits);
  return parsed.result ? "ok" : parsed.result.error().code;
}

TEST(XmlParser, TellsElementsAttributesAndTextHoweverTheyAreCut) {
  const std::string_view text =
      "<?xml version='1.0'?><!DOCTYPE a SYSTEM 'http://x.invalid/a.dtd'><v:a x='1' v:y=\"&lt;2\">t&#65;<!-- no "
      "--><b/><![CDATA[<c>]]></v:a>\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, text.size()}) {
    const Parsed parsed = parse(text, {}, piece);
    EXPECT_TRUE(parsed.result.has_value());
    EXPECT_EQ(parsed.log, "<v|a x=1 v:y=<2>tA<|b></b><c></a>");
  }
}

TEST(XmlParser, TellsAnEarlyEndFromDamageAndFromWhatFollowsTheRoot) {
  EXPECT_EQ(code_of("<a><b>"), "xml-truncated");
  EXPECT_EQ(code_of("<a><b"), "xml-truncated");
  EXPECT_EQ(code_of("<a><![CDATA[x"), "xml-truncated");
  EXPECT_EQ(code_of(""), "xml-truncated");
  EXPECT_EQ(code_of("<a><b></a>"), "xml-malformed");
  EXPECT_EQ(code_of("<a>&nbsp;</a>"), "xml-malformed");
  EXPECT_EQ(code_of("<a/><b/>"), "xml-trailing");
}

TEST(XmlParser, SaysWhereTheErrorIs) {
  const Parsed parsed = parse("<a>\n <b></c>\n</a>");
  EXPECT_EQ(parsed.result.error().message, "XML line 2, column 7: mismatched tag");
}

TEST(XmlParser, RefusesEntityDeclarationsOfAnyKind) {
  EXPECT_EQ(code_of("<!DOCTYPE a [<!ENTITY e 'eeee'>]><a>&e;</a>"), "xml-entity");
  EXPECT_EQ(code_of("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"), "xml-entity");
  EXPECT_EQ(code_of("<!DOCTYPE a [<!ENTITY % e SYSTEM 'http://x.invalid/'>%e;]><a/>"), "xml-entity");
  EXPECT_EQ(code_of("<!DOCTYPE a [<!ELEMENT a ANY>]><a/>"), "ok");
}

TEST(XmlParser, TakesWhatIsAtALimitAndRefusesWhatIsOverIt) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) {
      text += "<a>";
    }
    for (int i = 0; i < depth; ++i) {
      text += "</a>";
    }
    return text;
  };
  EXPECT_EQ(code_of(nested(256)), "ok");
  EXPECT_EQ(code_of(nested(257)), "xml-depth");
  XmlLimits limits;
  limits.attributes_max = 2;
  limits.attribute_bytes_max = 3;
  limits.name_bytes_max = 5;
  limits.bytes_max = 40;
  EXPECT_EQ(code_of("<a b='1' c='123'/>", limits), "ok");
  EXPECT_EQ(code_of("<a b='1' c='2' d='3'/>", limits), "xml-attributes");
  EXPECT_EQ(code_of("<a b='1234'/>", limits), "xml-attribute-size");
  EXPECT_EQ(code_of("<abcdef/>", limits), "xml-name");
  EXPECT_EQ(code_of("<a>" + std::string(33, 'x') + "</a>", limits), "ok");
  EXPECT_EQ(code_of("<a>" + std::string(34, 'x') + "</a>", limits), "xml-size");
}

TEST(XmlParser, RefusesAnEndlessTokenWithoutKeepingIt) {
  XmlLimits limits;
  limits.token_bytes_max = 100'000;
  EXPECT_EQ(code_of("<a><!--" + std::string(1'000'000, 'x') + "--></a>", limits), "xml-token");
  EXPECT_EQ(code_of("<a>" + std::string(1'000'000, 'x') + "</a>", limits), "ok");
}

TEST(XmlParser, BoundsTheMemoryThatDistinctNamesTake) {
  std::string text = "<a>";
  for (int i = 0; i < 100'000; ++i) {
    text += fmt::format("<n{}/>", i);
  }
  XmlLimits limits;
  limits.memory_bytes_max = std::size_t{1} << 20;
  EXPECT_EQ(code_of(text + "</a>", limits), "xml-memory");
}

TEST(XmlParser, ReadsTheEncodingsThatServicesUse) {
  EXPECT_EQ(parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>").log, "<|a>\xc3\xa9</a>");
  EXPECT_EQ(parse("<?xml version='1.0' encoding='windows-1252'?><a>\x80\xe9</a>").log, "<|a>\xe2\x82\xac\xc3\xa9</a>");
  EXPECT_EQ(parse(std::string_view("\xff\xfe<\0a\0/\0>\0", 10)).log, "<|a></a>");
  EXPECT_EQ(code_of("<?xml version='1.0' encoding='EBCDIC-9'?><a/>"), "xml-malformed");
}

TEST(XmlParser, StopsWithTheHandlersError) {
  class Stopper : public Recorder {
   public:
    void end_element(XmlName name) override {
      Recorder::end_element(name);
      parser->stop(make_error(ErrorKind::cancelled, "seen enough"));
    }

    XmlParser* parser = nullptr;
  } stopper;

  XmlParser parser(stopper);
  stopper.parser = &parser;
  EXPECT_EQ(parser.push("<a><b/><c/></a>").error().message, "seen enough");
  EXPECT_EQ(stopper.log, "<|a><|b></b>");
  EXPECT_EQ(parser.push("<d/>").error().message, "seen enough");
}

TEST(ParseXml, MakesATreeWithoutPrefixes) {
  const XmlElement root = parse_xml("<e:r xmlns:e='u'><e:i a='1'>one</e:i><i>t<b/>wo</i></e:r>").value();
  EXPECT_EQ(root.name, "r");
  ASSERT_EQ(root.children.size(), 2U);
  EXPECT_EQ(root.child("i")->attribute("a"), "1");
  EXPECT_EQ(root.child_text("i"), "one");
  EXPECT_EQ(root.children[1].text, "two");
  EXPECT_EQ(root.child("none"), nullptr);
  EXPECT_EQ(root.child_text("none"), "");
  EXPECT_FALSE(root.attribute("none").has_value());
}

TEST(ParseXml, HandsOnTheErrorOfTheParser) {
  EXPECT_EQ(parse_xml("<r>").error().code, "xml-truncated");
}

}  // namespace
}  // namespace parallax
