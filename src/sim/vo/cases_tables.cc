// Cases that differ by the document: tables in every form, and what is no table.

#include <fmt/format.h>

#include "base/text.h"
#include "sim/vo/case_parts.h"

namespace parallax::sim {

namespace {

constexpr Serialization kSerializations[] = {Serialization::tabledata, Serialization::binary, Serialization::binary2};
constexpr std::string_view kStatusOk = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n";
constexpr std::string_view kNamespace = " xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\"";

std::string with_prefix(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '<' && text[i + 1] != '?') {
      if (text[i + 1] == '/') {
        out += text[++i];
      }
      out += "vot:";
    }
  }
  return replaced(out, " xmlns=", " xmlns:vot=");
}

void add_serializations(std::vector<VoCase>& cases) {
  for (const Serialization serialization : kSerializations) {
    const std::string word = to_lower(to_string(serialization));
    cases.push_back(cone_case(1, "ok-ucd1-" + word, fmt::format("cone, {}, the older UCDs", to_string(serialization)),
                              all_rows(), answer_of(stars_document(serialization), "text/xml;content=x-votable")));
    cases.push_back(cone_case(1, "ok-ucd1plus-" + word, fmt::format("cone, {}, UCD1+", to_string(serialization)),
                              all_rows(), answer_of(stars_document(serialization, Ucds::plus))));
    cases.push_back(tap_case(1, "ok-tap-" + word, fmt::format("TAP, {}", to_string(serialization)), all_rows(),
                             answer_of(stars_document(serialization, Ucds::plus))));
    cases.push_back(cone_case(2, "empty-" + word, fmt::format("no rows, {}", to_string(serialization)),
                              {"ok", "", 0, ""}, answer_of(stars_document(serialization, Ucds::old_style, 0))));
  }
}

void add_other_bodies(std::vector<VoCase>& cases) {
  const std::string page =
      "<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body>Back at ten.</body></html>\n";
  cases.push_back(
      cone_case(4, "html-200", "HTTP 200 with a web page", fails("not-votable", "html"), answer_of(page, "text/html")));
  cases.push_back(cone_case(4, "html-as-votable", "a web page that is called a VOTable", fails("not-votable", "html"),
                            answer_of(page)));
  cases.push_back(cone_case(4, "json-200", "HTTP 200 with JSON", fails("not-votable", "json"),
                            answer_of("{\"data\": []}\n", "application/json")));
  cases.push_back(
      cone_case(4, "empty-body", "HTTP 200 without a body", fails("not-votable", "empty"), answer_of("", "text/xml")));
  cases.push_back(cone_case(4, "no-content", "HTTP 204", fails("not-votable", "empty"), [] {
    CaseAnswer answer;
    answer.status = 204;
    answer.framing = Framing::close;
    return answer;
  }()));
  cases.push_back(cone_case(4, "text-plain", "a VOTable that is called text/plain", all_rows("content-type"),
                            answer_of(stars_document(), "text/plain")));
  cases.push_back(cone_case(4, "html-type", "a VOTable that is called text/html", all_rows("content-type"),
                            answer_of(stars_document(), "text/html")));
  cases.push_back(cone_case(4, "plain-words", "HTTP 200 with a sentence", fails("not-votable", "text"),
                            answer_of("The database is away.\n", "text/plain")));
  cases.push_back(cone_case(0, "other-xml", "XML that is no VOTable", fails("not-votable", "xml"),
                            answer_of("<?xml version=\"1.0\"?>\n<catalog><star/></catalog>\n", "text/xml")));
  cases.push_back(tap_case(0, "csv", "CSV instead of a VOTable", fails("not-votable", "csv"),
                           answer_of("id,ra,dec\nAlpha,101.25,-16.5\nBeta,101.5,-16.25\n", "text/csv")));
  std::string fits = fmt::format("{:<80}{:<80}{:<80}{:<80}", "SIMPLE  =                    T",
                                 "BITPIX  =                    8", "NAXIS   =                    0", "END");
  fits.resize(2880, ' ');
  cases.push_back(
      tap_case(0, "fits", "a FITS file", fails("not-votable", "fits"), answer_of(fits, "application/fits")));
}

void add_structures(std::vector<VoCase>& cases) {
  const std::string plain = stars_document();
  cases.push_back(
      cone_case(16, "nrows-wrong", "nrows says 99, there are 3", all_rows("nrows"),
                answer_of(replaced(plain, "<TABLE name=\"stars\">", "<TABLE name=\"stars\" nrows=\"99\">"))));
  cases.push_back(
      cone_case(16, "prefixed", "elements with the prefix vot:", all_rows(), answer_of(with_prefix(plain))));
  cases.push_back(cone_case(16, "no-namespace", "no namespace at all", all_rows("no-namespace"),
                            answer_of(replaced(plain, kNamespace, ""))));
  const std::string other =
      "<RESOURCE type=\"meta\">\n<TABLE>\n<FIELD name=\"x\" datatype=\"int\"/>\n<DATA><TABLEDATA><TR><TD>1</TD></TR>"
      "</TABLEDATA></DATA>\n</TABLE>\n</RESOURCE>\n";
  cases.push_back(cone_case(16, "meta-first", "a RESOURCE type=meta with a table before the results", all_rows(),
                            answer_of(replaced(plain, "<RESOURCE", other + "<RESOURCE"))));
  cases.push_back(
      cone_case(16, "second-resource", "a second RESOURCE of results with a table of its own", all_rows("more-tables"),
                answer_of(replaced(plain, "</RESOURCE>\n", "</RESOURCE>\n" + replaced(other, " type=\"meta\"", "")))));
  cases.push_back(cone_case(
      0, "nested-resource", "the results inside another RESOURCE", all_rows(),
      answer_of(replaced(replaced(plain, "<RESOURCE type=\"results\">", "<RESOURCE>\n<RESOURCE type=\"results\">"),
                         "</RESOURCE>", "</RESOURCE>\n</RESOURCE>"))));
  for (const char* version : {"1.0", "1.1", "1.2", "1.3", "1.5"}) {
    const std::string word = std::string(version).substr(2);
    std::string text = replaced(plain, "version=\"1.4\"", fmt::format("version=\"{}\"", version));
    if (word < "3") {
      text = replaced(
          text, kNamespace,
          word == "0" ? std::string() : fmt::format(" xmlns=\"http://www.ivoa.net/xml/VOTable/v{}\"", version));
    }
    cases.push_back(cone_case(0, fmt::format("version-1-{}", word), fmt::format("VOTable {}", version),
                              all_rows(word == "0" ? "no-namespace" : ""), answer_of(text)));
  }
}

