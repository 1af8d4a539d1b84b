// A TCP relay in user space that stands for a distance: what it reads is handed on one_way_delay later, in order, both
// ways. It cannot delay the TCP handshake of its clients: that is the kernel's, and over before the relay hears of it.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace parallax::http {

struct RelayOptions {
  std::string target_host;  // resolved at each connection
  int target_port = 0;
  Micros one_way_delay{0};
  std::string address = "127.0.0.1";
};

// The end of one side's data and a reset are handed on too, as late as data. When the target cannot be reached the
// client's connection is closed. At most 500 connections; more are accepted and closed. All relays of a process share
// one thread.
class Relay {
 public:
  virtual ~Relay() = default;  // closes all connections
  virtual int port() const = 0;
};

// Error: invalid (port, delay), unavailable (address not local).
Result<std::unique_ptr<Relay>> start_relay(const RelayOptions& options);

}  // namespace parallax::http
