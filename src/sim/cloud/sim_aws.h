// The simulated AWS as a running server: cloud, endpoint, HTTP server, ticker and guest in one object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/execute.h"

namespace parallax::sim {

struct SimulatedAwsOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0: any free port
  CloudOptions cloud;
  std::optional<ExecuteOptions> execute;  // absent: commands are not executed
  // Without `execute`: each command takes so long (divided by the time scale) and succeeds.
  std::optional<Micros> job_takes;
  std::uint64_t seed = 1;
  std::function<void(const std::string&)> log;  // one line each; may be empty
};

class SimulatedAws {
 public:
  virtual ~SimulatedAws() = default;  // stops the server and ends every process of every instance

  // Error: invalid (execute on an address that is not loopback), unavailable (port), denied (see ProcessGuest).
  static Result<std::unique_ptr<SimulatedAws>> start(SimulatedAwsOptions options, Clock& clock, Executor& executor);

  virtual Cloud& cloud() = 0;
  virtual std::string url() const = 0;
};

// What a user pastes to reach it: shell exports, an alias for the AWS CLI, a line for boto3.
std::string client_instructions(const std::string& url, const std::string& region);

// {"ec2", "CopyImage"}, ... sorted: what is simulated of the services' models.
std::vector<std::pair<std::string, std::string>> simulated_operations();

}  // namespace parallax::sim
