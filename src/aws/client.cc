#include "aws/client.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/auth/sigv4.h"
#include "aws/model/validate.h"
#include "aws/protocol/errors.h"
#include "aws/protocol/protocol.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kAnswerBytesMax = 64U << 20U;
// Clocks that differ less than this are not why a service refused a request (its window is 15 minutes).
constexpr Micros kSkewMin = std::chrono::minutes(4);

Error timed_out(std::string message) {
  Error error = make_error(ErrorKind::timeout, std::move(message));
  error.code = "deadline";
  return error;
}

Error cancelled() {
  Error error = make_error(ErrorKind::cancelled, "cancelled");
  error.code = "cancelled";
  return error;
}

std::string join_problems(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) {
    text += (text.empty() ? "" : "; ") + problem;
  }
  return text;
}

Error unknown_operation(const ServiceModel& model, std::string_view operation) {
  const std::vector<std::string_view> names = model.operation_names();
  std::string_view near = suggest(operation, names);
  for (const std::string_view name : names) {
    near = equals_ignore_case(name, operation) ? name : near;
  }
  std::string message =
      fmt::format("service '{}' has no operation '{}'", model.metadata().service, terminal_safe(operation, 80));
  if (!near.empty()) {
    message += fmt::format("; did you mean '{}'?", near);
  }
  return make_error(ErrorKind::invalid, std::move(message));
}

Json with_tokens(const Shape* input, Json params, Rng& rng) {
  if (params.is_null()) {
    params = Json::object();
  }
  if (input == nullptr || !params.is_object()) {
    return params;
  }
  for (const Member& member : input->members) {
    const Json* given = params.find(member.name);
    if (member.idempotency_token && (given == nullptr || given->is_null())) {
      params.set(member.name, make_uuid(rng));
    }
  }
  return params;
}

// What a failed exchange means: before the request was on its way nothing can have happened; after that the effect is
// unknown, whatever the transport calls it.
Error transport_error(const http::Exchange& exchange) {
  Error error = *exchange.error;
  const bool is_transport = error.kind != ErrorKind::cancelled && error.kind != ErrorKind::refused &&
                            error.kind != ErrorKind::invalid && error.kind != ErrorKind::internal;
  if (is_transport) {
    const bool unsent = exchange.failed_phase == http::Phase::resolve ||
                        exchange.failed_phase == http::Phase::connect || exchange.failed_phase == http::Phase::tls;
    error.kind = unsent ? ErrorKind::unavailable : ErrorKind::timeout;
    if (!unsent) {
      error.message = "the answer was lost, so the effect is unknown: " + error.message;
    }
  }
  return error;
}

// "https://host" and "data-" -> "https://data-host".
std::string with_host_prefix(std::string url, const std::string& prefix) {
  const std::size_t host = url.find("://");
  return host == std::string::npos ? url : url.insert(host + 3, prefix);
}

}  // namespace

struct Client::Prepared {
  const ServiceModel* model = nullptr;
  const Operation* operation = nullptr;
  Endpoint endpoint;
  SigningScope scope;
  http::Request request;  // without date and signature
  Repeat repeat = Repeat::unsafe;
};

std::string make_uuid(Rng& rng) {
  constexpr std::uint64_t kVersionMask = 0xFFFFFFFFFFFF0FFFULL;
  const std::uint64_t high = (rng.next() & kVersionMask) | 0x4000U;
  const std::uint64_t low = (rng.next() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFFU,
                     low >> 48U, low & 0xFFFFFFFFFFFFULL);
}

Repeat is_repeatable(const Operation& operation) {
  constexpr std::array<std::string_view, 6> kSafe{"StartInstances", "StopInstances", "TerminateInstances",
                                                  "CreateTags",     "DeleteTags",    "CancelCommand"};
  const std::string_view name = operation.name;
  if (name.starts_with("Describe") || name.starts_with("List") || name.starts_with("Get") ||
      std::find(kSafe.begin(), kSafe.end(), name) != kSafe.end()) {
    return Repeat::safe;
  }
  const Shape* input = operation.input.get();
  const bool has_token = input != nullptr && std::any_of(input->members.begin(), input->members.end(),
                                                         [](const Member& member) { return member.idempotency_token; });
  return has_token ? Repeat::safe : Repeat::unsafe;
}

std::uint64_t Client::LockedRng::next() {
  const MutexLock lock(mutex_);
  return rng_.next();
}

Client::Client(const Deps& deps, ClientOptions options) : deps_(deps), options_(std::move(options)), rng_(deps.rng) {}

Micros Client::clock_offset() const {
  const MutexLock lock(mutex_);
  return clock_offset_;
}

Micros Client::time_left(const CallOptions& options) const {
  return options.deadline - deps_.clock.monotonic();
}

Result<Json> Client::call(const CallTarget& target, std::string_view operation, const Json& params,
                          const CallOptions& options) {
  return run(target, operation, params, options)
      .with_context(fmt::format("calling {}:{} in {}", target.service, terminal_safe(operation, 80), target.region));
}