void add_texts(std::vector<VoCase>& cases) {
  const std::string plain = stars_document();
  cases.push_back(cone_case(0, "bad-utf8", "a cell with Latin-1 bytes", all_rows(),
                            answer_of(replaced(plain, "far", "\xE9toile lointaine"))));
  cases.push_back(cone_case(0, "cdata", "cells with CDATA, comments and character references", all_rows(),
                            answer_of(replaced(plain, "far", "f<!-- <TR> --><![CDATA[a]]>&#114;"))));
  cases.push_back(cone_case(0, "leading-blanks", "blank lines before the XML declaration", all_rows("leading-blanks"),
                            answer_of("\n\n  " + plain)));
  cases.push_back(
      cone_case(0, "byte-order-mark", "a byte order mark first", all_rows(), answer_of("\xEF\xBB\xBF" + plain)));
  cases.push_back(cone_case(0, "trailing-text", "words after the document", all_rows("trailing-content"),
                            answer_of(plain + "<!-- done --> served in 3 ms\n")));
  cases.push_back(
      cone_case(0, "foreign-elements", "elements that VOTable does not know", all_rows(),
                answer_of(replaced(plain, "<TABLE name", "<VODML xmlns=\"urn:x\"><MODEL/></VODML><TABLE name"))));
  cases.push_back(cone_case(0, "missing-cell", "a row with a cell too few", all_rows("cell-count"),
                            answer_of(replaced(plain, "<TD>far</TD>", ""))));
  cases.push_back(cone_case(0, "bad-cell", "a word where a number belongs", all_rows("bad-cell"),
                            answer_of(replaced(plain, "<TD>3</TD>", "<TD>three</TD>"))));
  cases.push_back(cone_case(0, "no-table", "a VOTable without table and without error",
                            fails("not-votable", "no-table"),
                            answer_of(votable("<RESOURCE type=\"results\">\n</RESOURCE>\n"))));
  cases.push_back(cone_case(0, "broken-xml", "tags that do not match", fails("not-votable", "xml-malformed"),
                            answer_of(replaced(plain, "</TR>", "</TD>"))));
}

void add_status(std::vector<VoCase>& cases) {
  const std::string plain = stars_document(Serialization::tabledata, Ucds::plus);
  const auto trailing = [&](std::string_view mark) {
    return replaced(plain, "</TABLE>\n", fmt::format("</TABLE>\n{}\n", mark));
  };
  const std::string overflow = trailing("<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>");
  cases.push_back(tap_case(5, "overflow", "OK before the table, OVERFLOW after it",
                           {"overflow", "server-limit", kCaseRows, ""}, answer_of(overflow)));
  cases.push_back(tap_case(5, "overflow-maxrec", "OVERFLOW at the MAXREC that was asked for",
                           {"overflow", "maxrec", kCaseRows, ""}, answer_of(overflow)));
  cases.back().entry = "maxrec = 3";
  cases.push_back(tap_case(5, "error-trailing", "OK before the table, ERROR after it",
                           {"service-error", "query-status", kCaseRows, ""},
                           answer_of(trailing("<INFO name=\"QUERY_STATUS\" value=\"ERROR\">The disk is full</INFO>"))));
  cases.push_back(tap_case(7, "status-missing", "no QUERY_STATUS", all_rows("status-missing"),
                           answer_of(replaced(plain, kStatusOk, ""))));
  cases.push_back(tap_case(7, "status-in-text", "OK as the text of the INFO, not as its value",
                           all_rows("status-in-text"),
                           answer_of(replaced(plain, kStatusOk, "<INFO name=\"QUERY_STATUS\">OK</INFO>\n"))));
  cases.push_back(
      tap_case(7, "status-at-root", "QUERY_STATUS under VOTABLE", all_rows("status-at-root"),
               answer_of(replaced(replaced(plain, kStatusOk, ""), "<RESOURCE", std::string(kStatusOk) + "<RESOURCE"))));
}

}  // namespace

std::vector<VoCase> table_cases() {
  std::vector<VoCase> cases;
  add_serializations(cases);
  add_other_bodies(cases);
  add_status(cases);
  add_structures(cases);
  add_texts(cases);
  return cases;
}

}  // namespace parallax::sim
