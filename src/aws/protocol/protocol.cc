#include "aws/protocol/protocol.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "aws/protocol/errors.h"
#include "aws/protocol/json.h"
#include "aws/protocol/query.h"
#include "aws/protocol/rest.h"
#include "aws/protocol/values.h"
#include "aws/protocol/xml_result.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

// Long enough for an encoded authorization message, which its reader must have whole.
constexpr std::size_t kMessageBytesMax = 8000;
constexpr std::size_t kHostLabelMax = 63;  // RFC 1035

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool speaks_query(const ServiceModel& model) {
  return model.metadata().protocol == Protocol::ec2 || model.metadata().protocol == Protocol::query;
}

Error unknown_protocol(const ServiceModel& model) {
  const Metadata& metadata = model.metadata();
  return make_error(ErrorKind::invalid,
                    fmt::format("service '{}' speaks '{}'; the protocols that are supported are ec2, query, json and "
                                "rest-json",
                                metadata.service, terminal_safe(metadata.protocol_name, 80)));
}

bool streams_events(const ShapeRef& shape) {
  return shape && std::any_of(shape->members.begin(), shape->members.end(), [](const Member& member) {
           return member.shape->type == ShapeType::structure && member.shape->event_stream;
         });
}

Result<> check_speakable(const ServiceModel& model, const Operation& operation) {
  if (model.metadata().protocol == Protocol::other) {
    return unknown_protocol(model);
  }
  if (streams_events(operation.input) || streams_events(operation.output)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is a stream of events, which is not supported", operation.name));
  }
  return {};
}

// "{AccountId}." with the parameter in the place of its name.
Result<std::string> expand_host_prefix(const Operation& operation, const Json& params) {
  std::string prefix = operation.host_prefix;
  if (prefix.find('{') == std::string::npos) {
    return prefix;
  }
  const Shape* input = operation.input.get();
  for (const Member& member : input == nullptr ? std::vector<Member>() : input->members) {
    const std::string label = "{" + member.name + "}";
    const std::size_t at = prefix.find(label);
    if (at == std::string::npos) {
      continue;
    }
    const std::string value = params.text(member.name);
    const bool good = !value.empty() && value.size() <= kHostLabelMax && value.front() != '-' && value.back() != '-' &&
                      std::all_of(value.begin(), value.end(), is_host_character);
    if (!good) {
      return make_error(
          ErrorKind::invalid,
          fmt::format("{}: must be letters, digits and '-': it is a part of the host's name", member.name));
    }
    prefix.replace(at, label.size(), value);
  }
  return prefix;
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
  TRY(check_speakable(model, operation));
  const Protocol protocol = model.metadata().protocol;
  WireRequest request = protocol == Protocol::rest_json ? TRY(serialize_rest(model, operation, params))
                        : protocol == Protocol::json    ? serialize_json(model, operation, params)
                                                        : serialize_query(model, operation, params);
  request.host_prefix = TRY(expand_host_prefix(operation, params));
  return request;
}

Result<Json> parse_result(const ServiceModel& model, const Operation& operation, const http::Response& response) {
  switch (model.metadata().protocol) {
    case Protocol::ec2:
    case Protocol::query:
      return read_xml_result(operation, response.body);
    case Protocol::json:
      return parse_json_result(operation, response.body);
    case Protocol::rest_json:
      return parse_rest_result(operation, response);
    case Protocol::other:
      break;
  }
  return unknown_protocol(model);
}

Error parse_error(const ServiceModel& model, const http::Response& response) {
  WireError wire = speaks_query(model) ? read_query_error(response.body)
                                       : read_json_error(response, model.metadata().protocol == Protocol::rest_json);
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
