#include "aws/protocol/protocol.h"

#include <charconv>

#include <fmt/format.h>

#include "aws/protocol/errors.h"
#include "aws/protocol/json.h"
#include "aws/protocol/query.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

// Long enough for an encoded authorization message, which its reader must have whole.
constexpr std::size_t kMessageBytesMax = 8000;

bool speaks_query(const ServiceModel& model) {
  return model.metadata().protocol == Protocol::ec2 || model.metadata().protocol == Protocol::query;
}

Error unknown_protocol(const ServiceModel& model) {
  return make_error(ErrorKind::invalid,
                    fmt::format("service '{}' has a protocol that is not supported", model.metadata().service));
}

long to_long(std::string_view text) {
  long value = 0;
  const std::string_view digits = trim(text);
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return status == std::errc() && end == digits.data() + digits.size() && value > 0 ? value : 0;
}

// Milliseconds from x-amz-retry-after (milliseconds) or Retry-After (seconds, or a date beside the answer's own Date).
long retry_after_ms(const http::Headers& headers) {
  if (const std::string* millis = headers.find("x-amz-retry-after")) {
    return to_long(*millis);
  }
  const std::string* text = headers.find("retry-after");
  if (text == nullptr) {
    return 0;
  }
  constexpr long kSecondsMax = 1'000'000;
  if (const long seconds = to_long(*text)) {
    return std::min(seconds, kSecondsMax) * 1000;
  }
  const Result<Instant> until = parse_http_date(*text);
  const Result<Instant> sent = parse_http_date(headers.get("date"));
  if (!until || !sent || *until <= *sent) {
    return 0;
  }
  return static_cast<long>(std::min<std::int64_t>(count_seconds(*until - *sent), kSecondsMax)) * 1000;
}

}  // namespace

Result<WireRequest> serialize(const ServiceModel& model, const Operation& operation, const Json& params) {
  if (speaks_query(model)) {
    return serialize_query(model, operation, params);
  }
  if (model.metadata().protocol == Protocol::json) {
    return serialize_json(model, operation, params);
  }
  return unknown_protocol(model);
}

Result<Json> parse_result(const ServiceModel& model, const Operation& operation, const http::Response& response) {
  if (speaks_query(model)) {
    return parse_query_result(model, operation, response.body);
  }
  if (model.metadata().protocol == Protocol::json) {
    return parse_json_result(operation, response.body);
  }
  return unknown_protocol(model);
}

Error parse_error(const ServiceModel& model, const http::Response& response) {
  WireError wire = speaks_query(model) ? read_query_error(response.body) : read_json_error(response);
  if (wire.request_id.empty()) {
    wire.request_id = response.headers.get("x-amzn-requestid", response.headers.get("x-amz-request-id"));
  }
  Error error;
  error.kind = kind_of(wire.code, response.status);
  error.status = response.status;
  error.code = terminal_safe(wire.code, 200);
  error.request_id = terminal_safe(wire.request_id, 200);
  error.retry_after_ms = retry_after_ms(response.headers);
  const std::string message = terminal_safe(wire.message, kMessageBytesMax);
  if (error.code.empty()) {
    error.message = fmt::format("HTTP status {} without an error code of the service", response.status);
  } else {
    error.message = message.empty() ? error.code : error.code + ": " + message;
  }
  return error;
}

}  // namespace parallax::aws
