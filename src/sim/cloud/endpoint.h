// The simulated cloud on the wire: one endpoint for all services and regions, told apart by the signature's scope.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "http/client.h"
#include "sim/cloud/cloud.h"

namespace parallax::sim {

// A response of this status stands for a connection that was cut: the fault "answer lost" or "request lost". The
// adapter that makes a Client of this Service turns it into an error; a real server should not be given such faults.
constexpr int kStatusConnectionCut = 0;

struct EndpointOptions {
  // Refuse requests whose Host is not a loopback name, so that no web page can reach a cloud that executes commands.
  bool loopback_hosts_only = false;
  std::function<void(const std::string&)> log;  // operations that are lacking, one line each; may be empty
};

// Thread safety: handle() from any task. Requests with an Origin header come from a browser and are refused always.
class CloudEndpoint final : public http::Service {
 public:
  CloudEndpoint(Cloud& cloud, Clock& clock, EndpointOptions options = {});
  ~CloudEndpoint() override;

  Admission admit(const http::Request& head) override;
  http::Response handle(const http::Request& request) override;

 private:
  http::Response answer(const http::Request& request, const std::string& request_id);
  http::Response carry_out(const http::Request& request, const Call& call, const std::string& request_id);

  Cloud& cloud_;
  Clock& clock_;
  const EndpointOptions options_;
  std::stop_source stopping_;
};

}  // namespace parallax::sim
