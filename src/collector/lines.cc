#include "collector/lines.h"

#include <fmt/format.h>

#include "base/text.h"
#include "codec/gzip.h"
#include "collector/answer.h"

namespace parallax::collector {

namespace {

std::optional<http::Response> inflate(const http::Request& request, const BodyLimits& limits, std::string& text) {
  InflateLimits inflate_limits;
  inflate_limits.bytes_max = limits.inflated_bytes_max;
  inflate_limits.ratio_max = limits.inflate_ratio_max;
  Result<std::string> inflated = gzip_decompress(request.body, inflate_limits);
  if (inflated) {
    text = std::move(inflated).value();
    return std::nullopt;
  }
  if (inflated.error().kind == ErrorKind::refused) {
    return error_answer(413, inflated.error().code, inflated.error().message);
  }
  return error_answer(400, "bad-gzip", fmt::format("the body is not gzip: {}", inflated.error().message));
}

}  // namespace

void read_lines(const http::Request& request, const BodyLimits& limits, Body& body) {
  if (request.body.size() > limits.bytes_max) {
    body.answer = error_answer(413, "body-too-large", fmt::format("a body may have {} bytes", limits.bytes_max));
    return;
  }
  std::string_view rest = request.body;
  const std::string encoding = request.headers.get("Content-Encoding", "identity");
  if (equals_ignore_case(encoding, "gzip") || equals_ignore_case(encoding, "x-gzip")) {
    body.answer = inflate(request, limits, body.text);
    if (body.answer) {
      return;
    }
    rest = body.text;
  } else if (!equals_ignore_case(encoding, "identity")) {
    body.answer = error_answer(415, "bad-encoding", "Content-Encoding may be gzip or identity");
    return;
  }
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty()) {
      continue;
    }
    if (body.lines.size() == limits.records_max) {
      body.answer =
          error_answer(413, "too-many-records", fmt::format("a request may have {} records", limits.records_max));
      return;
    }
    body.lines.push_back({number, line});
  }
}

}  // namespace parallax::collector
