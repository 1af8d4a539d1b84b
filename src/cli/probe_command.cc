// parallax probe, parallax cones, parallax spool

#include <array>
#include <unistd.h>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/secrets.h"
#include "cli/version.h"
#include "cli/writers.h"
#include "probe/cones.h"
#include "probe/probe.h"
#include "probe/service_file.h"

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
constexpr Micros kPhaseLimitMin{Millis(1)};
constexpr Micros kPhaseLimitMax{Seconds(24 * 3600)};

Result<http::PhaseLimits> phase_limits(const Arguments& arguments) {
  http::PhaseLimits limits;
  for (const PhaseOption& option : kPhaseOptions) {
    const std::optional<std::string> text = arguments.value(option.name);
    if (!text) {
      continue;
    }
    const Micros limit = TRY(parse_duration(*text).with_context(fmt::format("reading {}", option.name)));
    if (limit < kPhaseLimitMin || limit > kPhaseLimitMax) {
      return make_error(ErrorKind::invalid, fmt::format("{}: from 1ms to 24h, not {}", option.name, *text));
    }
    limits.*option.limit = limit;
  }
  return limits;
}

const std::vector<Option> kConeOptions = {
    Option{"--cones", OptionKind::value, "N", "how many (default 10)"},
    Option{"--seed", OptionKind::value, "S", "equal seeds give equal cones everywhere (default: drawn and told)"},
    Option{"--min-radius", OptionKind::value, "DEG", "degrees (default 0.05)"},
    Option{"--max-radius", OptionKind::value, "DEG", "degrees (default 0.25)"}};

Result<ConeParameters> cone_parameters(const Arguments& arguments, World& world) {
  ConeParameters parameters;
  parameters.count = static_cast<int>(TRY(arguments.integer("--cones", 10, 1, 1'000'000)));
  parameters.seed = TRY(arguments.seed("--seed", world.rng.next()));
  // One of the two alone moves the other's default along.
  parameters.radius_min = TRY(arguments.number("--min-radius", 0.05, 0, 180));
  parameters.radius_max = TRY(arguments.number("--max-radius", std::max(0.25, parameters.radius_min), 0, 180));
  if (!arguments.has("--min-radius")) {
    parameters.radius_min = std::min(parameters.radius_min, parameters.radius_max);
  }
  if (parameters.radius_min > parameters.radius_max) {
    return make_error(ErrorKind::invalid, fmt::format("--min-radius {} is above --max-radius {}", parameters.radius_min,
                                                      parameters.radius_max));
  }
  return parameters;
}

// A file is read back by its name's ending, so it is written so.
std::string_view cone_format(std::string_view file) {
  return file.ends_with(".py") ? "py" : file.ends_with(".json") ? "json" : "csv";
}

