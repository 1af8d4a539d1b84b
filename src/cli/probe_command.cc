// parallax probe

#include "cli/commands.h"
#include "cli/cone_options.h"
#include "cli/probe_dry_run.h"
#include "cli/probe_options.h"
#include "cli/probe_order.h"
#include "cli/saved_results.h"
#include "cli/writers/outputs.h"

namespace parallax::cli {

namespace {

Result<int> probe(const Arguments& arguments, World& world) {
  const Order order = TRY(order_from_arguments(arguments, world));
  return arguments.has("--dry-run") ? tell_timetable(order, arguments) : ask(order, arguments, world);
}

}  // namespace

Command probe_command() {
  std::vector<Option> options = {Option{"--services", OptionKind::value, "FILE",
                                        "what to measure: TOML, servicemon's .py, CSV, or a directory of providers"},
                                 Option{"--order", OptionKind::value, "FILE", "the controller's order"}};
  const std::vector<Option> cones = cone_options();
  options.insert(options.end(), cones.begin(), cones.end());
  for (const Option& option :
       {Option{"--cone-file", OptionKind::value, "FILE", "these cones instead: .py or CSV"},
        Option{"--mode", OptionKind::value, "MODE", "of all TAP services: sync, async or both (default: the list's)"},
        Option{"--start-index", OptionKind::value, "N", "begin with this cone, counted from 0 (default 0)"},
        Option{"--cone-limit", OptionKind::value, "N", "at most so many cones (default: all)"},
        Option{"--collector", OptionKind::value, "URL", "send the results there"},
        Option{"--token-file", OptionKind::value, "FILE", "the token, in a file of mode 0600 (or PARALLAX_TOKEN)"},
        Option{"--fleet", OptionKind::value, "NAME", "written into each measurement (default local)"},
        Option{"--vantage", OptionKind::value, "NAME", "written into each measurement (default: the host's name)"},
        Option{"--dry-run", OptionKind::flag, "", "show what would be asked and when; ask nothing"}}) {
    options.push_back(option);
  }
  options.push_back(save_results_option());
  const std::vector<Option> outputs = output_options();
  options.insert(options.end(), outputs.begin(), outputs.end());
  const std::vector<Option> query = query_options();
  options.insert(options.end(), query.begin(), query.end());
  return Command{"probe", "measure services", options, probe, {}};
}

}  // namespace parallax::cli
