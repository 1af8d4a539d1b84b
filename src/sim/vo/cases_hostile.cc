// Cases that attack their reader: entities, depth, sizes that are announced or real.

#include <fmt/format.h>

#include "sim/vo/case_parts.h"

namespace parallax::sim {

namespace {

std::string with_doctype(std::string_view doctype, std::string_view cell) {
  std::string text = replaced(stars_document(), "<VOTABLE", std::string(doctype) + "\n<VOTABLE");
  return replaced(std::move(text), "far", cell);
}

std::string nested(std::size_t depth) {
  std::string inside;
  for (std::size_t i = 0; i < depth; ++i) {
    inside += "<RESOURCE>";
  }
  for (std::size_t i = 0; i < depth; ++i) {
    inside += "</RESOURCE>";
  }
  return votable(inside);
}

std::string many_columns(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) {
    fields += fmt::format("<FIELD name=\"c{}\" datatype=\"int\"/>\n", i);
  }
  return votable("<RESOURCE type=\"results\">\n<TABLE>\n" + fields + "</TABLE>\n</RESOURCE>\n");
}

// One row of one array, whose count says more than there is.
std::string binary_array(std::string_view arraysize, std::string_view base64) {
  return votable(
      fmt::format("<RESOURCE type=\"results\">\n<INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n<TABLE>\n"
                  "<FIELD name=\"a\" datatype=\"double\" arraysize=\"{}\"/>\n"
                  "<DATA><BINARY><STREAM encoding=\"base64\">{}</STREAM></BINARY></DATA>\n</TABLE>\n</RESOURCE>\n",
                  arraysize, base64));
}

}  // namespace

std::vector<VoCase> hostile_cases() {
  std::vector<VoCase> cases;
  cases.push_back(
      cone_case(18, "entity-external", "an external entity that names a local file", fails("refused", "xml-entity"),
                answer_of(with_doctype("<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>", "&x;"))));
  std::string bomb = "<!DOCTYPE VOTABLE [<!ENTITY a0 \"aaaaaaaaaa\">";
  for (int i = 1; i <= 9; ++i) {
    const std::string one = fmt::format("&a{};", i - 1);
    std::string ten;
    for (int k = 0; k < 10; ++k) {
      ten += one;
    }
    bomb += fmt::format("<!ENTITY a{} \"{}\">", i, ten);
  }
  cases.push_back(cone_case(18, "entity-bomb", "entities that expand to 10 GB", fails("refused", "xml-entity"),
                            answer_of(with_doctype(bomb + "]>", "&a9;"))));
  cases.push_back(
      cone_case(18, "deep-nesting", "10 000 elements inside one another", fails("refused", "xml-depth"), [] {
        CaseAnswer answer = answer_of("");
        answer.make_body = [] { return nested(10'000); };
        return answer;
      }()));
  // 0x3B9ACA00: 10^9.
  cases.push_back(cone_case(18, "array-count", "a binary array that says it has 10^9 elements",
                            fails("refused", "cell-size"), answer_of(binary_array("*", "O5rKAAAAAAAAAAAA"))));
  cases.push_back(cone_case(18, "array-size", "an arraysize of 10^9", fails("refused", "cell-size"),
                            answer_of(binary_array("1000000000", "AAAAAAAAAAAAAAAA"))));
  cases.push_back(cone_case(0, "huge-cell", "a cell of 20 MiB", fails("refused", "cell-size"), [] {
    CaseAnswer answer = answer_of("");
    answer.make_body = [] { return replaced(stars_document(), "far", std::string(std::size_t{20} << 20U, 'x')); };
    return answer;
  }()));
  cases.push_back(cone_case(0, "many-columns", "20 000 columns", fails("refused", "columns"), [] {
    CaseAnswer answer = answer_of("");
    answer.make_body = [] { return many_columns(20'000); };
    return answer;
  }()));
  cases.push_back(cone_case(0, "huge-attribute", "an attribute of 2 MiB", fails("refused", "xml-attribute-size"), [] {
    CaseAnswer answer = answer_of("");
    answer.make_body = [] {
      return replaced(stars_document(), "name=\"stars\"", "name=\"" + std::string(std::size_t{2} << 20U, 'x') + "\"");
    };
    return answer;
  }()));
  cases.push_back(
      cone_case(0, "many-attributes", "an element with 1000 attributes", fails("refused", "xml-attributes"), [] {
        std::string attributes = "<TABLE";
        for (int i = 0; i < 1000; ++i) {
          attributes += fmt::format(" a{}=\"\"", i);
        }
        return answer_of(replaced(stars_document(), "<TABLE", attributes));
      }()));
  cases.push_back(
      cone_case(0, "escape-codes", "an error text that would change a terminal", fails("service-error", "error-mark"),
                answer_of(votable("<INFO name=\"Error\" value=\"&#x9b;31m red &#x202e; turned\"/>\n"), "text/xml")));
  return cases;
}

}  // namespace parallax::sim
