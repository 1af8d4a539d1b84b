#include "aws/auth/exchange.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "aws/auth/sigv4.h"
#include "aws/protocol/protocol.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

constexpr double kDelayMaxSeconds = 20;

bool is_worth_repeating(const Error& error) {
  return error.code != "deadline" && (error.kind == ErrorKind::throttled || error.kind == ErrorKind::unavailable ||
                                      error.kind == ErrorKind::timeout);
}

// "arn:aws-cn:iam::..." belongs to aws-cn.
const Partition& partition_of_arn(std::string_view arn) {
  const std::vector<std::string_view> parts = split(arn, ':');
  const Partition* partition = parts.size() > 1 ? find_partition(parts[1]) : nullptr;
  return partition == nullptr ? *find_partition("aws") : *partition;
}

Result<Json> sts_attempt(const ChainContext& context, const StsCall& call, const http::Request& unsigned_request,
                         const std::string& region, const Ask& ask) {
  const ServiceModel& model = *find_service("sts");
  http::Request request = unsigned_request;
  if (call.signer != nullptr) {
    TRY(sign(request, {region, model.metadata().signing_name}, *call.signer, context.deps.clock.now()));
  }
  const http::Response response =
      TRY(exchange(context, request, {}, ask, fmt::format("asking sts:{}", call.operation)));
  if (response.status >= 300) {
    Error error = parse_error(model, response);
    error.message = redacted(std::move(error.message), call.secrets);
    error.context.push_back(fmt::format("calling sts:{} for {}", call.operation, terminal_safe(call.role_arn, 200)));
    return error;
  }
  return parse_result(model, *model.find_operation(call.operation), response);
}

}  // namespace

Result<http::Response> exchange(const ChainContext& context, const http::Request& request,
                                const ExchangeOptions& options, const Ask& ask, std::string_view what) {
  const Micros left = ask.deadline - context.deps.clock.monotonic();
  if (left <= Micros(0)) {
    return deadline_passed(what);
  }
  http::SendOptions send;
  const Micros limit = std::min(options.limit, left);
  const Micros connect = std::min(limit, options.connect.value_or(context.settings.connect_limit.value_or(limit)));
  send.limits = {
      .resolve = limit, .connect = connect, .tls = limit, .first_byte = limit, .idle = limit, .total = limit};
  send.body_bytes_max = options.body_bytes_max;
  send.ca_file = context.settings.ca_bundle;
  send.connection = http::ConnectionPolicy::fresh;
  http::Exchange done = context.deps.http.send(request, send, ask.stop);
  if (done.ok()) {
    return std::move(done.response);
  }
  Error error = *done.error;
  if (error.kind == ErrorKind::timeout && left <= options.limit) {
    return deadline_passed(what);
  }
  error.context.emplace_back(what);
  return error;
}

Result<Json> with_retries(const ChainContext& context, const Ask& ask, const std::function<Result<Json>()>& attempt) {
  for (int number = 1;; ++number) {
    Result<Json> result = attempt();
    if (result || number >= context.settings.attempts_max || !is_worth_repeating(result.error())) {
      return result;
    }
    const double seconds = context.random() * std::min(std::pow(2.0, number - 1), kDelayMaxSeconds);
    const auto delay = std::chrono::duration_cast<Micros>(std::chrono::duration<double>(seconds));
    if (context.deps.clock.monotonic() + delay >= ask.deadline) {
      return result;
    }
    if (!context.deps.clock.sleep_for(delay, ask.stop)) {
      return make_error(ErrorKind::cancelled, "cancelled");
    }
  }
}

Result<Endpoint> source_endpoint(const ChainContext& context, const ServiceName& service, std::string_view region) {
  return resolve_endpoint(service, region, context.settings.endpoint);
}

Result<Json> call_sts(const ChainContext& context, const StsCall& call, const Ask& ask) {
  const ServiceModel& model = *find_service("sts");
  const std::string region =
      context.settings.region.empty() ? partition_of_arn(call.role_arn).main_region : context.settings.region;
  const Endpoint endpoint =
      TRY(source_endpoint(context, {model.metadata().endpoint_prefix, model.metadata().service_id}, region));
  WireRequest wire = TRY(serialize(model, *model.find_operation(call.operation), call.params));
  http::Request request;
  request.method = wire.method;
  request.url = endpoint.url + wire.path;
  request.body = std::move(wire.body);
  for (const auto& [name, value] : wire.headers) {
    request.headers.set(name, value);
  }
  request.headers.set("User-Agent", "parallax");
  return with_retries(context, ask, [&] { return sts_attempt(context, call, request, endpoint.signing_region, ask); });
}

}  // namespace parallax::aws
