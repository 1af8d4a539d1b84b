// parallax spool

#include <fmt/format.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/probe_options.h"
#include "cli/version.h"

namespace parallax::cli {

namespace {

Result<int> spool_list(const Arguments& arguments, World& world) {
  const std::string directory =
      arguments.value_or("--spool", world.environment("PARALLAX_SPOOL").value_or(default_spool(world)));
  const std::vector<SpooledRun> runs = TRY(spool_status(world.files, directory));
  if (runs.empty()) {
    log::note(fmt::format("{}: empty", directory));
  }
  for (const SpooledRun& run : runs) {
    print(fmt::format("{}  {} records, {} wait, {} rejected{}{}\n", run.run_id, run.records, run.pending, run.rejected,
                      run.torn > 0 ? fmt::format(", {} torn", run.torn) : "",
                      run.ended || run.records == 0 ? "" : ", not ended"));
  }
  return 0;
}

Result<int> spool_send_command(const Arguments& arguments, World& world) {
  const std::string directory =
      arguments.value_or("--spool", world.environment("PARALLAX_SPOOL").value_or(default_spool(world)));
  SubmitOptions options;
  options.collector = arguments.value_or("--collector", "");
  options.token = TRY(token_of(arguments, world));
  options.ca_file = arguments.value_or("--ca-file", world.environment("PARALLAX_CA_FILE").value_or(""));
  options.user_agent = fmt::format("parallax/{}", kVersion);
  options.flush_wait =
      TRY(parse_duration(arguments.value_or("--flush-wait", "30s")).with_context("reading --flush-wait"));
  TRY(check_collector_url(options.collector));
  if (options.token.empty()) {
    return make_error(ErrorKind::invalid,
                      "no token: set PARALLAX_TOKEN, or name a file of mode 0600 with --token-file");
  }
  const ProbeDeps deps{world.clock, world.rng, world.executor, world.files, world.http};
  const SendOutcome outcome = TRY(spool_send(directory, options, deps, world.stop));
  std::string text;
  for (const Delivery delivery : {Delivery::stored, Delivery::duplicate, Delivery::conflict, Delivery::refused}) {
    text += fmt::format("{} {}, ", outcome.spool.by_delivery[static_cast<std::size_t>(delivery)], to_string(delivery));
  }
  print(fmt::format("{}{} wait\n", text, outcome.spool.pending));
  if (!outcome.submit.last_problem.empty()) {
    log::error("the collector: " + outcome.submit.last_problem);
  }
  for (const std::string& reason : outcome.submit.refusals) {
    log::error("the collector refused or kept apart: " + reason);
  }
  const bool refused = outcome.spool.by_delivery[static_cast<std::size_t>(Delivery::refused)] > 0;
  if (outcome.spool.pending > 0) {
    return world.stop.stop_requested() ? 130 : 4;
  }
  return refused ? 3 : 0;
}

}  // namespace

Command spool_command() {
  const Option spool{"--spool", OptionKind::value, "DIR",
                     "the spool (default: PARALLAX_SPOOL, else the probe's default)"};
  return Command{"spool",
                 "results that wait to be sent",
                 {},
                 nullptr,
                 {Command{"list", "what waits", {spool}, spool_list, {}},
                  Command{"send",
                          "deliver what waits",
                          {spool, Option{"--collector", OptionKind::value, "URL", "where to", true},
                           Option{"--token-file", OptionKind::value, "FILE",
                                  "the token, in a file of mode 0600 (or PARALLAX_TOKEN)"},
                           Option{"--ca-file", OptionKind::value, "FILE", "PEM roots instead of the system's"},
                           Option{"--flush-wait", OptionKind::value, "TIME", "how long to try (default 30s)"}},
                          spool_send_command,
                          {}}}};
}

}  // namespace parallax::cli