Result<int> cones(const Arguments& arguments, World& world) {
  const ConeParameters parameters = TRY(cone_parameters(arguments, world));
  const std::optional<std::string> file = arguments.value("file");
  const std::string output = arguments.value_or("--output", cone_format(file.value_or("")));
  const std::vector<Cone> list = make_cones(parameters);
  std::string text;
  if (output == "csv") {
    text = cones_to_csv(list);
  } else if (output == "json") {
    text = cones_to_json(list);
  } else if (output == "py") {
    text = cones_to_python(list);
  } else {
    return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not csv, json or py", output));
  }
  if (!arguments.has("--seed")) {
    log::note(fmt::format("seed {}", parameters.seed));
  }
  if (file && *file != "-") {
    TRY(world.files.write(*file, text, 0644));
    return 0;
  }
  print(text);
  return 0;
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

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

Result<std::string> token_of(const Arguments& arguments, World& world) {
  if (const std::optional<std::string> file = arguments.value("--token-file")) {
    const std::string text = TRY(read_secret_file(world, *file));
    return std::string(trim(text));
  }
  return world.environment("PARALLAX_TOKEN").value_or("");
}

Result<Order> order_from_arguments(const Arguments& arguments, World& world) {
  if (const std::optional<std::string> path = arguments.value("--order")) {
    for (const char* name :
         {"--services", "--cones", "--cone-file", "--seed", "--min-radius", "--max-radius", "--collector"}) {
      if (arguments.has(name)) {
        return make_error(ErrorKind::invalid, fmt::format("{} does not go with --order, which says all that", name));
      }
    }
    const std::string text = TRY(read_input(world, *path));
    const Json json = TRY(parse_json(text).with_context("reading " + *path));
    return order_from_json(json).with_context("reading " + *path);
  }
  const std::optional<std::string> path = arguments.value("--services");
  if (!path) {
    return make_error(ErrorKind::invalid, "say what to measure: --services FILE, or --order FILE");
  }
  Order order;
  const std::string text = TRY(read_input(world, *path));
  ServiceList list = TRY(parse_services(*path, text));
  order.services = std::move(list.services);
  order.providers = std::move(list.providers);
  if (const std::optional<std::string> cone_file = arguments.value("--cone-file")) {
    if (arguments.has("--cones") || arguments.has("--seed")) {
      return make_error(ErrorKind::invalid, "--cone-file does not go with --cones or --seed");
    }
    const std::string cone_text = TRY(read_input(world, *cone_file));
    order.cone_list = TRY(parse_cones(*cone_file, cone_text));
  } else {
    order.cones = TRY(cone_parameters(arguments, world));
    if (!arguments.has("--seed")) {
      log::note(fmt::format("seed {}", order.cones.seed));
    }
  }
  order.run_id = make_ulid(world.clock.now(), world.rng);
  order.round_id = order.run_id;
  order.fleet = arguments.value_or("--fleet", "local");
  order.vantage = arguments.value_or("--vantage", host_name());
  order.collector = arguments.value_or("--collector", "");
  order.token = TRY(token_of(arguments, world));
  return order;
}

Result<ProbeOptions> probe_options(const Arguments& arguments, World& world, const Order& order) {
  ProbeOptions options;
  options.query.version = kVersion;
  options.query.limits.phases = TRY(phase_limits(arguments));
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

void tell_summary(const ProbeOutcome& outcome, const std::string& spool_directory) {
  std::string verdicts;
  for (std::size_t i = 0; i < outcome.by_verdict.size(); ++i) {
    if (outcome.by_verdict[i] > 0) {
      verdicts += fmt::format("{}{} {}", verdicts.empty() ? "" : ", ", outcome.by_verdict[i], kVerdictNames[i]);
    }
  }
  log::note(fmt::format("{} of {} queries asked{}{}", outcome.asked + outcome.resumed, outcome.planned,
                        verdicts.empty() ? "" : ": ", verdicts));
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

Result<int> probe(const Arguments& arguments, World& world) {
  const std::unique_ptr<MeasurementWriter> writer = TRY(make_writer(arguments.value_or("--output", "table")));
  const Order order = TRY(order_from_arguments(arguments, world));
  const ProbeOptions options = TRY(probe_options(arguments, world, order));
  if (!order.collector.empty()) {
    TRY(check_collector_url(order.collector));
  }
  const ProbeDeps deps{world.clock, world.rng, world.executor, world.files, world.http};
  const ProbeOutcome outcome = run_probe(
      order, options, deps, [&](const Measurement& m) { writer->write(m); }, world.stop);
  tell_summary(outcome, order.collector.empty() ? "" : options.spool_directory);
  return static_cast<int>(outcome.exit_code);
}

// ---- spool

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

std::string default_spool(World& world) {
  if (::geteuid() == 0) {
    return "/var/lib/parallax/spool";
  }
  if (const std::optional<std::string> state = world.environment("XDG_STATE_HOME")) {
    return *state + "/parallax/spool";
  }
  return world.environment("HOME").value_or("/tmp") + "/.local/state/parallax/spool";
}

Command probe_command() {
  std::vector<Option> options = {
      Option{"--services", OptionKind::value, "FILE", "what to measure: TOML, servicemon's .py, or CSV"},
      Option{"--order", OptionKind::value, "FILE", "the controller's order"}};
  options.insert(options.end(), kConeOptions.begin(), kConeOptions.end());
  for (const Option& option :
       {Option{"--cone-file", OptionKind::value, "FILE", "these cones instead: .py or CSV"},
        Option{"--collector", OptionKind::value, "URL", "send the results there"},
        Option{"--token-file", OptionKind::value, "FILE", "the token, in a file of mode 0600 (or PARALLAX_TOKEN)"},
        Option{"--spool", OptionKind::value, "DIR", "where results wait until the collector has them"},
        Option{"--flush-wait", OptionKind::value, "TIME",
               "how long to wait for a dead collector at the end (default 30s)"},
        Option{"--fleet", OptionKind::value, "NAME", "written into each measurement (default local)"},
        Option{"--vantage", OptionKind::value, "NAME", "written into each measurement (default: the host's name)"},
        Option{"--contact", OptionKind::value, "URL", "a page about this monitor, for the User-Agent"},
        Option{"--ca-file", OptionKind::value, "FILE", "PEM roots instead of the system's"},
        Option{"--output", OptionKind::value, "FORMAT", "table (default), ndjson, csv or none"}}) {
    options.push_back(option);
  }
  for (const PhaseOption& phase : kPhaseOptions) {
    options.push_back(Option{phase.name, OptionKind::value, "TIME", phase.help});
  }
  return Command{"probe", "measure services", options, probe, {}};
}

Command cones_command() {
  std::vector<Option> options = kConeOptions;
  options.push_back(Option{"--output", OptionKind::value, "FORMAT",
                           "csv (default), json or py (as servicemon reads them); else as FILE ends"});
  options.push_back(
      Option{"file", OptionKind::value, "FILE", "where to write (default: standard output)", false, true});
  return Command{"cones", "write cones that are equal everywhere for equal seeds", options, cones, {}};
}

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
