// parallax compare

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compare.h"
#include "cli/results.h"

namespace parallax::cli {

namespace {

constexpr int kChanged = 3;

void tell_unread(const std::string& path, const Results& results) {
  constexpr std::size_t kNamedMax = 5;
  for (std::size_t i = 0; i < results.unread.size() && i < kNamedMax; ++i) {
    log::error(
        fmt::format("{}:{}: not read: {}", path, results.unread[i].line, terminal_safe(results.unread[i].why, 300)));
  }
  if (results.unread.size() > kNamedMax) {
    log::error(fmt::format("{}: {} rows were not read in all", path, results.unread.size()));
  }
}

Result<Results> results_of(const Arguments& arguments, World& world, const char* name) {
  const std::string path = arguments.value_or(name, "");
  Results results = TRY(read_results(world, path, std::nullopt));
  tell_unread(path, results);
  if (results.rows.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{}: no result in it", path));
  }
  return results;
}

Result<int> run_compare(const Arguments& arguments, World& world) {
  const std::string output = arguments.value_or("--output", "table");
  if (output != "table" && output != "json" && output != "csv") {
    return make_error(ErrorKind::invalid,
                      fmt::format("--output: '{}' is not table, json or csv", terminal_safe(output, 50)));
  }
  const Results a = TRY(results_of(arguments, world, "a"));
  const Results b = TRY(results_of(arguments, world, "b"));
  const Comparison comparison = compare(a, b);
  print(output == "json"  ? compare_json(comparison).dump() + "\n"
        : output == "csv" ? compare_csv(comparison)
                          : compare_text(comparison));
  if (comparison.pairs() == 0) {
    log::error("no query of A is also in B: pairs have the same service name, type, mode and cone (or URL)");
    return 1;
  }
  return comparison.changed() ? kChanged : 0;
}

}  // namespace

Command compare_command() {
  return Command{"compare",
                 "what changed between two results: verdicts, rows, timings",
                 {Option{"a", OptionKind::value, "A", "a result file: NDJSON, CSV or servicemon's CSV", true, true},
                  Option{"b", OptionKind::value, "B", "another one", true, true},
                  Option{"--output", OptionKind::value, "FORMAT", "table (default), json or csv"}},
                 run_compare,
                 {}};
}

}  // namespace parallax::cli
