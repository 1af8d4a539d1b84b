// What goes wrong in a simulated region: probabilities set once, or a hook that decides call by call.
#pragma once

#include <functional>
#include <string>

#include "base/time.h"

namespace parallax::sim {

enum class FaultKind {
  none,
  throttle,           // RequestLimitExceeded or ThrottlingException
  server_error,       // 500 with the service's error document
  bare_server_error,  // 503 without a body that can be read
  answer_lost,        // the operation takes effect, then the connection is cut
  request_lost,       // the connection is cut before the operation takes effect
};

struct Fault {
  FaultKind kind = FaultKind::none;
  Micros delay{0};  // the answer comes this much later
};

using FaultHook =
    std::function<Fault(const std::string& region, const std::string& service, const std::string& operation)>;

// Probabilities are per call, per start or per boot; all zero: nothing goes wrong.
struct RegionFaults {
  double throttle = 0;
  double server_error = 0;
  double bare_server_error = 0;
  double answer_lost = 0;
  double request_lost = 0;
  double slow = 0;  // an answer is delayed by up to slow_max
  Micros slow_max{Seconds(20)};

  double stale_read = 0;  // a Describe call shows the world of stale_age ago
  Micros stale_age{Seconds(5)};

  double new_id_unknown = 0;  // an id that a call has just made is unknown to later calls
  Micros new_id_unknown_for{Seconds(10)};
  double tags_lag = 0;  // Describe calls and their tag filters see tags of before
  Micros tags_lag_for{Seconds(20)};

  double capacity = 0;     // RunInstances and StartInstances answer InsufficientInstanceCapacity
  double start_fails = 0;  // pending -> stopped (a first start: terminated), Server.InsufficientInstanceCapacity
  double copy_fails = 0;   // CopyImage and CreateImage: pending -> failed

  double agent_never = 0;  // the SSM agent does not register in this boot
  double agent_late = 0;   // it needs agent_late_by more
  Micros agent_late_by{Seconds(300)};

  double instance_dies = 0;  // power is lost within instance_dies_within of running
  Micros instance_dies_within{Seconds(600)};
};

}  // namespace parallax::sim
