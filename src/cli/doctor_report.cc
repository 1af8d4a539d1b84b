#include "cli/doctor_report.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/table.h"

namespace parallax::cli {

namespace {

std::string label(const Check& check) {
  return check.area == check.name ? check.area : fmt::format("{}: {}", check.area, check.name);
}

Verdict worst_of(const std::vector<Check>& checks) {
  for (const Verdict verdict : {Verdict::problem, Verdict::warning, Verdict::unknown}) {
    if (std::any_of(checks.begin(), checks.end(), [&](const Check& check) { return check.verdict == verdict; })) {
      return verdict;
    }
  }
  return Verdict::ok;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::problem:
      return "problem";
    case Verdict::unknown:
      break;
  }
  return "unknown";
}

int exit_code_of(const std::vector<Check>& checks) {
  std::set<std::string> regions, bad;
  for (const Check& check : checks) {
    if (!check.region.empty()) {
      regions.insert(check.region);
    }
    if (check.verdict == Verdict::problem) {
      if (check.region.empty()) {
        return 1;
      }
      bad.insert(check.region);
    }
  }
  return bad.empty() ? 0 : bad.size() == regions.size() ? 1 : 3;
}

Json report_to_json(const std::vector<Check>& checks) {
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  JsonArray list;
  for (const Check& check : checks) {
    list.push_back(Json::object({{"area", check.area},
                                 {"name", check.name},
                                 {"region", text(check.region)},
                                 {"verdict", to_string(check.verdict)},
                                 {"found", check.found},
                                 {"advice", text(check.advice)}}));
  }
  return Json::object({{"verdict", to_string(worst_of(checks))}, {"checks", std::move(list)}});
}

std::string report_text(const std::vector<Check>& checks) {
  Table table({"verdict", "check", "found"});
  std::string advice;
  std::vector<std::string> said;
  for (const Check& check : checks) {
    table.add({std::string(to_string(check.verdict)), label(check), check.found});
    if (!check.advice.empty() && std::find(said.begin(), said.end(), check.advice) == said.end()) {
      said.push_back(check.advice);
      advice += fmt::format("  {}: {}\n", label(check), terminal_safe(check.advice));
    }
  }
  return table.text() + (advice.empty() ? "" : "\nWhat to do:\n" + advice);
}

}  // namespace parallax::cli
