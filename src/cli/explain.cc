#include "cli/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/secrets.h"
#include "codec/hash.h"
#include "http/url.h"
#include "vo/describe.h"
#include "vo/finding_rules.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kFirstBytes = 256;
constexpr std::size_t kBytesOfLine = 16;
constexpr std::size_t kBarWidthMin = 10;
constexpr std::size_t kBarWidthMax = 120;
constexpr std::size_t kLineMax = 4000;
constexpr std::size_t kFieldsShown = 12;
constexpr std::size_t kFirstHopsShown = 12;  // of a job that was asked after many times
constexpr std::size_t kLastHopsShown = 6;

struct NamedPhase {
  std::string_view name;
  std::optional<Micros> http::Timings::*time;
};

constexpr std::array<NamedPhase, 6> kPhases = {{{"resolve", &http::Timings::resolve},
                                                {"connect", &http::Timings::connect},
                                                {"tls", &http::Timings::tls},
                                                {"send", &http::Timings::send},
                                                {"first byte", &http::Timings::first_byte},
                                                {"transfer", &http::Timings::transfer}}};

std::string safe(std::string_view text) {
  return terminal_safe(without_secrets(text), kLineMax);
}

// The request's header as it went out: the transport adds Host and Content-Length.
std::vector<std::pair<std::string, std::string>> sent_headers(const http::Request& request) {
  std::vector<std::pair<std::string, std::string>> headers;
  if (const Result<http::Url> url = http::parse_url(request.url)) {
    headers.emplace_back("Host", url->host_header());
  }
  for (const auto& [name, value] : request.headers) {
    headers.emplace_back(name, shown_header(name, value));
  }
  if (!request.body.empty()) {
    headers.emplace_back("Content-Length", std::to_string(request.body.size()));
  }
  return headers;
}

std::string request_line(const probe::WitnessedHop& hop) {
  const Result<http::Url> url = http::parse_url(hop.request.url);
  const std::string& version = hop.exchange.transport.http_version;
  return fmt::format("{} {} HTTP/{}", hop.request.method, url ? url->target() : hop.request.url,
                     version == "2" || version == "3" ? version : "1.1");
}

std::string connection_text(const probe::WitnessedHop& hop) {
  const http::Transport& transport = hop.exchange.transport;
  if (transport.peer.empty()) {
    return "no connection was tried";
  }
  std::string text = fmt::format("{}{}{}", transport.peer,
                                 transport.address_family.empty() ? "" : " (" + transport.address_family + ")",
                                 transport.dns.empty()        ? ""
                                 : transport.dns == "literal" ? ", the address stands in the URL"
                                 : transport.dns == "fresh"   ? ", the name was looked up now"
                                                              : ", the name's address was known");
  if (transport.tls_version.empty()) {
    text += hop.request.url.starts_with("https:") ? ", no TLS came about" : ", without TLS";
  } else {
    text += fmt::format(", {} {}", transport.tls_version, transport.tls_cipher);
  }
  if (transport.certificate_expires_at) {
    text += ", certificate until " + to_iso8601_seconds(*transport.certificate_expires_at);
  }
  return text + (transport.reused ? ", connection kept from before" : "");
}

