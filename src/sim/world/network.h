// The network of a simulated world: services at "host:port", reached by clients of processes over distances and with
// faults that follow from the seed. A request is handled by a task of the serving process, so that either side can die
// or give up while the other goes on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "http/client.h"
#include "sim/world/world.h"

namespace parallax::sim {

enum class NetworkFaultKind {
  none,
  connect_refused,
  request_lost,  // the connection is cut before the service sees the request
  answer_lost,   // the service did what was asked; its answer never comes
  server_error,  // a proxy on the way answers 503
  body_cut,      // the answer's body ends early
};

// Probabilities per request; what remains goes well.
struct NetworkFaults {
  double connect_refused = 0;
  double request_lost = 0;
  double answer_lost = 0;
  double server_error = 0;
  double body_cut = 0;
  double silent = 0.3;  // of lost requests and answers: nothing comes (a time-out) instead of a reset
  double slow = 0;      // the service takes up to slow_max more
  Micros slow_max{Seconds(20)};
};

struct LinkOptions {
  Micros round_trip_min{Millis(2)};  // drawn once for each host and service
  Micros round_trip_max{Millis(250)};
  double bytes_per_second = 2e6;
};

// Not thread safe, as everything in a world.
class Network {
 public:
  Network(VirtualWorld& world, const LinkOptions& links) : world_(world), links_(links) {}

  // Requests to `authority` ("host:port") are handled by tasks of `server`; when that process is dead, connections are
  // refused. `service` must live as long as the process does, and not end inside a request. A later call replaces.
  void serve(const std::string& authority, http::Service& service, Process& server);
  // Connections to `authority` are refused.
  void close(const std::string& authority);

  // The client of a process; plain and TLS alike, https takes two round trips more.
  std::unique_ptr<http::Client> client(Process& process);

  void set_faults(const std::string& authority, const NetworkFaults& faults);

  void clear_faults() { faults_.clear(); }

  // Overrules the probabilities where it says something else than none.
  void set_fault_hook(std::function<NetworkFaultKind(const std::string& host, const http::Request& request)> hook) {
    hook_ = std::move(hook);
  }

  // Nobody on that host reaches anybody while it is cut off.
  void set_cut_off(const std::string& host, bool cut_off) { cut_off_[host] = cut_off; }

  Micros round_trip(const std::string& host, const std::string& authority);

 private:
  friend class SimulatedClient;

  struct Endpoint {
    http::Service* service = nullptr;
    Process* server = nullptr;
  };

  VirtualWorld& world_;
  const LinkOptions links_;
  std::map<std::string, Endpoint> endpoints_;
  std::map<std::string, NetworkFaults> faults_;
  std::map<std::pair<std::string, std::string>, Micros> round_trips_;
  std::map<std::string, bool> cut_off_;
  std::function<NetworkFaultKind(const std::string& host, const http::Request& request)> hook_;
};

}  // namespace parallax::sim
