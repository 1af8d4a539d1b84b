// The catalogue of the mock service: each case what one kind of service does, and what a careful client makes of it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/vo/case_answer.h"
#include "sim/vo/uws_service.h"

namespace parallax::sim {

enum class CaseKind {
  cone,       // /case/NAME/scs
  tap,        // /case/NAME/tap, /sync below it
  tap_async,  // /case/NAME/tap, /async below it
};
std::string_view to_string(CaseKind kind);  // "cone", "tap", "tap-async"

// What a client should come to, in the words of docs/user/measurements.md.
struct Expected {
  std::string verdict;  // empty: nothing is expected (a case of the user's)
  std::string code;
  std::optional<int> rows;  // of a table
  std::string finding;      // one of the findings; empty: none is asked for
};

struct VoCase {
  std::string name;
  CaseKind kind = CaseKind::cone;
  int row = 0;         // of the conformance matrix (docs/internals/vo-matrix.md); 0: beyond it
  std::string serves;  // in a few words
  Expected expected;
  std::string entry = {};  // TOML lines that the entry of the service needs, such as "maxrec = 2"
  // One after another; the last again and again. None: `uws` answers.
  std::vector<CaseAnswer> answers = {};
  // Below the case's path, "/next": places that redirects lead to.
  std::map<std::string, CaseAnswer> places = {};
  std::optional<UwsScript> uws = {};
};

// All of them, in the matrix's order.
const std::vector<VoCase>& all_cases();

// The parts of the catalogue.
std::vector<VoCase> table_cases();
std::vector<VoCase> error_cases();
std::vector<VoCase> transport_cases();
std::vector<VoCase> hostile_cases();
std::vector<VoCase> job_cases();

}  // namespace parallax::sim