// One line a phase; the bar begins where the phase began.
std::string timings_text(const http::Exchange& exchange, std::size_t width) {
  const http::Timings& times = exchange.transport.timings;
  const std::size_t bar = std::clamp(width < 34 ? 0 : width - 34, kBarWidthMin, kBarWidthMax);
  const auto total = static_cast<double>(std::max<std::int64_t>(times.total.count(), 1));
  std::string text;
  Micros begin{0};
  for (const NamedPhase& phase : kPhases) {
    const std::optional<Micros>& time = times.*phase.time;
    if (!time) {
      text += fmt::format("  {:<10}  {:>12}\n", phase.name, "not reached");
      continue;
    }
    const auto column = [&](Micros at) {
      const double share = std::clamp(static_cast<double>(at.count()) / total, 0.0, 1.0);
      return static_cast<std::size_t>(std::lround(share * static_cast<double>(bar)));
    };
    const std::size_t from = std::min(column(begin), bar - 1);
    const std::size_t length = time->count() == 0 ? 0 : std::max<std::size_t>(column(begin + *time) - from, 1);
    text += fmt::format("  {:<10}  {:>12}  |{}{}{}|\n", phase.name, to_human(*time), std::string(from, ' '),
                        std::string(length, '#'), std::string(bar - std::min(bar, from + length), ' '));
    begin += *time;
  }
  return text + fmt::format("  {:<10}  {:>12}\n", "total", to_human(times.total));
}

std::string hop_text(const probe::WitnessedHop& hop, std::size_t number, std::size_t width) {
  std::string text = fmt::format("request {}\n  > {}\n", number, safe(request_line(hop)));
  for (const auto& [name, value] : sent_headers(hop.request)) {
    text += fmt::format("  > {}: {}\n", terminal_safe(name, 200), terminal_safe(value, kLineMax));
  }
  if (!hop.request.body.empty()) {
    text += fmt::format("  >\n  > {}\n", safe(hop.request.body));
  }
  text += fmt::format("  = {}\n", terminal_safe(connection_text(hop), kLineMax));
  const http::Response& response = hop.exchange.response;
  if (response.status != 0) {
    text += fmt::format("  < HTTP/{} {}\n", terminal_safe(hop.exchange.transport.http_version, 10), response.status);
  }
  for (const auto& [name, value] : response.headers) {
    text += fmt::format("  < {}: {}\n", terminal_safe(name, 200), terminal_safe(shown_header(name, value), kLineMax));
  }
  if (response.status != 0) {
    text += fmt::format("  body {} bytes on the wire\n", hop.exchange.transport.bytes_wire);
  }
  if (hop.exchange.error) {
    text +=
        fmt::format("  ended in {}: {}: {}\n",
                    hop.exchange.failed_phase == http::Phase::none ? "no phase" : to_string(hop.exchange.failed_phase),
                    hop.exchange.error->code, safe(hop.exchange.error->message));
  }
  return text + timings_text(hop.exchange, width);
}

std::string hex_dump(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += kBytesOfLine) {
    const std::string_view line = bytes.substr(at, kBytesOfLine);
    std::string hex;
    std::string plain;
    for (const char c : line) {
      hex += (hex.empty() ? "" : " ") + to_hex(std::string_view(&c, 1));
      plain += c >= ' ' && c <= '~' ? c : '.';
    }
    text += fmt::format("  {:04x}  {:<47}  {}\n", at, hex, plain);
  }
  return text;
}

std::string body_text(const Explanation& explanation) {
  vo::VotableSummary summary = *explanation.body;
  summary.findings.clear();  // shown with their rules
  const std::size_t fields = summary.fields.size();
  summary.fields.resize(std::min(fields, kFieldsShown));
  std::string text = "what was read\n";
  const std::string lines = vo::describe_text(summary);
  for (const std::string_view line : split(std::string_view(lines).substr(0, lines.size() - 1), '\n')) {
    text += line.empty() ? "\n" : fmt::format("  {}\n", without_secrets(line));
  }
  if (fields > kFieldsShown) {
    text += fmt::format("  and {} more\n", fields - kFieldsShown);
  }
  if (explanation.body_cut) {
    text +=
        "  (of the first bytes only: the whole is too large to keep; the counts below the verdict are of the whole)\n";
  }
  return text;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text = fmt::format("findings{}\n", findings.empty() ? "\n  none" : "");
  for (const Finding& finding : findings) {
    text += fmt::format("  {}: {}\n", terminal_safe(finding.code, 100), safe(finding.message));
    if (const vo::FindingRule* rule = vo::finding_rule(finding.code)) {
      text += fmt::format("    {}: {}\n", rule->where, rule->rule);
    }
  }
  return text;
}

