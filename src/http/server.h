// An HTTP/1.1 server for a Service: asynchronous I/O, so that slow or idle clients hold no thread; admit() and handle()
// run in a pool. The service sees HEAD as GET; framing headers of its answers are the server's business.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "http/client.h"
#include "http/pace.h"

namespace parallax::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0: any free port
  // TLS when both are set (PEM text).
  std::string certificate_pem;
  std::string private_key_pem;

  int handler_threads = 8;
  int connections_max = 2000;  // more are accepted and closed at once
  Micros header_deadline{Seconds(10)};
  Micros body_deadline{Seconds(60)};
  Micros write_deadline{Seconds(60)};
  Micros idle_deadline{Seconds(30)};  // between requests on a kept-alive connection
  std::size_t header_bytes_max = 32U << 10U;
  std::string server_name = "parallax";  // the Server header; empty: none
};

class Server {
 public:
  virtual ~Server() = default;  // stops: no new connections, running handlers finish (bounded), connections closed
  virtual int port() const = 0;
  virtual std::string address() const = 0;
  // "http://127.0.0.1:8321" or "https://..."
  virtual std::string base_url() const = 0;
  virtual void stop() = 0;
};

// Error: unavailable (port in use, address not local), invalid (certificate). A PacedService is asked by begin().
Result<std::unique_ptr<Server>> start_server(const ServerOptions& options, Service& service);

// A private certificate authority and a server certificate signed by it, for loopback tests and the demo.
struct TestCertificates {
  std::string ca_pem;
  std::string certificate_pem;
  std::string private_key_pem;
};

// `names`: DNS names and IP addresses for the certificate's subject alternative names. Valid for `days` (negative:
// expired).
Result<TestCertificates> make_test_certificates(const std::vector<std::string>& names, int days);

}  // namespace parallax::http
