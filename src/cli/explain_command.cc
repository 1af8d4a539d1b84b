// parallax explain

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/probe_options.h"
#include "cli/probe_order.h"
#include "http/url.h"
#include "probe/async_query.h"
#include "probe/exchange.h"
#include "probe/query.h"
#include "vo/votable.h"

namespace parallax::cli {

namespace {

constexpr std::string_view kDefaultCone = "83.633,22.014,0.05";
constexpr std::size_t kBodyKept = 24U << 20U;

Result<Cone> cone_of(const Arguments& arguments) {
  const std::string text = arguments.value_or("--cone", kDefaultCone);
  const auto wrong = [&](std::string_view what) {
    return make_error(ErrorKind::invalid, fmt::format("--cone '{}': {}; write RA,DEC,RADIUS in degrees, like {}",
                                                      terminal_safe(text, 100), what, kDefaultCone));
  };
  const std::vector<std::string_view> parts = split(text, ',');
  if (parts.size() != 3) {
    return wrong(fmt::format("{} numbers, not three", parts.size()));
  }
  std::array<double, 3> numbers{};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string_view part = trim(parts[i]);
    const auto [end, status] = std::from_chars(part.data(), part.data() + part.size(), numbers.at(i));
    if (status != std::errc() || end != part.data() + part.size()) {
      return wrong(fmt::format("'{}' is not a number", terminal_safe(part, 50)));
    }
  }
  const Cone cone{numbers[0], numbers[1], numbers[2]};
  if (!(cone.ra >= 0 && cone.ra < 360)) {
    return wrong("RA is from 0 up to 360");
  }
  if (!(cone.dec >= -90 && cone.dec <= 90)) {
    return wrong("Dec is from -90 to 90");
  }
  if (!(cone.radius >= 0 && cone.radius <= 180)) {
    return wrong("the radius is from 0 to 180");
  }
  return cone;
}

Result<std::optional<ServiceType>> type_of(const Arguments& arguments) {
  const std::optional<std::string> text = arguments.value("--type");
  if (!text) {
    return std::optional<ServiceType>();
  }
  const std::optional<ServiceType> type = parse_service_type(*text);
  if (!type) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--type '{}': it is one of cone, xcone, tap", terminal_safe(*text, 50)));
  }
  return type;
}

std::string names_of(const std::vector<Service>& services) {
  std::vector<std::string_view> names;
  for (const Service& service : services) {
    if (std::find(names.begin(), names.end(), service.name) == names.end() && names.size() < 20) {
      names.push_back(service.name);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// The one service of the list with that name and type.
Result<Service> service_of_list(const Arguments& arguments, World& world, const std::string& name,
                                const std::optional<ServiceType>& type) {
  const std::string path = *arguments.value("--services");
  const ServiceList list = TRY(services_at(world, path));
  const auto fits = [&](const Service& service) { return service.name == name && (!type || service.type == *type); };
  if (std::any_of(list.opted_out.begin(), list.opted_out.end(), fits)) {
    return make_error(ErrorKind::invalid, fmt::format("{}: its provider has opted out in {}, so it is not asked",
                                                      terminal_safe(name, 100), path));
  }
  std::vector<Service> found;
  std::copy_if(list.services.begin(), list.services.end(), std::back_inserter(found), fits);
  if (found.empty()) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("{}: {} has no {}service of that name; it has {}", terminal_safe(name, 100), path,
                    type ? fmt::format("{} ", to_string(*type)) : "", terminal_safe(names_of(list.services), 1000)));
  }
  if (found.size() > 1) {
    std::string kinds;
    for (const Service& service : found) {
      kinds += fmt::format("{}{} of {}", kinds.empty() ? "" : ", ", to_string(service.type), service.provider);
    }
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: {} has {} of that name ({}); choose by --type, or give the URL",
                                  terminal_safe(name, 100), path, found.size(), terminal_safe(kinds, 500)));
  }
  return found.front();
}

Result<Service> service_of_url(const Arguments& arguments, const std::string& url,
                               const std::optional<ServiceType>& type) {
  Service service;
  service.url = url;
  service.type = type.value_or(ServiceType::xcone);  // without a placeholder it is asked as it is
  if (!type && url.find('{') != std::string::npos) {
    return make_error(ErrorKind::invalid, "the URL has placeholders: give --type xcone, so that they are filled");
  }
  if (service.type == ServiceType::tap) {
    service.adql = arguments.value_or("--adql", "");
    if (service.adql.empty()) {
      return make_error(ErrorKind::invalid,
                        "--type tap needs --adql, a query like \"SELECT TOP 1 * FROM TAP_SCHEMA.tables\"");
    }
  }
  return service;
}

// What --mode says, else what the list says, else sync.
Result<> set_mode(const Arguments& arguments, Service& service) {
  const std::optional<std::string> word = arguments.value("--mode");
  if (word && *word != "sync" && *word != "async") {
    return make_error(ErrorKind::invalid, fmt::format("--mode '{}': it is sync or async", terminal_safe(*word, 50)));
  }
  if (word && service.type != ServiceType::tap) {
    return make_error(ErrorKind::invalid, fmt::format("--mode {} goes with TAP only", *word));
  }
  if (service.type == ServiceType::tap) {
    service.mode = (word ? *word == "async" : service.mode == TapMode::async) ? TapMode::async : TapMode::sync;
  }
  return {};
}