std::string_view why(const Measurement& m) {
  return vo::verdict_rule(vo::parse_verdict(to_string(m.verdict)).value_or(vo::Verdict::refused));
}

std::string verdict_text(const Measurement& m) {
  std::string text = fmt::format("verdict {}{}{}\n  {}\n", to_string(m.verdict), m.code.empty() ? "" : " ",
                                 terminal_safe(m.code, 100), why(m));
  if (!m.message.empty()) {
    text += fmt::format("  {}\n", safe(m.message));
  }
  if (m.limit_us) {
    text += fmt::format("  the limit was {}\n", to_human(Micros(*m.limit_us)));
  }
  text += fmt::format("  {} request{}, {} in all{}\n", m.hops, m.hops == 1 ? "" : "s", to_human(Micros(m.total_us)),
                      m.rows ? fmt::format(", {} rows of {} columns", *m.rows, m.columns.value_or(0)) : "");
  return text;
}

constexpr std::array<std::pair<std::string_view, std::optional<std::int64_t> Measurement::*>, 5> kJobSteps = {
    {{"submit", &Measurement::submit_us},
     {"run", &Measurement::run_us},
     {"wait", &Measurement::wait_us},
     {"fetch", &Measurement::fetch_us},
     {"delete", &Measurement::delete_us}}};

std::string job_text(const Measurement& m) {
  std::string text = fmt::format("job {}\n  {}\n", m.job_phase.empty() ? "of unknown phase" : safe(m.job_phase),
                                 m.job_url.empty() ? "its address never came" : safe(m.job_url));
  for (const auto& [name, time] : kJobSteps) {
    const std::optional<std::int64_t>& step = m.*time;
    text += fmt::format("  {:<10}  {:>12}\n", name, step ? to_human(Micros(*step)) : "not reached");
  }
  return text + fmt::format("  asked for its phase {} times\n\n", m.polls.value_or(0));
}

Json job_json(const Measurement& m) {
  Json json = Json::object({{"url", without_secrets(m.job_url)}, {"phase", m.job_phase}, {"polls", m.polls}});
  for (const auto& [name, time] : kJobSteps) {
    json.set(fmt::format("{}_us", name), m.*time);
  }
  return json;
}

Json times_json(const http::Timings& times) {
  Json json = Json::object();
  for (const NamedPhase& phase : kPhases) {
    std::string name(phase.name);
    std::replace(name.begin(), name.end(), ' ', '_');
    const std::optional<Micros>& time = times.*phase.time;
    json.set(name + "_us", time ? Json(time->count()) : Json());
  }
  json.set("total_us", times.total.count());
  return json;
}

Json headers_json(const std::vector<std::pair<std::string, std::string>>& headers) {
  Json json = Json::array();
  for (const auto& [name, value] : headers) {
    json.push(Json::array({name, value}));
  }
  return json;
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

Json hop_json(const probe::WitnessedHop& hop) {
  const http::Transport& transport = hop.exchange.transport;
  std::vector<std::pair<std::string, std::string>> received;
  for (const auto& [name, value] : hop.exchange.response.headers) {
    received.emplace_back(name, shown_header(name, value));
  }
  Json error;
  if (hop.exchange.error) {
    error = Json::object({{"code", hop.exchange.error->code},
                          {"phase", to_string(hop.exchange.failed_phase)},
                          {"message", without_secrets(hop.exchange.error->message)}});
  }
  const std::optional<Instant>& expires = transport.certificate_expires_at;
  return Json::object({{"method", hop.request.method},
                       {"url", without_secrets(hop.request.url)},
                       {"sent_headers", headers_json(sent_headers(hop.request))},
                       {"sent_body", text_or_null(without_secrets(hop.request.body))},
                       {"peer", text_or_null(transport.peer)},
                       {"address_family", text_or_null(transport.address_family)},
                       {"dns", text_or_null(transport.dns)},
                       {"tls_version", text_or_null(transport.tls_version)},
                       {"tls_cipher", text_or_null(transport.tls_cipher)},
                       {"certificate_expires_at", expires ? Json(to_iso8601_seconds(*expires)) : Json()},
                       {"http_version", text_or_null(transport.http_version)},
                       {"http_status", hop.exchange.response.status == 0 ? Json() : Json(hop.exchange.response.status)},
                       {"headers", headers_json(received)},
                       {"bytes_wire", transport.bytes_wire},
                       {"times", times_json(transport.timings)},
                       {"error", std::move(error)}});
}

}  // namespace

