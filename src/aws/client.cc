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
// For each question of what a refusal means.
constexpr Micros kJudgeTime = Seconds(10);

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
  LimitedCall limited;
};

// What one attempt used and got.
struct Client::Attempt {
  bool sent = false;
  Credentials credentials;
  Micros clock_offset{0};
  http::Response response;
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

Client::Client(const Deps& deps, ClientOptions options)
    : deps_(deps),
      options_(std::move(options)),
      rng_(deps.rng),
      own_limiter_(deps.clock, options_.limiter),
      limiter_(deps.limiter == nullptr ? own_limiter_ : *deps.limiter),
      regions_(deps.clock) {}

Micros Client::clock_offset() const {
  const MutexLock lock(mutex_);
  return clock_offset_;
}

Micros Client::time_left(const CallOptions& options) const {
  return options.deadline - deps_.clock.monotonic();
}

RetryBudget& Client::budget_of(const Prepared& prepared) {
  const MutexLock lock(mutex_);
  std::unique_ptr<RetryBudget>& budget = budgets_[prepared.limited.region + '/' + prepared.limited.service];
  if (budget == nullptr) {
    budget = std::make_unique<RetryBudget>();
  }
  return *budget;
}

Result<Json> Client::call(const CallTarget& target, std::string_view operation, const Json& params,
                          const CallOptions& options) {
  Result<Answer> result = answer(target, operation, params, options);
  if (!result) {
    return std::move(result).error();
  }
  return std::move(result->output);
}

Result<Answer> Client::answer(const CallTarget& target, std::string_view operation, const Json& params,
                              const CallOptions& options) {
  return run(target, operation, params, options, Judge::region)
      .with_context(fmt::format("calling {}:{} in {}", target.service, terminal_safe(operation, 80), target.region));
}

Result<Answer> Client::run(const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options, Judge judge) {
  Prepared prepared = TRY(prepare(target, operation, params, options));
  return attempts(prepared, options, judge);
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
  prepared.limited = limited_call(target.service, prepared.endpoint.signing_region, prepared.operation->name, full);
  return prepared;
}

Result<Answer> Client::attempts(Prepared& prepared, const CallOptions& options, Judge judge) {
  Retry retry(options_.retry, prepared.repeat, rng_, budget_of(prepared));
  bool clock_corrected = false;
  bool credentials_renewed = false;
  std::optional<Error> last;
  for (;;) {
    Attempt tried;
    Result<Answer> result = attempt(prepared, retry.attempt(), options, tried);
    if (result) {
      retry.succeeded();
      if (!prepared.operation->is_unsigned) {
        regions_.worked(tried.credentials.access_key_id, prepared.endpoint.signing_region);
      }
      return result;
    }
    Error error = std::move(result).error();
    if (!tried.sent) {
      // What became of an attempt before this one matters more than that there is no time for another.
      return last && error.kind != ErrorKind::cancelled ? *last : error;
    }
    if (error.kind == ErrorKind::throttled) {
      limiter_.throttled(prepared.limited);
    }
    // Once each: a second refusal has another reason.
    if (!clock_corrected && correct_clock(error, tried)) {
      clock_corrected = true;
      continue;
    }
    if (!credentials_renewed && renew_credentials(error, tried, options)) {
      credentials_renewed = true;
      continue;
    }
    const std::optional<Micros> delay = retry.next_delay(error, time_left(options));
    if (!delay) {
      return explain(std::move(error), prepared, tried, options, judge);
    }
    if (!deps_.clock.sleep_for(*delay, options.stop)) {
      return cancelled();
    }
    last = std::move(error);
  }
}

Result<Answer> Client::attempt(Prepared& prepared, int number, const CallOptions& options, Attempt& attempt) {
  if (options.stop.stop_requested()) {
    return cancelled();
  }
  const bool is_signed = !prepared.operation->is_unsigned;
  if (is_signed) {
    attempt.credentials = TRY(deps_.credentials.credentials(options.deadline, options.stop));
  }
  if (time_left(options) <= Micros(0)) {
    return timed_out("the deadline passed before the request was sent");
  }
  TRY(limiter_.acquire(prepared.limited, options.deadline, options.stop));
  prepared.request.headers.set("amz-sdk-request",
                               fmt::format("attempt={}; max={}", number, options_.retry.attempts_max));
  attempt.clock_offset = clock_offset();
  if (is_signed) {
    TRY(sign(prepared.request, prepared.scope, attempt.credentials, deps_.clock.now() + attempt.clock_offset));
  }

  http::SendOptions send;
  send.limits = options_.limits;
  send.limits.total = std::min(send.limits.total, time_left(options));
  send.body_bytes_max = kAnswerBytesMax;
  send.ca_file = options_.ca_file;
  // A kept connection may be closed by the other side at the very moment we write to it. That looks like a lost answer,
  // which a call that must not be repeated could not recover from.
  send.connection = prepared.repeat == Repeat::safe ? http::ConnectionPolicy::reuse : http::ConnectionPolicy::fresh;
  attempt.sent = true;
  http::Exchange exchange = deps_.http.send(prepared.request, send, options.stop);
  if (!exchange.ok()) {
    return transport_error(exchange);
  }
  attempt.response = std::move(exchange.response);
  if (attempt.response.status >= 300) {
    return parse_error(*prepared.model, attempt.response);
  }
  return Answer{TRY(parse_result(*prepared.model, *prepared.operation, attempt.response)), attempt.response.status};
}

bool Client::correct_clock(const Error& error, const Attempt& attempt) {
  if (!may_be_clock_skew(error.code)) {
    return false;
  }
  const Result<Instant> theirs = parse_http_date(attempt.response.headers.get("date"));
  if (!theirs) {
    return false;
  }
  const Micros offset = *theirs - deps_.clock.now();
  // Against what this attempt was signed with: another call may have corrected the clock meanwhile.
  if (std::chrono::abs(offset - attempt.clock_offset) < kSkewMin) {
    return false;
  }
  const MutexLock lock(mutex_);
  clock_offset_ = offset;
  return true;
}

bool Client::renew_credentials(const Error& error, const Attempt& attempt, const CallOptions& options) {
  if (!is_expired_token(error.code) || attempt.credentials.session_token.empty()) {
    return false;
  }
  deps_.credentials.invalidate(attempt.credentials);
  const Result<Credentials> renewed = deps_.credentials.credentials(options.deadline, options.stop);
  return renewed && renewed->session_token != attempt.credentials.session_token;
}

Error Client::explain(Error error, const Prepared& prepared, const Attempt& attempt, const CallOptions& options,
                      Judge judge) {
  if (const std::string_view advice = advice_on(error.code); !advice.empty()) {
    error.message += fmt::format(" ({})", advice);
  }
  const std::string& region = prepared.endpoint.signing_region;
  if (judge == Judge::nothing || !RegionCheck::may_be_disabled(error) || prepared.operation->is_unsigned ||
      prepared.model->metadata().global_endpoint) {
    return error;
  }
  const RegionCheck::Ask ask = [&](const CallTarget& target, std::string_view operation, const Json& params) {
    CallOptions asking = options;
    asking.deadline = std::min(options.deadline, deps_.clock.monotonic() + kJudgeTime);
    asking.repeat.reset();
    Result<Answer> result = run(target, operation, params, asking, Judge::nothing);
    return result ? Result<Json>(std::move(result->output)) : Result<Json>(std::move(result).error());
  };
  return regions_.judge(std::move(error), attempt.credentials, region, ask, options.deadline, options.stop);
}

}  // namespace parallax::aws
