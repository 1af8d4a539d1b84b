// Client and Service are mirror interfaces: a simulated service becomes a client by an adapter in src/sim.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "http/message.h"

namespace parallax::http {

// Limits of one exchange. Each phase has one, so that a time-out can name its phase.
struct PhaseLimits {
  Micros resolve{Seconds(10)};
  Micros connect{Seconds(15)};
  Micros tls{Seconds(15)};
  Micros first_byte{Seconds(60)};  // from the request sent to the first byte of the answer
  Micros idle{Seconds(30)};        // the longest gap between bytes of the body
  Micros total{Seconds(300)};
};

enum class AddressPolicy {
  any,          // the address was chosen by the user's configuration
  public_only,  // refuse private, loopback, link-local, multicast and metadata addresses, after resolution
};

enum class ConnectionPolicy {
  fresh,       // a new connection, closed afterwards: what is measured is the whole way
  fresh_kept,  // a new connection, kept for the next exchange with the same connection_key
  reuse,       // a kept connection where there is one, kept again afterwards
  reuse_last,  // a kept connection where there is one, closed afterwards
};

enum class AddressFamily { any, ipv4, ipv6 };

struct SendOptions {
  PhaseLimits limits;
  // Body bytes above this end the exchange with error kind refused, code "body-too-large".
  std::size_t body_bytes_max = 64U << 20U;
  std::size_t header_bytes_max = 256U << 10U;
  AddressPolicy addresses = AddressPolicy::any;
  ConnectionPolicy connection = ConnectionPolicy::reuse;
  // Connections are kept apart by key: one that was made for a key is never used for another. At most one idle
  // connection is kept for a key and authority that is not empty, and its addresses are resolved anew for each new one.
  std::string connection_key;
  AddressFamily family = AddressFamily::any;
  // Called once, before the first piece of the body goes to `on_body`: status and header fields, all of them. On the
  // sending task; must not block.
  std::function<void(const Response& head)> on_head;
  // Called with each piece of the body as it arrives, instead of filling Response::body. Returning false ends the
  // exchange with error kind refused, code "body-refused". Called on the sending task; must not block for long.
  std::function<bool(std::string_view piece)> on_body;
  // Connect to the second "host:port" where the URL's is the first; name, TLS name and Host header stay. The caller
  // vouches for the second one: `addresses` is not applied to it.
  std::map<std::string, std::string> connect_to;
  std::string ca_file;  // PEM roots used instead of the system's; empty: the system's
};

// Sends one request and waits for the answer. Never follows a redirect, never retries, never decodes the body; adds no
// header of its own beyond Host and Content-Length. (No Accept-Encoding unless the request has it.)
// Error codes in Exchange::error->code: "resolve-failed", "connect-refused", "connect-failed", "address-refused",
// "tls-failed", "tls-certificate", "tls-expired", "connection-reset", "cut" (the body ended early), "bad-chunk",
// "http-malformed", "timeout" (kind timeout; failed_phase names the phase), "idle" (kind timeout), "body-too-large",
// "headers-too-large", "body-refused", "cancelled" (kind cancelled), "bad-url" and "bad-request" (malformed method or
// header; kind invalid). Thread safety: any task may call send(); calls run side by side.
class Client {
 public:
  virtual ~Client() = default;
  virtual Exchange send(const Request& request, const SendOptions& options, std::stop_token stop) = 0;
};

// Answers requests. Thread safety: calls run side by side.
class Service {
 public:
  virtual ~Service() = default;

  // Looks at method, target and headers before the body is read; an answer here ends the request (the body is not
  // read). Also says how large the body may be.
  struct Admission {
    std::optional<Response> answer;
    std::size_t body_bytes_max = 1U << 20U;
  };

  virtual Admission admit(const Request& /*head*/) { return {}; }

  virtual Response handle(const Request& request) = 0;
};

// libcurl, one multi handle per call (or per thread where connections are reused), cancelled within a millisecond by
// `stop`. `system_roots`: a file of PEM roots taken for the system's where libcurl's own default is not the host's;
// empty: libcurl's default.
std::unique_ptr<Client> make_curl_client(Clock& clock, std::string system_roots = {});

// "libcurl/7.88.1": for User-Agent headers.
std::string client_library();

}  // namespace parallax::http
