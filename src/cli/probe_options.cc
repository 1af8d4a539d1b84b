#include "cli/probe_options.h"

#include <array>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/saved_results.h"
#include "cli/secrets.h"
#include "cli/version.h"
#include "cli/writers/outputs.h"

namespace parallax::cli {

namespace {

constexpr const char* kContactUrl = "https://parallax.example.org/monitor";

// The limits of a query's phases, as options: a time-out is a censored value with that limit, so it is recorded.
struct PhaseOption {
  const char* name;
  Micros http::PhaseLimits::*limit;
  const char* help;
};

constexpr std::array<PhaseOption, 6> kPhaseOptions = {{
    {"--limit-resolve", &http::PhaseLimits::resolve, "to find the address (default 10s)"},
    {"--limit-connect", &http::PhaseLimits::connect, "to connect (default 15s)"},
    {"--limit-tls", &http::PhaseLimits::tls, "for the TLS handshake (default 15s)"},
    {"--limit-first-byte", &http::PhaseLimits::first_byte, "from the request sent to the first byte (default 1m)"},
    {"--limit-idle", &http::PhaseLimits::idle, "the longest gap between bytes of the body (default 30s)"},
    {"--limit-total", &http::PhaseLimits::total, "the whole query, redirects included (default 5m)"},
}};
constexpr const char* kJobOption = "--limit-job";
constexpr Micros kPhaseLimitMin{Millis(1)};
constexpr Micros kPhaseLimitMax{Seconds(24 * 3600)};

Result<> read_limit(const Arguments& arguments, const char* name, Micros& target) {
  const std::optional<std::string> text = arguments.value(name);
  if (!text) {
    return {};
  }
  const Micros limit = TRY(parse_duration(*text).with_context(fmt::format("reading {}", name)));
  if (limit < kPhaseLimitMin || limit > kPhaseLimitMax) {
    return make_error(ErrorKind::invalid, fmt::format("{}: from 1ms to 24h, not {}", name, *text));
  }
  target = limit;
  return {};
}

Result<> read_limits(const Arguments& arguments, QueryLimits& limits) {
  for (const PhaseOption& option : kPhaseOptions) {
    TRY(read_limit(arguments, option.name, limits.phases.*option.limit));
  }
  return read_limit(arguments, kJobOption, limits.job);
}

// "host:port=host:port,..." as a simulated machine's environment has it: connections that pass a relay.
Result<std::map<std::string, std::string>> links(World& world) {
  std::map<std::string, std::string> map;
  const std::string text = world.environment("PARALLAX_LINKS").value_or("");
  for (const std::string_view link : split(text, ',')) {
    const std::size_t equals = link.find('=');
    if (link.empty()) {
      continue;
    }
    if (equals == std::string_view::npos) {
      return make_error(ErrorKind::invalid, fmt::format("PARALLAX_LINKS: '{}' is not HOST:PORT=HOST:PORT", link));
    }
    map.emplace(std::string(link.substr(0, equals)), std::string(link.substr(equals + 1)));
  }
  return map;
}

}  // namespace

std::vector<Option> single_query_options() {
  std::vector<Option> options = {
      Option{"--contact", OptionKind::value, "URL", "a page about this monitor, for the User-Agent"},
      Option{"--ca-file", OptionKind::value, "FILE", "PEM roots instead of the system's"}};
  for (const PhaseOption& phase : kPhaseOptions) {
    options.push_back(Option{phase.name, OptionKind::value, "TIME", phase.help});
  }
  options.push_back(Option{kJobOption, OptionKind::value, "TIME",
                           "an asynchronous TAP query, its job's waiting included (default 10m)"});
  return options;
}

std::vector<Option> query_options() {
  std::vector<Option> options = {
      Option{"--spool", OptionKind::value, "DIR", "where results wait until the collector has them"},
      Option{"--flush-wait", OptionKind::value, "TIME",
             "how long to wait for a dead collector at the end (default 30s)"}};
  const std::vector<Option> single = single_query_options();
  options.insert(options.end(), single.begin(), single.end());
  return options;
}

Result<std::string> token_of(const Arguments& arguments, World& world) {
  if (const std::optional<std::string> file = arguments.value("--token-file")) {
    const std::string text = TRY(read_secret_file(world, *file));
    return std::string(trim(text));
  }
  return world.environment("PARALLAX_TOKEN").value_or("");
}

Result<ProbeOptions> probe_options(const Arguments& arguments, World& world, const Order& order) {
  ProbeOptions options;
  options.query.version = kVersion;
  TRY(read_limits(arguments, options.query.limits));
  options.query.contact_url = arguments.value_or("--contact", kContactUrl);
  options.query.http_library = http::client_library();
  options.query.connect_to = TRY(links(world));
  options.query.ca_file = arguments.value_or("--ca-file", world.environment("PARALLAX_CA_FILE").value_or(""));
  options.submit.ca_file = options.query.ca_file;
  options.submit.flush_wait =
      TRY(parse_duration(arguments.value_or("--flush-wait", "30s")).with_context("reading --flush-wait"));
  options.build = kBuild;
  const std::optional<std::string> spool =
      arguments.value("--spool") ? arguments.value("--spool") : world.environment("PARALLAX_SPOOL");
  if (spool) {
    options.spool_directory = *spool;
  } else if (!order.collector.empty() || arguments.has("--order")) {
    options.spool_directory = default_spool(world);
  }
  return options;
}

namespace {

// Jobs on servers are others' resources: whatever is not gone is told.
void tell_jobs(const ProbeOutcome& outcome) {
  const probe::LeftJobs& before = outcome.jobs_before;
  const probe::LeftJobs& after = outcome.jobs_after;
  if (before.deleted > 0) {
    log::note(
        fmt::format("{} asynchronous jobs that an earlier start had left on servers were deleted", before.deleted));
  }
  if (before.unknown + after.unknown > 0) {
    log::error(
        fmt::format("{} asynchronous jobs were asked for and their addresses never came: nobody can delete them "
                    "but their servers",
                    before.unknown + after.unknown));
  }
  if (after.kept > 0) {
    log::error(fmt::format("{} asynchronous jobs are still on servers{}{}; the next start tries again", after.kept,
                           after.problem.empty() ? "" : ": ", after.problem));
  }
}

}  // namespace

void tell_summary(const ProbeOutcome& outcome, const std::string& spool_directory) {
  std::string verdicts;
  for (std::size_t i = 0; i < outcome.by_verdict.size(); ++i) {
    if (outcome.by_verdict[i] > 0) {
      verdicts += fmt::format("{}{} {}", verdicts.empty() ? "" : ", ", outcome.by_verdict[i], kVerdictNames[i]);
    }
  }
  log::note(fmt::format("{} of {} queries asked{}{}", outcome.asked + outcome.resumed, outcome.planned,
                        verdicts.empty() ? "" : ": ", verdicts));
  tell_jobs(outcome);
  if (outcome.spool.pending > 0 && !spool_directory.empty()) {
    log::error(fmt::format("{} results wait in the spool {}; 'parallax spool send' delivers them",
                           outcome.spool.pending, spool_directory));
  }
  if (!outcome.submit.last_problem.empty()) {
    log::error("the collector: " + outcome.submit.last_problem);
  }
  for (const std::string& reason : outcome.submit.refusals) {
    log::error("the collector refused or kept apart: " + reason);
  }
  if (!outcome.problem.empty()) {
    log::error(outcome.problem);
  }
}

Result<int> ask(const Order& order, const Arguments& arguments, World& world) {
  ProbeOptions options = TRY(probe_options(arguments, world, order));
  if (!order.collector.empty()) {
    TRY(check_collector_url(order.collector));
  }
  Outputs outputs = TRY(Outputs::open(arguments, world));
  const std::unique_ptr<SavedResults> saved = TRY(SavedResults::open(arguments, world));
  options.query.keeper = saved.get();
  const ProbeDeps deps{world.clock, world.rng, world.executor, world.files, world.http};
  const ProbeOutcome outcome = run_probe(
      order, options, deps, [&](const Measurement& m) { outputs.write(m); }, world.stop);
  const bool written = outputs.finish();
  const bool kept = (saved == nullptr || saved->finish()) && written;
  tell_summary(outcome, order.collector.empty() ? "" : options.spool_directory);
  return kept || outcome.exit_code != ExitCode::done ? static_cast<int>(outcome.exit_code)
                                                     : static_cast<int>(ExitCode::in_part);
}

std::string default_spool(World& world) {
  if (::geteuid() == 0) {
    return "/var/lib/parallax/spool";
  }
  if (const std::optional<std::string> state = world.environment("XDG_STATE_HOME")) {
    return *state + "/parallax/spool";
  }
  return world.environment("HOME").value_or("/tmp") + "/.local/state/parallax/spool";
}

}  // namespace parallax::cli