std::string explain_text(const Explanation& explanation, const ExplainStyle& style) {
  const Measurement& m = explanation.measurement;
  std::string text;
  const std::size_t hops = explanation.hops.size();
  for (std::size_t i = 0; i < hops; ++i) {
    if (i >= kFirstHopsShown && i + kLastHopsShown < hops) {
      text +=
          i == kFirstHopsShown ? fmt::format("({} more requests)\n\n", hops - kFirstHopsShown - kLastHopsShown) : "";
      continue;
    }
    text += hop_text(explanation.hops[i], i + 1, style.width) + "\n";
  }
  if (explanation.body) {
    text += body_text(explanation) + "\n";
  }
  if (explanation.body && style.first_bytes && !explanation.body->head.empty()) {
    const std::string_view head = std::string_view(explanation.body->head).substr(0, kFirstBytes);
    text +=
        fmt::format("the first {} bytes of the body{}\n{}\n", head.size(),
                    explanation.body->bytes_in == explanation.body->bytes_decoded ? "" : ", decoded", hex_dump(head));
  }
  text += m.mode == "async" ? job_text(m) : "";
  return text + findings_text(m.findings) + "\n" + verdict_text(m);
}

Json explain_json(const Explanation& explanation, const ExplainStyle& style) {
  const Measurement& m = explanation.measurement;
  Json hops = Json::array();
  for (const probe::WitnessedHop& hop : explanation.hops) {
    hops.push(hop_json(hop));
  }
  Json findings = Json::array();
  for (const Finding& finding : m.findings) {
    const vo::FindingRule* rule = vo::finding_rule(finding.code);
    findings.push(Json::object({{"code", finding.code},
                                {"message", without_secrets(finding.message)},
                                {"rule", rule == nullptr ? Json() : Json(rule->rule)},
                                {"where", rule == nullptr ? Json() : Json(rule->where)}}));
  }
  Json first_bytes;
  if (explanation.body && style.first_bytes) {
    const std::string head = explanation.body->head.substr(0, kFirstBytes);
    first_bytes = Json::object({{"hex", to_hex(head)}, {"text", to_utf8(head)}});
  }
  return Json::object({{"type", m.type},
                       {"provider", m.provider},
                       {"service", m.service},
                       {"ra", m.ra},
                       {"dec", m.dec},
                       {"radius", m.radius},
                       {"query", text_or_null(m.query)},
                       {"started_at", m.started_at ? Json(to_iso8601(*m.started_at)) : Json()},
                       {"requests", std::move(hops)},
                       {"body", explanation.body ? vo::describe(*explanation.body) : Json()},
                       {"body_cut", explanation.body_cut},
                       {"first_bytes", std::move(first_bytes)},
                       {"job", m.mode == "async" ? job_json(m) : Json()},
                       {"findings", std::move(findings)},
                       {"rows", m.rows},
                       {"columns", m.columns},
                       {"total_us", m.total_us},
                       {"limit_us", m.limit_us},
                       {"verdict", to_string(m.verdict)},
                       {"code", text_or_null(m.code)},
                       {"message", text_or_null(without_secrets(m.message))},
                       {"why", why(m)}});
}

}  // namespace parallax::cli
