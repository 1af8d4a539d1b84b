#include "probe/exchange.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "vo/verdict.h"

namespace parallax::probe {

namespace {

constexpr Micros kRetryAfterMax{Seconds(3600)};
constexpr std::size_t kHeaderBytesKept = 200;
constexpr std::size_t kHopUrlBytesMax = 8U << 10U;  // Location headers are foreign text

void add(std::optional<std::int64_t>& sum, const std::optional<Micros>& part) {
  if (part) {
    sum = sum.value_or(0) + part->count();
  }
}

void add_times(PhaseTimes& sum, const http::Timings& times) {
  add(sum.resolve_us, times.resolve);
  add(sum.connect_us, times.connect);
  add(sum.tls_us, times.tls);
  add(sum.send_us, times.send);
  add(sum.first_byte_us, times.first_byte);
  add(sum.transfer_us, times.transfer);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Micros retry_after_of(const std::string& text, Instant now) {
  std::int64_t seconds = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  Micros wait{0};
  if (status == std::errc() && end == text.data() + text.size()) {
    wait = Seconds(std::clamp<std::int64_t>(seconds, 0, count_seconds(kRetryAfterMax)));
  } else if (const Result<Instant> date = parse_http_date(text)) {
    wait = *date - now;
  }
  return std::clamp(wait, Micros(0), kRetryAfterMax);
}

// The time-out that an exchange ran into.
Micros limit_of(const http::Exchange& exchange, const http::PhaseLimits& limits, Micros total) {
  if (exchange.transport.timings.total >= total) {
    return total;
  }
  switch (exchange.failed_phase) {
    case http::Phase::resolve:
      return limits.resolve;
    case http::Phase::connect:
      return limits.connect;
    case http::Phase::tls:
      return limits.tls;
    case http::Phase::send:
      return limits.idle;
    case http::Phase::first_byte:
      return limits.first_byte;
    case http::Phase::transfer:
      return exchange.error && exchange.error->code == "idle" ? limits.idle : total;
    case http::Phase::none:
      break;
  }
  return total;
}

// A POST that 301 or 302 would turn into a GET without its query.
bool loses_query(const http::Request& request, int status) {
  return request.method == "POST" && (status == 301 || status == 302);
}

// What a UWS service answers to the creation, change or deletion of a job: where to look, not a way to follow. The list
// of jobs that a deletion leads to can be huge (UWS 1.1 section 2.2.3).
bool is_answer_of_job(const http::Request& request, int status) {
  return request.method != "GET" && status != 307 && status != 308;
}

// UTF-8 without NUL, which not every database can hold.
std::string shortened(std::string_view text, std::size_t bytes_max) {
  std::string result = to_utf8(text.substr(0, bytes_max));
  std::replace(result.begin(), result.end(), '\0', ' ');
  return result;
}

// Of a connection that was never there nothing is known, not even that it was new.
ConnectionFacts connection_of(const http::Transport& transport) {
  ConnectionFacts facts;
  facts.http_version = transport.http_version;
  facts.tls_version = transport.tls_version;
  facts.tls_cipher = transport.tls_cipher;
  facts.address_family = transport.address_family;
  facts.dns = transport.dns;
  facts.certificate_expires_at = transport.certificate_expires_at;
  if (!transport.peer.empty()) {
    facts.reused = transport.reused;
  }
  return facts;
}

void take_facts(Measurement& m, const ConnectionFacts& facts) {
  m.http_version = facts.http_version;
  m.tls_version = facts.tls_version;
  m.tls_cipher = facts.tls_cipher;
  m.address_family = facts.address_family;
  m.dns = facts.dns;
  m.certificate_expires_at = facts.certificate_expires_at;
  m.connection_reused = facts.reused;
}

}  // namespace

vo::VotableOptions reader_options(const http::Headers& headers, const QueryLimits& limits) {
  vo::VotableOptions options;
  options.limits = limits.body;
  options.content_type = headers.get("Content-Type");
  const std::string coding = to_lower(trim(headers.get("Content-Encoding")));
  if (coding == "gzip" || coding == "x-gzip") {
    options.coding = vo::ContentCoding::gzip;
  } else if (coding == "deflate") {
    options.coding = vo::ContentCoding::deflate;
  }
  return options;
}

QueryExchange::QueryExchange(QueryContext context, Micros time_left, Measurement& measurement)
    : context_(std::move(context)),
      budget_(std::min(time_left, context_.options.limits.phases.total)),
      ours_(time_left < context_.options.limits.phases.total),
      m_(measurement) {}

std::optional<Answer> QueryExchange::ask(http::Request request) {
  return ask_chain(std::move(request), Body::to_pipe);
}

std::optional<Answer> QueryExchange::ask_kept(http::Request request) {
  return ask_chain(std::move(request), Body::kept);
}

void QueryExchange::begin(Micros time_left, bool ours) {
  const Micros total = context_.options.limits.phases.total;
  budget_ = std::min(time_left, total);
  ours_ = ours && time_left < total;
  m_.total_us = 0;
  m_.times = {};
  m_.hops = 0;
  m_.hop_records.clear();
  m_.bytes_wire.reset();
}

Micros QueryExchange::retry_after(const http::Response& response) const {
  return retry_after_of(response.headers.get("Retry-After"), context_.clock.now());
}

std::optional<Answer> QueryExchange::ask_chain(http::Request request, Body body) {
  const Result<http::Url> first = http::parse_url(request.url);
  if (!first) {
    refuse("bad-url", first.error().message);
    return std::nullopt;
  }
  if (first_authority_.empty()) {
    first_authority_ = first->authority();
  }
  visited_.clear();
  http::Url url = *first;
  const int hops_before = m_.hops;
  for (;;) {
    if (!visited_.insert(request.method + " " + request.url).second) {
      refuse("redirect-loop", fmt::format("redirected in a circle: {}", terminal_safe(request.url, 300)));
      return std::nullopt;
    }
    if (m_.hops - hops_before == context_.options.limits.hops_max) {
      refuse("redirect-limit", fmt::format("more than {} redirects", context_.options.limits.hops_max - 1));
      return std::nullopt;
    }
    http::Exchange exchange = exchange_one(request, url, body);
    const std::string* location = exchange.response.headers.find("Location");
    const bool leads_on = exchange.ok() && is_redirect(exchange.response.status) && location != nullptr;
    const bool is_answer = body == Body::kept && is_answer_of_job(request, exchange.response.status);
    if (!leads_on || is_answer || loses_query(request, exchange.response.status)) {
      return Answer{std::move(exchange), url, leads_on};
    }
    if (!follow(*location, exchange.response.status, url, request)) {
      return std::nullopt;
    }
  }
}

http::Exchange QueryExchange::exchange_one(const http::Request& request, const http::Url& url, Body body) {
  pipe_ = std::make_unique<BodyPipe>(context_.clock, context_.executor, context_.options.limits.body_kept_bytes_max,
                                     context_.stop);
  pipe_->expect(reader_options({}, context_.options.limits));  // of an answer without a body
  http::SendOptions send;
  send.limits = context_.options.limits.phases;
  send.limits.total = std::max(budget_ - Micros(m_.total_us), Micros(1));
  send.body_bytes_max = body == Body::kept ? kDocumentBytesMax : context_.options.limits.body_bytes_max;
  send.header_bytes_max = context_.options.limits.header_bytes_max;
  send.connection = http::ConnectionPolicy::fresh;
  send.connect_to = context_.options.connect_to;
  send.ca_file = context_.options.ca_file;
  const bool relayed = context_.options.connect_to.contains(url.authority());
  const bool chosen = relayed || context_.service.private_redirects || url.authority() == first_authority_;
  send.addresses = chosen ? http::AddressPolicy::any : http::AddressPolicy::public_only;
  if (body == Body::to_pipe) {
    send.on_head = [this](const http::Response& head) {
      pipe_->expect(reader_options(head.headers, context_.options.limits));
    };
    send.on_body = [this](std::string_view piece) {
      keep(piece);
      return pipe_->push(piece);
    };
  }
  saved_.clear();
  saved_cut_ = false;
  total_limit_ = send.limits.total;
  if (relayed) {
    m_.path = "relay";
  }
  http::Exchange exchange = context_.client.send(request, send, context_.stop);
  record_hop(request, exchange);
  return exchange;
}

void QueryExchange::keep(std::string_view piece) {
  if (context_.options.keeper == nullptr) {
    return;
  }
  const std::size_t room = context_.options.keeper->bytes_max() - saved_.size();
  saved_ += piece.substr(0, room);
  saved_cut_ = saved_cut_ || piece.size() > room;
}

void QueryExchange::record_hop(const http::Request& request, const http::Exchange& exchange) {
  const http::Transport& transport = exchange.transport;
  HopRecord hop;
  hop.url = request.url.substr(0, kHopUrlBytesMax);
  hop.http_status = exchange.response.status == 0 ? std::nullopt : std::optional(exchange.response.status);
  add_times(hop.times, transport.timings);
  hop.total_us = transport.timings.total.count();
  hop.peer = transport.peer;
  hop.connection = connection_of(transport);
  m_.hop_records.push_back(std::move(hop));
  ++m_.hops;
  add_times(m_.times, transport.timings);
  m_.total_us += transport.timings.total.count();
  m_.http_status = m_.hop_records.back().http_status;
  m_.peer = transport.peer;
  take_facts(m_, m_.hop_records.back().connection);
  m_.server = shortened(exchange.response.headers.get("Server"), kHeaderBytesKept);
  m_.content_type = shortened(exchange.response.headers.get("Content-Type"), kHeaderBytesKept);
  m_.bytes_wire = m_.bytes_wire.value_or(0) + static_cast<std::int64_t>(transport.bytes_wire);
}

bool QueryExchange::follow(const std::string& location, int status, http::Url& url, http::Request& request) {
  const Result<http::Url> next = http::resolve_url(url, location);
  if (!next) {
    refuse("redirect-target", fmt::format("redirected to what is no http(s) URL: {}", terminal_safe(location, 300)));
    return false;
  }
  if (url.scheme == "https" && next->scheme == "http") {
    note("https-downgrade", fmt::format("redirected from https to {}", next->text()));
  }
  if (m_.total_us >= budget_.count()) {
    conclude_time_out(http::Phase::none, budget_, "the time of the whole query is used up by redirects");
    return false;
  }
  url = *next;
  request.url = url.text();
  if (status != 307 && status != 308 && request.method != "GET") {
    request.method = "GET";
    request.body.clear();
    request.headers.remove("Content-Type");
  }
  return true;
}

vo::ExchangeFacts QueryExchange::facts_of(const http::Exchange& exchange, bool leads_on) const {
  vo::ExchangeFacts facts;
  facts.protocol = context_.service.type == ServiceType::cone    ? vo::Protocol::cone
                   : context_.service.type == ServiceType::xcone ? vo::Protocol::xcone
                                                                 : vo::Protocol::tap;
  facts.http_status = exchange.response.status;
  facts.content_type = exchange.response.headers.get("Content-Type");
  facts.has_retry_after = exchange.response.headers.find("Retry-After") != nullptr;
  facts.post_redirected = leads_on;
  facts.maxrec = context_.service.maxrec;
  if (!exchange.ok()) {
    const Error& error = *exchange.error;
    facts.transport_code = error.code;
    facts.transport_message = error.message;
    // A connection that is lost once the answer has begun cuts the answer.
    const bool in_answer = exchange.response.status != 0 && exchange.failed_phase == http::Phase::transfer;
    facts.transport = error.kind == ErrorKind::timeout                   ? vo::TransportProblem::timeout
                      : error.kind == ErrorKind::refused                 ? vo::TransportProblem::refused
                      : error.code == "cut" || error.code == "bad-chunk" ? vo::TransportProblem::truncated
                      : error.code == "connection-reset" && in_answer    ? vo::TransportProblem::truncated
                                                                         : vo::TransportProblem::network;
  }
  return facts;
}

QueryOutcome QueryExchange::conclude(const Answer& answer) {
  const http::Exchange& exchange = answer.exchange;
  if (!exchange.response.body.empty()) {  // it was kept
    pipe_->expect(reader_options(exchange.response.headers, context_.options.limits));
    pipe_->push(exchange.response.body);
    keep(exchange.response.body);
  }
  const ParsedBody body = pipe_->finish();
  take_body(exchange, body);
  if (context_.options.keeper != nullptr && !saved_.empty() && !m_.id.empty()) {  // a query's, not a job's document
    context_.options.keeper->keep(m_, exchange.response.headers, saved_, saved_cut_);
    saved_.clear();
  }
  m_.failed_phase = to_string(exchange.failed_phase);
  if (!exchange.ok() && exchange.error->kind == ErrorKind::cancelled) {
    refuse("interrupted", "the query was ended by a signal to the probe");
    return {};
  }
  if (!exchange.ok() && exchange.error->kind == ErrorKind::timeout) {
    conclude_time_out(exchange.failed_phase, limit_of(exchange, context_.options.limits.phases, total_limit_),
                      exchange.error->message);
    return {};
  }
  const vo::ExchangeFacts facts = facts_of(exchange, answer.leads_on);
  const vo::Judgement judgement = vo::judge(facts, body.summary);
  m_.verdict = parse_verdict(vo::to_string(judgement.verdict)).value_or(Verdict::refused);
  m_.code = judgement.code;
  m_.message = shortened(judgement.message, context_.options.limits.message_bytes_max);
  for (const vo::Finding& finding : judgement.findings) {
    note(finding.code,
         finding.count > 1 ? fmt::format("{} ({} times)", finding.message, finding.count) : finding.message);
  }
  if (m_.verdict == Verdict::throttled) {
    return {true, retry_after_of(exchange.response.headers.get("Retry-After"), context_.clock.now())};
  }
  return {};
}

void QueryExchange::take_body(const http::Exchange& exchange, const ParsedBody& body) {
  const vo::VotableSummary& summary = body.summary;
  m_.parse_us = body.parse_time.count();
  if (exchange.response.status == 0) {
    return;
  }
  m_.bytes_decoded = static_cast<std::int64_t>(summary.bytes_decoded);
  if (summary.has_table && summary.rows_counted) {
    m_.rows = summary.rows;
    m_.columns = summary.columns;
  }
  if (summary.kind != vo::BodyKind::votable && !summary.head.empty()) {
    m_.evidence = shortened(std::string_view(summary.head).substr(0, context_.options.limits.evidence_bytes),
                            context_.options.limits.evidence_bytes * 3);
  }
  if (body.parser_was_slower) {
    note("parser-slower-than-transfer", "the transfer waited for our parser: its duration is an upper limit");
  }
}

void QueryExchange::conclude_time_out(http::Phase phase, Micros limit, const std::string& message) {
  if (ours_ && limit >= total_limit_) {
    refuse("interrupted", "the order's deadline came before the answer");
    return;
  }
  m_.verdict = Verdict::timeout;
  m_.failed_phase = to_string(phase);
  m_.code = m_.failed_phase.empty() ? "total" : m_.failed_phase;
  // Of the whole query, where that was the limit: what counts before a redirect counts too.
  m_.limit_us = limit == total_limit_ ? budget_.count() : limit.count();
  m_.message = shortened(message, context_.options.limits.message_bytes_max);
}

void QueryExchange::refuse(std::string code, std::string_view message) {
  m_.verdict = Verdict::refused;
  m_.code = std::move(code);
  m_.message = shortened(message, context_.options.limits.message_bytes_max);
}

void QueryExchange::note(std::string code, std::string_view message) {
  constexpr std::size_t kFindingsMax = 100;
  if (m_.findings.size() < kFindingsMax) {
    m_.findings.push_back({std::move(code), shortened(message, 1000)});
  }
}

}  // namespace parallax::probe
