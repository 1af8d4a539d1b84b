#include "cli/doctor_checks.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "aws/endpoint.h"
#include "base/mutex.h"
#include "base/text.h"
#include "cli/region_calls.h"
#include "cli/secrets.h"

namespace parallax::cli {

namespace {

constexpr Micros kAttempt{Seconds(20)};  // of one question
// The services refuse what is signed more than 15 minutes off; the client corrects itself beyond 4.
constexpr Micros kClockWarning{Seconds(30)};
constexpr Micros kClockProblem = std::chrono::minutes(4);
constexpr Micros kExpirySoon = std::chrono::minutes(15);

std::string milliseconds(Micros duration) {
  return fmt::format("{:.1f} ms", static_cast<double>(duration.count()) / 1000);
}

// "AKIA...0001": enough to tell keys apart, as AWS's own console shows them.
std::string short_key(const std::string& id) {
  return id.size() < 12 ? "(short key id)" : fmt::format("{}...{}", id.substr(0, 4), id.substr(id.size() - 4));
}

// What an HTTP exchange may take before the whole examination must end.
Micros time_left(const Patient& patient) {
  return std::clamp<Micros>(patient.deadline - patient.world.clock.monotonic(), Millis(1), kAttempt);
}

std::string why(const Error& error) {
  const bool said = error.code.empty() || error.message.starts_with(error.code);
  return terminal_safe(said ? error.message : fmt::format("{}: {}", error.code, error.message), 300);
}

// ---- one region

struct Reach {
  std::optional<Error> error;
  Micros connect{0}, total{0};
  std::optional<Micros> clock_offset;  // theirs less ours
};

// An unsigned request on a fresh connection: any answer will do.
Reach reach(Patient& patient, const std::string& region) {
  Reach reached;
  World& world = patient.world;
  Result<aws::Client::Preview> preview =
      patient.session.client->preview({"ec2", region}, "DescribeRegions", Json::object());
  if (!preview) {
    reached.error = preview.error();
    return reached;
  }
  http::Request request;
  request.url = preview->request.url;
  request.headers.set("User-Agent", preview->request.headers.get("User-Agent"));
  http::SendOptions options;
  options.connection = http::ConnectionPolicy::fresh;
  options.ca_file = patient.session.settings.ca_bundle;
  options.limits.connect = Seconds(5);
  options.limits.total = time_left(patient);
  const Instant before = world.clock.now();
  const http::Exchange exchange = world.http.send(request, options, world.stop);
  const Instant after = world.clock.now();
  if (!exchange.ok()) {
    reached.error = exchange.error;
    return reached;
  }
  reached.connect = exchange.transport.timings.connect.value_or(Micros(0));
  reached.total = exchange.transport.timings.total;
  if (const Result<Instant> theirs = parse_http_date(exchange.response.headers.get("Date"))) {
    // Date is cut to whole seconds: on average it says half a second too little.
    reached.clock_offset = *theirs + Millis(500) - (before + (after - before) / 2);
  }
  return reached;
}

struct RegionState {
  std::string opt_in;  // "opt-in-not-required", "opted-in", "not-opted-in"; empty: unknown
  Reach reached;
  std::optional<Error> refusal;  // of a signed call
};

Check region_check(const std::string& region, const RegionState& state, bool signed_calls) {
  Check check{"region", region, Verdict::ok, "", "", region};
  if (state.reached.error) {
    check.verdict = Verdict::problem;
    check.found = fmt::format("not reachable: {}", why(*state.reached.error));
    check.advice = "look at the name, the network, the proxy and AWS_ENDPOINT_URL";
    return check;
  }
  const std::string enabled = state.opt_in.empty() ? "enabled or not is unknown" : state.opt_in;
  check.found = fmt::format("{}; connects in {}, answers in {}", enabled, milliseconds(state.reached.connect),
                            milliseconds(state.reached.total));
  if (state.opt_in == "not-opted-in" || (state.refusal && state.refusal->code == "region-disabled")) {
    check.verdict = Verdict::problem;
    check.found += "; not enabled for this account";
    check.advice = "enable the region in the account's settings (it takes minutes to hours), or leave it out";
  } else if (state.refusal) {
    check.verdict = Verdict::problem;
    check.found += fmt::format("; ec2:DescribeInstances failed: {}", why(*state.refusal));
    check.advice = state.refusal->kind == ErrorKind::denied
                       ? "the rights that the fleet commands need are in docs/user/getting-started.md"
                       : "try again; where it goes on, see the region's status page";
  } else if (!signed_calls) {
    check.found += "; no signed call was tried";
  }
  return check;
}

void check_clock(Patient& patient, const std::string& region, const Reach& reached) {
  Check check{"clock", "clock", Verdict::unknown, "", "", ""};
  if (!reached.clock_offset) {
    check.found = fmt::format("{} gave no time of its own", region);
  } else {
    const Micros offset = *reached.clock_offset;
    const Micros size = std::chrono::abs(offset);
    const Micros doubt = Millis(500) + reached.total / 2;
    check.verdict = size > kClockProblem ? Verdict::problem : size > kClockWarning ? Verdict::warning : Verdict::ok;
    check.found = size <= doubt ? fmt::format("equal to {}'s within {}", region, to_human(doubt))
                                : fmt::format("{} {} {}'s, give or take {}", to_human(size),
                                              offset > Micros(0) ? "behind" : "ahead of", region, to_human(doubt));
    if (check.verdict != Verdict::ok) {
      check.advice = "set this machine's clock (systemd-timesyncd, chrony); AWS refuses what is 15 minutes off";
    }
  }
  patient.add(check);
}

std::map<std::string, std::string> opt_in_states(const Patient& patient) {
  std::map<std::string, std::string> states;
  const Result<Json> answer =
      patient.call("ec2", patient.regions.front(), "DescribeRegions", Json::object({{"AllRegions", true}}));
  if (answer) {
    for (const Json& region : answer->list("Regions")) {
      states[region.text("RegionName")] = region.text("OptInStatus");
    }
  }
  return states;
}

}  // namespace

Result<Json> Patient::call(const std::string& service, const std::string& region, std::string_view operation,
                           const Json& params) const {
  const Monotonic end = std::min(deadline, world.clock.monotonic() + kAttempt);
  return session.client->call({service, region}, operation, params, {.deadline = end, .stop = world.stop});
}

bool check_credentials(Patient& patient) {
  World& world = patient.world;
  const Result<aws::Credentials> found = patient.session.credentials->credentials(
      std::min(patient.deadline, world.clock.monotonic() + kAttempt), world.stop);
  Check check{"credentials", "source", Verdict::ok, "", "", ""};
  if (!found) {
    check.verdict = Verdict::problem;
    check.found = terminal_safe(found.error().text(), 600);
    check.advice = "docs/user/aws-credentials.md lists where they may come from";
    patient.add(check);
    return false;
  }
  check.found = fmt::format("{}, key {}", patient.session.credentials->source(), short_key(found->access_key_id));
  patient.add(check);
  Check expiry{"credentials", "expiry", Verdict::ok, "", "", ""};
  if (!found->expires) {
    expiry.found = found->session_token.empty() ? "long-term keys: they never end" : "not told: temporary keys do end";
  } else {
    const Micros left = *found->expires - world.clock.now();
    expiry.verdict = left <= Micros(0) ? Verdict::problem : left < kExpirySoon ? Verdict::warning : Verdict::ok;
    expiry.found = fmt::format("{}{}", to_iso8601_seconds(*found->expires),
                               left <= Micros(0) ? ": ended" : fmt::format(", in {}", to_human(left)));
    expiry.advice = expiry.verdict == Verdict::ok ? "" : "get new ones from where these came from";
  }
  patient.add(expiry);
  return true;
}

bool check_identity(Patient& patient) {
  const Result<Json> answer = patient.call("sts", patient.regions.front(), "GetCallerIdentity", Json::object());
  Check check{"credentials", "who we are", Verdict::ok, "", "", ""};
  if (!answer) {
    check.verdict = Verdict::problem;
    check.found = why(answer.error());
    check.advice =
        answer.error().kind == ErrorKind::denied
            ? "the keys are wrong, retired or of another partition: get new ones, or choose another --profile"
            : "the security token service does not answer: look at the network, the clock and the endpoint";
    patient.add(check);
    return false;
  }
  patient.account = answer->text("Account");
  patient.arn = answer->text("Arn");
  check.found = fmt::format("{} (account {})", patient.arn, patient.account);
  if (patient.arn.ends_with(":root")) {
    check.verdict = Verdict::warning;
    check.advice = "use a user or role with the rights it needs: nothing limits the account's root";
  }
  patient.add(check);
  return true;
}

void check_endpoints(Patient& patient) {
  for (const std::string_view name : aws::service_names()) {
    const aws::ServiceModel* model = aws::find_service(name);
    const Result<aws::Endpoint> endpoint =
        model == nullptr
            ? make_error(ErrorKind::internal, "no model")
            : aws::resolve_endpoint(model->metadata(), patient.regions.front(), patient.session.settings.endpoint);
    Check check{"endpoint", std::string(name), Verdict::ok, "", "", ""};
    if (endpoint) {
      check.found = fmt::format("{}, signed for {}", endpoint->url, endpoint->signing_region);
    } else {
      check.verdict = Verdict::problem;
      check.found = why(endpoint.error());
      check.advice = "mend the region's name or the configured endpoint";
    }
    patient.add(check);
  }
}

void check_regions(Patient& patient, bool signed_calls) {
  const std::map<std::string, std::string> opt_in =
      signed_calls ? opt_in_states(patient) : std::map<std::string, std::string>();
  std::vector<RegionState> states(patient.regions.size());
  for_each_at_once(patient.world.executor, patient.regions.size(), [&](std::size_t i) {
    const std::string& region = patient.regions[i];
    const auto at = opt_in.find(region);
    states[i].opt_in = at == opt_in.end() ? "" : at->second;
    states[i].reached = reach(patient, region);
    if (signed_calls && !states[i].reached.error && states[i].opt_in != "not-opted-in") {
      const Result<Json> answer = patient.call("ec2", region, "DescribeInstances", Json::object({{"MaxResults", 5}}));
      states[i].refusal = answer ? std::nullopt : std::optional<Error>(answer.error());
    }
  });
  check_clock(patient, patient.regions.front(), states.front().reached);
  for (std::size_t i = 0; i < states.size(); ++i) {
    patient.add(region_check(patient.regions[i], states[i], signed_calls));
  }
}

void check_quotas(Patient& patient) {
  const std::string& region = patient.regions.front();
  const Result<Json> answer = patient.call("ec2", region, "DescribeAccountAttributes", Json::object());
  Check check{"quota", "account", Verdict::ok, "", "", ""};
  if (answer) {
    for (const Json& attribute : answer->list("AccountAttributes")) {
      const JsonArray& values = attribute.list("AttributeValues");
      const std::string name = attribute.text("AttributeName");
      if (!values.empty() && (name.starts_with("max-") || name.starts_with("vpc-max-"))) {
        check.found +=
            fmt::format("{}{} {}", check.found.empty() ? "" : ", ", name, values.front().text("AttributeValue"));
      }
    }
    check.found = fmt::format("in {}: {}", region, check.found.empty() ? "none told" : check.found);
  } else {
    check.verdict = Verdict::unknown;
    check.found = why(answer.error());
  }
  patient.add(check);
  patient.add({"quota", "vCPUs", Verdict::unknown,
               "the limit of On-Demand vCPUs (L-1216C47A) is Service Quotas' to tell, whose model is not built in",
               "see it in the console: Service Quotas, EC2, Running On-Demand Standard instances", ""});
}

void check_own(Patient& patient, const std::string& journal_directory) {
  World& world = patient.world;
  Check journal{"here", "journal directory", Verdict::ok, journal_directory, "", ""};
  const std::string probe = journal_directory + "/.doctor";
  Result<> written = world.files.make_directories(journal_directory, 0700);
  written = written ? world.files.write(probe, "", 0600) : std::move(written);
  if (written) {
    ignore(world.files.remove(probe), "an empty file that stays harms nobody");
  } else {
    journal.verdict = Verdict::warning;
    journal.found = fmt::format("cannot be written: {}", written.error().text());
    journal.advice = "without it a machine left by a dead controller is stopped when its lease ends, not at once";
  }
  patient.add(journal);
  if (!patient.config || patient.config->collector.url.empty()) {
    return;
  }
  const Config::Collector& collector = patient.config->collector;
  http::Request request;
  request.url = collector.url + (collector.url.ends_with('/') ? "healthz" : "/healthz");
  http::SendOptions options;
  options.ca_file = world.environment("PARALLAX_CA_FILE").value_or("");
  options.limits.total = time_left(patient);
  const http::Exchange exchange = world.http.send(request, options, world.stop);
  Check reached{"here", "collector", Verdict::ok, "", "", ""};
  if (exchange.ok() && exchange.response.status == 200) {
    reached.found = fmt::format("{} answers in {}", collector.url, milliseconds(exchange.transport.timings.total));
  } else {
    reached.verdict = Verdict::problem;
    reached.found = exchange.ok() ? fmt::format("{} answers with status {}", request.url, exchange.response.status)
                                  : fmt::format("{}: {}", collector.url, why(*exchange.error));
    reached.advice = "start it with 'parallax serve', or mend [collector] url";
  }
  patient.add(reached);
  if (collector.key.empty()) {
    return;
  }
  const Result<SigningKey> key = read_signing_key(world, collector.key);
  patient.add({"here", "controller key", key ? Verdict::ok : Verdict::problem, key ? collector.key : key.error().text(),
               key ? "" : "'parallax keys create' makes one; only its owner may read it", ""});
}

}  // namespace parallax::cli
