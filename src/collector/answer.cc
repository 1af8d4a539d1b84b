#include "collector/answer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace parallax::collector {

namespace {

constexpr Micros kStoreRetry = Seconds(5);

}  // namespace

http::Response json_answer(int status, const Json& json) {
  http::Response response = json_text_answer(json.dump());
  response.status = status;
  return response;
}

http::Response json_text_answer(std::string json) {
  http::Response response;
  response.status = 200;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-store");
  response.body = std::move(json);
  response.body += '\n';
  return response;
}

http::Response error_answer(int status, std::string_view code, std::string_view message) {
  return json_answer(
      status, Json::object({{"error", Json::object({{"code", code}, {"message", terminal_safe(message, 1000)}})}}));
}

http::Response store_answer(const Error& error) {
  log::error(fmt::format("collector: {}", error.text()));
  if (error.kind == ErrorKind::unavailable) {
    return retry_after(error_answer(503, "store-unavailable", "the database cannot be used now; nothing was stored"),
                       kStoreRetry);
  }
  return error_answer(500, "store-failed", "the database failed; the collector's log says more");
}

http::Response read_error_answer(const Error& error) {
  switch (error.kind) {
    case ErrorKind::invalid:
    case ErrorKind::refused:
      return error_answer(400, "bad-parameter", error.text());
    case ErrorKind::denied:
      return error_answer(403, "foreign-fleet", error.text());
    default:
      return store_answer(error);
  }
}

http::Response retry_after(http::Response response, Micros wait) {
  const std::int64_t seconds = std::max<std::int64_t>(1, count_seconds(wait + Seconds(1) - Micros(1)));
  response.headers.set("Retry-After", fmt::format("{}", seconds));
  return response;
}

void add_security_headers(http::Response& response) {
  response.headers.set(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace parallax::collector
