#include "sim/vo/cases.h"

#include <algorithm>
#include <iterator>

namespace parallax::sim {

std::string_view to_string(CaseKind kind) {
  switch (kind) {
    case CaseKind::cone:
      return "cone";
    case CaseKind::tap:
      return "tap";
    case CaseKind::tap_async:
      break;
  }
  return "tap-async";
}

const std::vector<VoCase>& all_cases() {
  static const std::vector<VoCase> cases = [] {
    std::vector<VoCase> all;
    for (std::vector<VoCase> (*part)() : {table_cases, error_cases, transport_cases, hostile_cases, job_cases}) {
      std::ranges::move(part(), std::back_inserter(all));
    }
    // What belongs to no row comes last.
    std::ranges::stable_sort(all, {}, [](const VoCase& one) { return one.row == 0 ? 1000 : one.row; });
    return all;
  }();
  return cases;
}

}  // namespace parallax::sim
