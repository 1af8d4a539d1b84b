// parallax replay

#include <charconv>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/probe_options.h"
#include "cli/probe_order.h"
#include "cli/replay.h"
#include "cli/results.h"
#include "cli/saved_results.h"
#include "cli/writers/outputs.h"

namespace parallax::cli {

namespace {

constexpr double kSpeedMin = 0.001;
constexpr double kSpeedMax = 1e6;

Result<std::optional<double>> speed_of(const Arguments& arguments) {
  const std::string text = arguments.value_or("--speed", "1");
  if (text == "max") {
    return std::optional<double>();
  }
  double speed = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (status != std::errc() || end != text.data() + text.size() || !(speed >= kSpeedMin && speed <= kSpeedMax)) {
    return make_error(ErrorKind::invalid, fmt::format("--speed '{}': it is a number from {} to {}, or max",
                                                      terminal_safe(text, 50), kSpeedMin, kSpeedMax));
  }
  return std::optional(speed);
}

Result<ReplayOptions> replay_options(const Arguments& arguments, World& world) {
  ReplayOptions options;
  options.speed = TRY(speed_of(arguments));
  const std::string mode = arguments.value_or("--mode", "");
  if (!mode.empty() && mode != "sync") {
    return make_error(ErrorKind::invalid, fmt::format("--mode '{}': it can only be sync", terminal_safe(mode, 50)));
  }
  options.async_as_sync = mode == "sync";
  if (const std::optional<std::string> path = arguments.value("--services")) {
    options.services = TRY(services_at(world, *path));
  }
  return options;
}

void tell_skipped(const std::string& path, const ReplayPlan& plan) {
  constexpr std::size_t kNamedMax = 20;
  for (std::size_t i = 0; i < plan.skipped.size() && i < kNamedMax; ++i) {
    log::note(
        fmt::format("{}:{}: not replayed: {}", path, plan.skipped[i].line, terminal_safe(plan.skipped[i].why, 300)));
  }
  if (!plan.skipped.empty()) {
    log::error(fmt::format(
        "{} of {} rows of {} cannot be replayed{}", plan.skipped.size(), plan.skipped.size() + plan.queries.size(),
        path, plan.skipped.size() > kNamedMax ? fmt::format("; the first {} are named above", kNamedMax) : ""));
  }
}

int tell_plan(const ReplayPlan& plan) {
  std::string text =
      fmt::format("{:>12}  {:>7}  {:<20} {:<24} {:<9}  {}\n", "start", "line", "provider", "service", "type", "asked");
  for (const ReplayQuery& query : plan.queries) {
    const Measurement& m = query.asked;
    const bool is_tap = query.service.type == ServiceType::tap;
    const std::string mode = is_tap ? std::string(to_string(query.service.mode)) : "";
    text += fmt::format("{:>12}  {:>7}  {:<20} {:<24} {:<9}  {} {}{}\n", to_human(query.offset), query.line,
                        terminal_safe(query.service.provider, 20), terminal_safe(query.service.name, 24),
                        is_tap ? "tap-" + mode : terminal_safe(m.type, 9), is_tap ? "POST" : "GET",
                        terminal_safe(query.service.url, 2000),
                        is_tap ? fmt::format("/{}  {}", mode, terminal_safe(query.service.adql, 2000)) : "");
    if (text.size() > (64U << 10U) && !print(std::exchange(text, ""))) {
      return 1;
    }
  }
  print(text);
  log::note(
      fmt::format("{} queries would be asked, the last {} after the begin or later, where politeness asks for it; "
                  "nothing was asked",
                  plan.queries.size(), to_human(plan.queries.empty() ? Micros(0) : plan.queries.back().offset)));
  return 0;
}

Result<int> replay(const Arguments& arguments, World& world) {
  const std::string path = arguments.value_or("file", "");
  const std::optional<ResultFormat> format =
      TRY(result_format(arguments.value_or("--from", "")).with_context("reading --from"));
  const ReplayOptions replay_by = TRY(replay_options(arguments, world));
  const ReplayPlan plan = plan_replay(TRY(read_results(world, path, format)), replay_by);
  tell_skipped(path, plan);
  if (plan.queries.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{}: nothing in it can be replayed", path));
  }
  if (arguments.has("--dry-run")) {
    return tell_plan(plan);
  }
  Order naming;
  TRY(name_run(arguments, world, naming));
  if (!naming.collector.empty()) {
    return make_error(ErrorKind::invalid, "--output submit=URL goes with parallax probe only");
  }
  ProbeOptions options = TRY(probe_options(arguments, world, naming));
  Outputs outputs = TRY(Outputs::open(arguments, world));
  const std::unique_ptr<SavedResults> saved = TRY(SavedResults::open(arguments, world));
  options.query.keeper = saved.get();
  const ProbeDeps deps{world.clock, world.rng, world.executor, world.files, world.http};
  const Progress write = [&](const Measurement& m) { outputs.write(m); };
  const ProbeOutcome outcome = run_replay(plan, naming, options, deps, write, world.stop);
  const bool written = outputs.finish();
  const bool kept = (saved == nullptr || saved->finish()) && written;
  tell_summary(outcome, "");
  return static_cast<int>(kept || outcome.exit_code != ExitCode::done ? outcome.exit_code : ExitCode::in_part);
}

}  // namespace

Command replay_command() {
  std::vector<Option> options = {
      Option{"file", OptionKind::value, "FILE", "a result file: NDJSON, CSV or servicemon's CSV", true, true},
      Option{"--from", OptionKind::value, "FORM", "auto (default), ndjson, csv or servicemon"},
      Option{"--speed", OptionKind::value, "N",
             "so many times faster than then (default 1), or max: as the providers' limits allow"},
      Option{"--services", OptionKind::value, "FILE", "a list with the providers' limits (default: 1 query a second)"},
      Option{"--mode", OptionKind::value, "sync", "ask asynchronous TAP queries synchronously"},
      Option{"--fleet", OptionKind::value, "NAME", "written into each measurement (default local)"},
      Option{"--vantage", OptionKind::value, "NAME", "written into each measurement (default: the host's name)"},
      Option{"--dry-run", OptionKind::flag, "", "show what would be asked and when; ask nothing"}};
  options.push_back(save_results_option());
  for (const std::vector<Option>& more : {output_options(), single_query_options()}) {
    options.insert(options.end(), more.begin(), more.end());
  }
  return Command{"replay", "ask again what an earlier result asked", options, replay, {}};
}

}  // namespace parallax::cli
