// Cases in which the service says that it failed, in every form that is in use.

#include <fmt/format.h>

#include "sim/vo/case_parts.h"

namespace parallax::sim {

namespace {

constexpr const char* kWords = "RA must be a number, not &apos;abc&apos;";

void add_cone_errors(std::vector<VoCase>& cases) {
  const Expected expected = fails("service-error", "error-mark");
  const auto info = [](std::string_view name) {
    return fmt::format("<INFO name=\"{}\" value=\"{}\"/>\n", name, kWords);
  };
  const std::string param =
      fmt::format("<PARAM name=\"Error\" datatype=\"char\" arraysize=\"*\" value=\"{}\"/>\n", kWords);
  const auto in_resource = [](std::string_view inside) { return fmt::format("<RESOURCE>\n{}</RESOURCE>\n", inside); };

  cases.push_back(cone_case(3, "error-info-root", "INFO name=Error under VOTABLE", expected,
                            answer_of(votable(info("Error")), "text/xml")));
  cases.push_back(cone_case(3, "error-info-resource", "INFO name=Error in a RESOURCE", expected,
                            answer_of(votable(in_resource(info("Error"))), "text/xml")));
  cases.push_back(cone_case(3, "error-param-resource", "PARAM name=Error in a RESOURCE", expected,
                            answer_of(votable(in_resource(param)), "text/xml")));
  cases.push_back(cone_case(3, "error-definitions", "PARAM name=Error in the old DEFINITIONS", expected,
                            answer_of(votable("<DEFINITIONS>\n" + param + "</DEFINITIONS>\n"), "text/xml")));
  cases.push_back(
      cone_case(3, "error-upper-case", "INFO name=ERROR", expected, answer_of(votable(info("ERROR")), "text/xml")));
  cases.push_back(cone_case(
      3, "error-lower-case", "PARAM name=error without a datatype", expected,
      answer_of(votable(in_resource(fmt::format("<PARAM name=\"error\" value=\"{}\"/>\n", kWords))), "text/xml")));
  cases.push_back(
      cone_case(3, "error-and-ok", "QUERY_STATUS=OK and a PARAM Error together",
                fails("service-error", "error-mark", "mixed-marks"),
                answer_of(votable("<RESOURCE type=\"results\">\n<INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n" + param +
                                  "</RESOURCE>\n"))));
  cases.push_back(cone_case(0, "error-dali-cone", "a cone service that answers as DALI asks, HTTP 400",
                            fails("service-error", "query-status"),
                            answer_of(write_error(ErrorForm::dali, "SR is missing"), kVotableType, 400)));
}

void add_tap_errors(std::vector<VoCase>& cases) {
  const std::string error = write_error(ErrorForm::dali, "No such column: ra2000");
  const Expected expected = fails("service-error", "query-status");
  cases.push_back(
      tap_case(6, "error-400", "HTTP 400 with a VOTable that explains", expected, answer_of(error, kVotableType, 400)));
  cases.push_back(tap_case(6, "error-200", "HTTP 200 with QUERY_STATUS=ERROR", expected, answer_of(error)));
  cases.push_back(tap_case(6, "error-500-text", "HTTP 500 with a line of text", fails("http-error", "http-500"),
                           answer_of("Traceback: the database is away\n", "text/plain", 500)));
  cases.push_back(
      tap_case(0, "error-500-votable", "HTTP 500 with a VOTable", expected, answer_of(error, kVotableType, 500)));
}

void add_status_codes(std::vector<VoCase>& cases) {
  for (const int status : {401, 403, 404, 408, 410, 500, 502, 504}) {
    cases.push_back(
        cone_case(0, fmt::format("status-{}", status), fmt::format("HTTP {} with a web page", status),
                  fails("http-error", fmt::format("http-{}", status)),
                  answer_of(fmt::format("<html><head><title>Error {0}</title></head><body>{0}</body></html>\n", status),
                            "text/html", status)));
  }
  cases.push_back(cone_case(0, "status-503", "HTTP 503 without Retry-After", fails("http-error", "http-503"),
                            answer_of("busy\n", "text/plain", 503)));
}

void add_throttling(std::vector<VoCase>& cases) {
  for (const int status : {429, 503}) {
    for (const bool is_date : {false, true}) {
      CaseAnswer answer = answer_of("Too many requests\n", "text/plain", status);
      answer.headers.emplace_back("Retry-After", is_date ? "{date+30}" : "30");
      cases.push_back(cone_case(15, fmt::format("throttled-{}-{}", status, is_date ? "date" : "seconds"),
                                fmt::format("HTTP {} with Retry-After as {}", status, is_date ? "a date" : "seconds"),
                                fails("throttled", fmt::format("http-{}", status)), std::move(answer)));
    }
  }
  cases.push_back(cone_case(0, "throttled-bare", "HTTP 429 that does not say for how long",
                            fails("throttled", "http-429"), answer_of("Slow down\n", "text/plain", 429)));
}

}  // namespace

std::vector<VoCase> error_cases() {
  std::vector<VoCase> cases;
  add_cone_errors(cases);
  add_tap_errors(cases);
  add_status_codes(cases);
  add_throttling(cases);
  return cases;
}

}  // namespace parallax::sim
