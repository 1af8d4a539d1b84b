#include "vo/finding_rules.h"

#include <algorithm>

namespace parallax::vo {

namespace {

constexpr std::string_view kOurs = "parallax";

const std::vector<FindingRule> kRules = {
    {"bad-arraysize", "VOTable 1.5 section 2.2", "arraysize is a number, a list of numbers with x, or ends in *"},
    {"bad-base64", "VOTable 1.5 section 5.6", "the content of an inline STREAM is base64"},
    {"bad-cell", "VOTable 1.5 section 5.1", "each TD holds a value of its FIELD's datatype, or nothing"},
    {"bad-text", "XML 1.0 section 2.2", "text is in the encoding that the document declares"},
    {"binary-count", "VOTable 1.5 section 5.3",
     "the count before an array of variable size is not negative and fits the stream"},
    {"cell-count", "VOTable 1.5 section 5.1", "each TR has one TD for each FIELD"},
    {"cell-size", kOurs, "a cell has at most 16 MiB"},
    {"columns", kOurs, "a table has at most 10000 columns"},
    {"content-type", "VOTable 1.5 section 8; Simple Cone Search 1.03 section 2",
     "a VOTable comes as application/x-votable+xml or text/xml"},
    {"destruction-not-set", "UWS 1.1 section 2.2.3.3", "the time at which a job is destroyed can be set"},
    {"empty-rows", "VOTable 1.5 section 5.3", "a row of a binary table has at least one byte"},
    {"error-mark-with-rows", "Simple Cone Search 1.03 section 2",
     "an answer with an Error mark has no table of results"},
    {"fits-fields", "VOTable 1.5 section 5.2", "FITS data have a column for each FIELD of the document"},
    {"fits-not-counted", "VOTable 1.5 section 5.2", "FITS data lie in a STREAM"},
    {"fits-truncated", "FITS 4.0 section 3", "data are as long as their header announces"},
    {"https-downgrade", kOurs, "who asks by https is not led to http"},
    {"inflate-corrupt", "RFC 1952", "compressed data are whole and their checksum is right"},
    {"inflate-layers", kOurs, "a body is compressed at most twice"},
    {"inflate-ratio", kOurs, "a body inflates to at most 200 times its size once over 1 MiB"},
    {"inflate-size", kOurs, "a body inflates to at most 1 GiB"},
    {"inflate-truncated", "RFC 1952", "compressed data do not end early"},
    {"job-creation", "UWS 1.1 section 2.2.3.1", "the answer to a new job is a 303 that leads to it"},
    {"job-held", "UWS 1.1 section 2.1.3", "a job that is told to run is queued or executed; a held one is told again"},
    {"job-not-deleted", "UWS 1.1 section 2.2.3.2", "a job is deleted by DELETE or ACTION=DELETE"},
    {"job-unknown", kOurs, "each job that was made is deleted by us; one whose address never came cannot be"},
    {"leading-blanks", "XML 1.0 section 2.8", "nothing stands before the XML declaration"},
    {"many-marks", "DALI 1.1 section 5.4", "a result says once or twice how the query went, not without end"},
    {"mixed-marks", "DALI 1.1 section 5.4", "the status marks of one result do not contradict each other"},
    {"more-tables", "DALI 1.1 section 5.4", "the RESOURCE of type results holds one TABLE"},
    {"no-namespace", "VOTable 1.5 section 1.2", "the document declares the VOTable namespace"},
    {"nrows", "VOTable 1.5 section 3.8", "nrows, where it is given, is the number of rows"},
    {"parser-slower-than-transfer", kOurs,
     "our reader is faster than the transfer; where it is not, the time of the transfer is an upper limit"},
    {"partial-row", "VOTable 1.5 section 5.3", "a binary stream ends at the end of a row"},
    {"poll-failed", "UWS 1.1 section 2.2.2", "a job tells its phase whenever it is asked"},
    {"remote-stream", "VOTable 1.5 section 5.7", "data may lie elsewhere (href); these rows are not fetched"},
    {"rows", kOurs, "a table has at most 100 million rows"},
    {"rows-without-fields", "VOTable 1.5 section 3.8", "a table with rows has FIELDs"},
    {"size", kOurs, "a body has at most 1 GiB"},
    {"stale-registration", "TAP 1.1 section 2; RFC 9110 section 15.4",
     "the registered URL answers itself: a POST that is redirected by 301 or 302 loses its query"},
    {"status-at-root", "DALI 1.1 section 5.4", "QUERY_STATUS is an INFO of the RESOURCE of type results"},
    {"status-in-table", "DALI 1.1 section 5.4", "QUERY_STATUS is an INFO of the RESOURCE, not of the TABLE"},
    {"status-in-text", "DALI 1.1 section 5.4", "the status is in the INFO's value, a message in its content"},
    {"status-missing", "TAP 1.1 section 3; DALI 1.1 section 5.4", "each answer to a query has an INFO QUERY_STATUS"},
    {"status-unknown", "DALI 1.1 section 5.4", "QUERY_STATUS is OK, OVERFLOW or ERROR"},
    {"stream-encoding", "VOTable 1.5 section 5.6", "the encoding of a STREAM is gzip, base64, dynamic or none"},
    {"trailing-content", "XML 1.0 section 2.1", "nothing but comments and blanks follows the document"},
    {"undeclared-gzip", "RFC 9110 section 8.4", "a compressed body says so in Content-Encoding"},
    {"unknown-datatype", "VOTable 1.5 section 2.1", "datatype is one of the standard's primitive types"},
    {"xml-attributes", kOurs, "an element has a bounded number of attributes"},
    {"xml-depth", kOurs, "elements are nested at most 256 deep"},
    {"xml-entity", kOurs, "entities that a document defines are never expanded"},
    {"xml-malformed", "XML 1.0 section 2.1", "the document is well-formed"},
    {"xml-memory", kOurs, "the reader of XML has a bounded memory"},
    {"xml-name", kOurs, "a name has a bounded length"},
    {"xml-size", kOurs, "a document has a bounded size"},
    {"xml-token", kOurs, "a token has a bounded length"},
    {"xml-trailing", "XML 1.0 section 2.1", "nothing but comments and blanks follows the document"},
    {"xml-truncated", "XML 1.0 section 2.1", "the document does not end before its root element does"},
};

}  // namespace

const std::vector<FindingRule>& finding_rules() {
  return kRules;
}

const FindingRule* finding_rule(std::string_view code) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const FindingRule& rule) { return rule.code == code; });
  return found == kRules.end() ? nullptr : &*found;
}

std::string_view verdict_rule(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "a whole VOTable with a table came, without an error mark";
    case Verdict::overflow:
      return "a whole table came, cut at a row limit, and says so (QUERY_STATUS OVERFLOW)";
    case Verdict::service_error:
      return "the document itself says that the query failed (QUERY_STATUS ERROR, or Simple Cone Search's Error mark); "
             "this counts at any HTTP status";
    case Verdict::http_error:
      return "the HTTP status is an error, and the body has no error mark of the service's";
    case Verdict::not_votable:
      return "the body, by its bytes and not by its Content-Type, is no VOTable that can be read";
    case Verdict::truncated:
      return "the answer ended before its end";
    case Verdict::timeout:
      return "a time limit was reached: the true time is longer than the limit, no more is known";
    case Verdict::network:
      return "no answer came: name, connection, TLS, or what came is not HTTP";
    case Verdict::throttled:
      return "the service asks to be left alone for a while (429, or 503 with Retry-After)";
    case Verdict::refused:
      return "a limit of ours, or a signal to us, ended the query: not the service's trouble";
  }
  return "";
}

}  // namespace parallax::vo
