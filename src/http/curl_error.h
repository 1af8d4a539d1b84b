// From libcurl's result of an exchange to our error: kind, code and a sentence. Inside src/http only.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client.h"

namespace parallax::http {

// Why we ended an exchange ourselves.
enum class OwnLimit { none, body_too_large, headers_too_large, body_refused, cancelled, timeout, idle, resent };

struct CurlFailure {
  int curl_code = 0;        // CURLcode
  long os_error = 0;        // errno of the last connect, send or receive
  long verify_result = 0;   // OpenSSL's X509_V_ERR_*
  std::string_view detail;  // CURLOPT_ERRORBUFFER
  OwnLimit own = OwnLimit::none;
  bool address_refused = false;
  Phase phase = Phase::none;
  Micros limit{0};  // the one that was passed
  std::string_view authority;
};

Error describe_failure(const CurlFailure& failure, const SendOptions& options);

}  // namespace parallax::http