Result<Service> service_from(const Arguments& arguments, World& world) {
  const std::string target = arguments.value_or("target", "");
  const std::optional<ServiceType> type = TRY(type_of(arguments));
  const bool is_url = target.find("://") != std::string::npos;
  if (!is_url && !arguments.has("--services")) {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is no URL; to name a service, give its list too: --services FILE",
                                  terminal_safe(target, 200)));
  }
  Service service =
      is_url ? TRY(service_of_url(arguments, target, type)) : TRY(service_of_list(arguments, world, target, type));
  if (service.type != ServiceType::tap && arguments.has("--adql")) {
    return make_error(ErrorKind::invalid, fmt::format("--adql goes with --type tap, and this is {}",
                                                      is_url && !type ? "a plain URL" : to_string(service.type)));
  }
  if (!is_url && arguments.has("--adql")) {
    service.adql = arguments.value_or("--adql", "");
  }
  TRY(set_mode(arguments, service));
  service.private_redirects = service.private_redirects || arguments.has("--allow-private");
  return service;
}

std::size_t terminal_width(World& world) {
  constexpr std::size_t kDefault = 80;
  winsize size{};
  std::size_t width = kDefault;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): ioctl is one
  if (::isatty(STDOUT_FILENO) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    width = size.ws_col;
  } else if (const std::optional<std::string> columns = world.environment("COLUMNS")) {
    std::from_chars(columns->data(), columns->data() + columns->size(), width);
  }
  return std::clamp<std::size_t>(width, 40, 200);
}

// The answer that was judged: the last one whose body went to the reader; of a job that gave no result the last
// document that is not the answer to its deletion.
const probe::WitnessedHop* judged_hop(const std::vector<probe::WitnessedHop>& hops) {
  const auto answered = [](const probe::WitnessedHop& hop) { return hop.exchange.response.status != 0; };
  const auto streamed = std::find_if(hops.rbegin(), hops.rend(), [](const auto& hop) { return hop.streamed; });
  if (streamed != hops.rend()) {
    return answered(*streamed) ? &*streamed : nullptr;
  }
  const auto document = std::find_if(hops.rbegin(), hops.rend(), [&](const auto& hop) {
    return answered(hop) && hop.request.method != "DELETE" && !hop.body.empty();
  });
  return document == hops.rend() ? nullptr : &*document;
}

// What was read of it, as the probe's own reader told it.
void read_body(Explanation& explanation, const QueryLimits& limits) {
  const probe::WitnessedHop* judged = judged_hop(explanation.hops);
  if (judged == nullptr) {
    return;
  }
  const probe::WitnessedHop& last = *judged;
  explanation.body_cut = last.body_cut;
  explanation.body = vo::read_votable(last.body, probe::reader_options(last.exchange.response.headers, limits));
  if (last.body_cut) {  // that the kept part ends early is no fact of the service
    explanation.body->problem = vo::Problem::none;
    explanation.body->rows_counted = false;
  }
}

Result<int> explain(const Arguments& arguments, World& world) {
  const std::string output = arguments.value_or("--output", "table");
  if (output != "table" && output != "json") {
    return make_error(ErrorKind::invalid,
                      fmt::format("--output: '{}' is not table or json", terminal_safe(output, 50)));
  }
  const Service service = TRY(service_from(arguments, world));
  const Cone cone = TRY(cone_of(arguments));
  ProbeOptions options = TRY(probe_options(arguments, world, Order()));
  Explanation explanation;
  TRY(describe_query(service, cone, 0, explanation.measurement));
  TRY(http::parse_url(explanation.measurement.url).with_context("reading the URL to be asked"));
  if (service.type == ServiceType::xcone && service.url.find('{') == std::string::npos) {  // a URL as it is
    Measurement& m = explanation.measurement;
    m.type = "url";
    m.ra = m.dec = m.radius = std::nullopt;
  }
  probe::Witness witness(world.http, kBodyKept);
  if (service.type == ServiceType::tap && service.mode == TapMode::async) {
    const std::unique_ptr<probe::JobJournal> journal = probe::JobJournal::in_memory(world.clock);
    probe::run_async_query({service, options.query, world.clock, world.executor, witness, world.stop}, cone,
                           Micros::max(), *journal, explanation.measurement);
  } else {
    run_query(service, cone, options.query, Micros::max(), world.clock, world.executor, witness, world.stop,
              explanation.measurement);
  }
  explanation.hops = witness.hops();
  read_body(explanation, options.query.limits);
  const ExplainStyle style{terminal_width(world), !arguments.has("--no-body")};
  print(output == "json" ? explain_json(explanation, style).dump() + "\n" : explain_text(explanation, style));
  if (explanation.measurement.code == "interrupted") {
    return static_cast<int>(ExitCode::interrupted);
  }
  return is_success(explanation.measurement.verdict) ? 0 : 1;
}

}  // namespace

Command explain_command() {
  std::vector<Option> options = {
      Option{"target", OptionKind::value, "URL|SERVICE", "what to ask: a URL, or a service's name in --services", true,
             true},
      Option{"--services", OptionKind::value, "FILE", "the list that has the service"},
      Option{"--type", OptionKind::value, "TYPE",
             "cone, xcone or tap: add the parameters that the probe adds (default: ask the URL as it is)"},
      Option{"--cone", OptionKind::value, "RA,DEC,RADIUS",
             fmt::format("in degrees (default {}, the Crab nebula)", kDefaultCone)},
      Option{"--adql", OptionKind::value, "QUERY", "with --type tap; {ra}, {dec}, {radius} are filled"},
      Option{"--mode", OptionKind::value, "MODE", "of TAP: sync or async (default: the list's, else sync)"},
      Option{"--allow-private", OptionKind::flag, "", "follow redirects into private and loopback networks"},
      Option{"--no-body", OptionKind::flag, "", "do not show the first bytes of the body"},
      Option{"--output", OptionKind::value, "FORMAT", "table (default) or json"}};
  const std::vector<Option> query = single_query_options();
  options.insert(options.end(), query.begin(), query.end());
  return Command{"explain", "one query, told step by step", options, explain, {}};
}

}  // namespace parallax::cli
