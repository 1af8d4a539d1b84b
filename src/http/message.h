// HTTP messages and what a transport tells about an exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace parallax::http {

// Header fields in the order they came; names compare without case.
class Headers {
 public:
  // The first value of that name, or nullptr.
  const std::string* find(std::string_view name) const;
  std::string get(std::string_view name, std::string_view fallback = "") const;
  // Replaces all values of that name.
  void set(std::string name, std::string value);
  void add(std::string name, std::string value);
  void remove(std::string_view name);

  bool empty() const { return fields_.empty(); }

  std::size_t size() const { return fields_.size(); }

  std::vector<std::pair<std::string, std::string>>::const_iterator begin() const { return fields_.begin(); }

  std::vector<std::pair<std::string, std::string>>::const_iterator end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method = "GET";
  std::string url;  // client side: absolute; server side: the request target ("/api/v1/runs?limit=3")
  Headers headers;
  std::string body;
  std::string peer;  // server side: the client's address, "127.0.0.1:40312"
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// The phases of one exchange, in order. `none` stands for "did not fail".
enum class Phase { none, resolve, connect, tls, send, first_byte, transfer };

std::string_view to_string(Phase phase);  // "resolve", "connect", "tls", "send", "first_byte", "transfer"; "" for none
std::optional<Phase> parse_phase(std::string_view text);

// Durations of each phase by itself (not cumulative); `total` is their sum. A phase that was not reached is absent;
// one that did not happen (TLS on plain http, resolve and connect on a reused connection) is zero.
struct Timings {
  std::optional<Micros> resolve, connect, tls, send, first_byte, transfer;
  Micros total{0};
};

// What the transport tells beside the response.
struct Transport {
  Timings timings;
  std::string http_version;                       // "1.1", "2"
  std::string tls_version;                        // "TLSv1.3"; empty without TLS
  std::string tls_cipher;                         // as OpenSSL names it, "TLS_AES_256_GCM_SHA384"; empty without TLS
  std::optional<Instant> certificate_expires_at;  // the server's own; absent without TLS or when the handshake failed
  std::string peer;            // "192.0.2.1:443": where the connection led (the relay, if there is one)
  std::string address_family;  // of `peer`: "ipv4", "ipv6"; empty where no connection was tried
  // How the address was found: "literal" (the URL, or the relay's address, is one), "fresh" (the system's resolver was
  // asked now; it may have a cache of its own), "cached" (known to this client, or a kept connection needed none).
  // Empty where nothing was resolved.
  std::string dns;
  bool reused = false;           // connection from an earlier exchange
  std::uint64_t bytes_wire = 0;  // body bytes as they came, before any decoding
};

// The outcome of one exchange: a response, or an error with the phase in which it happened and whatever came before it.
struct Exchange {
  std::optional<Error> error;  // set: no complete response. code: see client.h
  Phase failed_phase = Phase::none;
  Response response;  // status 0 when no status line came
  Transport transport;

  bool ok() const { return !error.has_value(); }
};

}  // namespace parallax::http
