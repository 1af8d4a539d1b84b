// The simulated cloud on the wire: one endpoint for all services and regions, told apart by the signature's scope.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "aws/model/model.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "http/pace.h"
#include "sim/cloud/cloud.h"

namespace parallax::sim {

// A response of this status stands for a connection that was cut: the fault "answer lost" or "request lost". The server
// cuts it; the adapter that makes a Client of this Service turns it into an error.
constexpr int kStatusConnectionCut = http::kStatusCut;

struct EndpointOptions {
  // Refuse requests whose Host is not a loopback name, so that no web page can reach a cloud that executes commands.
  bool loopback_hosts_only = false;
  std::function<void(const std::string&)> log;  // operations that are lacking, each named once; may be empty
};

// Thread safety: handle() and begin() from any task. Requests with an Origin header come from a browser and are refused
// always. Time: a request takes half of its region's round trip, then the operation takes effect, then the answer takes
// the other half; a slow call waits before it takes effect.
class CloudEndpoint final : public http::PacedService {
 public:
  CloudEndpoint(Cloud& cloud, Clock& clock, EndpointOptions options = {});
  ~CloudEndpoint() override;

  Admission admit(const http::Request& head) override;
  // Waits on the clock.
  http::Response handle(const http::Request& request) override;
  http::Pace begin(const http::Request& request) override;

 private:
  // A request that may be carried out.
  struct Asked {
    const aws::ServiceModel& model;
    const aws::Operation& operation;
    std::string region;
    std::string key_id;  // empty: without a signature
    std::string request_id;
    Micros way;  // from the region back to the client
  };

  http::Pace answer(const http::Request& request, Micros way);
  http::Pace carry_out(const http::Request& request, Asked asked);
  http::Pace finish(const Asked& asked, const Call& call, const Json& input, FaultKind fault);
  http::Pace send(http::Response response, Micros way);
  void log_lacking(const std::string& what) EXCLUDES(mutex_);

  Cloud& cloud_;
  Clock& clock_;
  const EndpointOptions options_;
  std::stop_source stopping_;
  Mutex mutex_;
  std::set<std::string> lacking_ GUARDED_BY(mutex_);
};

}  // namespace parallax::sim
