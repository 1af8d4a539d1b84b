// Requests that the sources make for themselves: one attempt, attempts until it works, the Security Token Service.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aws/auth/source.h"
#include "codec/json.h"
#include "http/message.h"

namespace parallax::aws {

struct ExchangeOptions {
  Micros limit{Seconds(30)};  // of one attempt
  std::optional<Micros> connect = std::nullopt;
  std::size_t body_bytes_max = 1U << 20U;
};

// One attempt. Error: of the transport (kinds unavailable, timeout, cancelled), naming `what`; never with a URL's query
// or a body in it.
Result<http::Response> exchange(const ChainContext& context, const http::Request& request,
                                const ExchangeOptions& options, const Ask& ask, std::string_view what);

// Calls `attempt` until it succeeds, fails for good, or Settings::attempts_max were made; waits in between as the SDKs'
// standard mode does.
Result<Json> with_retries(const ChainContext& context, const Ask& ask, const std::function<Result<Json>()>& attempt);

// The base URL and signing region of a service that the sources ask.
Result<Endpoint> source_endpoint(const ChainContext& context, const ServiceName& service, std::string_view region);

struct StsCall {
  std::string operation;  // "AssumeRole"
  Json params;
  const Credentials* signer;              // nullptr: unsigned
  std::string role_arn;                   // its partition says where to ask when no region is configured
  std::vector<std::string_view> secrets;  // kept out of messages
};

Result<Json> call_sts(const ChainContext& context, const StsCall& call, const Ask& ask);

}  // namespace parallax::aws
