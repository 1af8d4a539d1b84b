// One exchange on one pair of libcurl handles. Inside src/http only; no libcurl types here.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "http/client.h"
#include "http/trust.h"
#include "http/url.h"

namespace parallax::http {

// A multi handle with its easy handle. The multi handle owns the connections and the parsed CA bundle, which cost far
// more than a request; so channels are kept, and found again by where they last led. One exchange at a time.
class CurlChannel {
 public:
  CurlChannel(std::string trust, std::string key, std::string authority);
  ~CurlChannel();
  CurlChannel(const CurlChannel&) = delete;
  CurlChannel& operator=(const CurlChannel&) = delete;

  // Connections are shared only between exchanges whose server was checked in the same way.
  const std::string trust;
  std::string key;  // SendOptions::connection_key of the connection that it may hold
  std::string authority;

  struct Handles;
  const std::unique_ptr<Handles> handles;
};

// `trust`: the roots by which a server is checked; must outlive the call.
Exchange run_transfer(CurlChannel& channel, const Request& request, const Url& url, const SendOptions& options,
                      TrustStore& trust, const Clock& clock, const std::stop_token& stop);

}  // namespace parallax::http
