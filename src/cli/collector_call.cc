#include "cli/collector_call.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

namespace {

constexpr Micros kTokenValid{std::chrono::minutes(10)};
constexpr std::size_t kQuotedMax = 300;

}  // namespace

Result<std::string> brief_controller_token(World& world, const SigningKey& key, const std::string& fleet) {
  TokenPayload payload;
  payload.role = Role::controller;
  payload.fleet = fleet;
  payload.not_before = world.clock.now();
  payload.expiry = payload.not_before + kTokenValid;
  return sign_token(payload, key);
}

Result<Json> get_from_collector(World& world, const std::string& url, const std::string& token,
                                const CollectorLimits& limits) {
  http::Request request;
  request.url = url;
  request.headers.set("Authorization", "Bearer " + token);
  http::SendOptions options;
  options.limits.total = limits.timeout;
  options.body_bytes_max = limits.bytes_max;
  options.ca_file = world.environment("PARALLAX_CA_FILE").value_or("");
  const http::Exchange exchange = world.http.send(request, options, world.stop);
  if (!exchange.ok()) {
    return *exchange.error;
  }
  if (exchange.response.status != 200) {
    return make_error(ErrorKind::unavailable, fmt::format("HTTP {}: {}", exchange.response.status,
                                                          terminal_safe(exchange.response.body, kQuotedMax)));
  }
  return parse_json(exchange.response.body);
}

}  // namespace parallax::cli