Result<Json> Client::run(const CallTarget& target, std::string_view operation, const Json& params,
                         const CallOptions& options) {
  Prepared prepared = TRY(prepare(target, operation, params, options));
  return attempts(prepared, options);
}

Result<Client::Preview> Client::preview(const CallTarget& target, std::string_view operation, const Json& params) {
  Prepared prepared = TRY(prepare(target, operation, params, {}));
  return Preview{std::move(prepared.request), prepared.scope.region, prepared.scope.service};
}

Result<Client::Prepared> Client::prepare(const CallTarget& target, std::string_view operation, const Json& params,
                                         const CallOptions& options) {
  Prepared prepared;
  prepared.model = TRY(require_service(target.service));
  prepared.operation = prepared.model->find_operation(operation);
  if (prepared.operation == nullptr) {
    return unknown_operation(*prepared.model, operation);
  }
  const Shape* input = prepared.operation->input.get();
  const Json full = with_tokens(input, params, rng_);
  if (input != nullptr) {
    const std::vector<std::string> problems = validate(*prepared.model, *input, full);
    if (!problems.empty()) {
      return make_error(ErrorKind::invalid, join_problems(problems));
    }
  }
  prepared.endpoint = TRY(resolve_endpoint(prepared.model->metadata(), target.region, options_.endpoint));
  prepared.scope = {prepared.endpoint.signing_region, prepared.model->metadata().signing_name};
  prepared.repeat = options.repeat.value_or(is_repeatable(*prepared.operation));
  WireRequest wire = TRY(serialize(*prepared.model, *prepared.operation, full));
  prepared.request.method = wire.method;
  prepared.request.url = with_host_prefix(prepared.endpoint.url, wire.host_prefix) + wire.path;
  prepared.request.body = std::move(wire.body);
  for (const auto& [name, value] : wire.headers) {
    prepared.request.headers.set(name, value);
  }
  prepared.request.headers.set("User-Agent", options_.user_agent);
  prepared.request.headers.set("amz-sdk-invocation-id", make_uuid(rng_));
  return prepared;
}

Result<Json> Client::attempts(Prepared& prepared, const CallOptions& options) {
  Retry retry(options_.retry, prepared.repeat, rng_, budget_);
  bool clock_corrected = false;
  for (;;) {
    http::Response response;
    Result<Json> result = attempt(prepared, retry.attempt(), options, response);
    if (result) {
      retry.succeeded();
      return result;
    }
    const Error& error = result.error();
    if (!clock_corrected && correct_clock(error, response)) {
      clock_corrected = true;  // once: a second refusal has another reason
      continue;
    }
    const std::optional<Micros> delay = retry.next_delay(error, time_left(options));
    if (!delay) {
      return result;
    }
    if (!deps_.clock.sleep_for(*delay, options.stop)) {
      return cancelled();
    }
  }
}

Result<Json> Client::attempt(Prepared& prepared, int number, const CallOptions& options, http::Response& response) {
  if (options.stop.stop_requested()) {
    return cancelled();
  }
  const bool is_signed = !prepared.operation->is_unsigned;
  const Credentials credentials =
      is_signed ? TRY(deps_.credentials.credentials(options.deadline, options.stop)) : Credentials();
  const Micros left = time_left(options);
  if (left <= Micros(0)) {
    return timed_out("the deadline passed before the request was sent");
  }
  prepared.request.headers.set("amz-sdk-request",
                               fmt::format("attempt={}; max={}", number, options_.retry.attempts_max));
  if (is_signed) {
    TRY(sign(prepared.request, prepared.scope, credentials, deps_.clock.now() + clock_offset()));
  }

  http::SendOptions send;
  send.limits = options_.limits;
  send.limits.total = std::min(send.limits.total, left);
  send.body_bytes_max = kAnswerBytesMax;
  send.ca_file = options_.ca_file;
  // A kept connection may be closed by the other side at the very moment we write to it. That looks like a lost answer,
  // which a call that must not be repeated could not recover from.
  send.connection = prepared.repeat == Repeat::safe ? http::ConnectionPolicy::reuse : http::ConnectionPolicy::fresh;
  http::Exchange exchange = deps_.http.send(prepared.request, send, options.stop);
  if (!exchange.ok()) {
    return transport_error(exchange);
  }
  response = std::move(exchange.response);
  if (response.status >= 300) {
    return parse_error(*prepared.model, response);
  }
  return parse_result(*prepared.model, *prepared.operation, response);
}

bool Client::correct_clock(const Error& error, const http::Response& response) {
  if (!may_be_clock_skew(error.code)) {
    return false;
  }
  const Result<Instant> theirs = parse_http_date(response.headers.get("date"));
  if (!theirs) {
    return false;
  }
  const Micros offset = *theirs - deps_.clock.now();
  const MutexLock lock(mutex_);
  if (std::chrono::abs(offset - clock_offset_) < kSkewMin) {
    return false;
  }
  clock_offset_ = offset;
  return true;
}

}  // namespace parallax::aws
