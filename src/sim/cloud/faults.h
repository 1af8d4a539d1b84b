// What goes wrong in a simulated region: probabilities set once, a hook that decides call by call, or rules that users
// write (fault_script.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/time.h"

namespace parallax::sim {

enum class FaultKind {
  none,
  // Of a request.
  throttle,           // RequestLimitExceeded or ThrottlingException
  server_error,       // 500 with the service's error document
  bare_server_error,  // 503 without a body that can be read
  answer_lost,        // the operation takes effect, then the connection is cut
  request_lost,       // the connection is cut before the operation takes effect
  slow,               // the request waits before it takes effect
  // Of the region.
  capacity,        // RunInstances or StartInstances answers InsufficientInstanceCapacity
  start_fails,     // pending -> stopped (a first start: terminated)
  copy_fails,      // CopyImage or CreateImage: pending -> failed
  stale_read,      // a Describe call shows the world of a while ago
  new_id_unknown,  // an id that a call has just made is unknown to later calls for a while
  tags_lag,        // Describe calls see tags of before for a while
  agent_never,     // the SSM agent does not register in this boot
  agent_late,      // it needs longer
  instance_dies,   // power is lost some time after the start
};

std::string_view to_string(FaultKind kind);  // "answer_lost"

// nullopt for a name that is no fault.
std::optional<FaultKind> parse_fault_kind(std::string_view name);

// The kinds but none, in the enum's order.
const std::vector<FaultKind>& fault_kinds();

// True for the kinds that strike a request: they can be tied to a service and an operation.
bool strikes_requests(FaultKind kind);

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

// One rule: a fault strikes the occasions that fit. Occasions are counted per region, so that equal orders of calls
// within each region give equal faults whatever the other regions do.
struct FaultRule {
  FaultKind kind = FaultKind::none;
  std::string region = "*";     // patterns: * stands for anything
  std::string service = "*";    // kinds that strike requests alone
  std::string operation = "*";  // likewise: "Describe*"
  std::uint64_t first = 1;      // the first fitting occasion that is struck
  std::uint64_t count = 0;      // at most so many are struck; 0: no end
  double probability = 1;       // of each of them
  Micros after{0};              // not before so long after the start of the simulation
  Micros until = Micros::max();
  std::optional<Micros> duration;  // how slow, how late, how stale; absent: as in RegionFaults
};

// Keeps count of the rules' occasions. Not thread safe: the world owns it.
class FaultDice {
 public:
  FaultDice() = default;

  FaultDice(std::vector<FaultRule> rules, std::uint64_t seed) : rules_(std::move(rules)), seed_(seed) {}

  struct Occasion {
    FaultKind kind;  // none: any that strikes requests, but slow
    std::string_view region;
    std::string_view service;    // empty: no request
    std::string_view operation;  // likewise
    Micros age;                  // of the simulation
  };

  // The first rule that strikes; every rule that fits has counted the occasion.
  const FaultRule* draw(const Occasion& occasion);

 private:
  struct Count {
    std::uint64_t seen = 0;
    std::uint64_t struck = 0;
  };

  bool strikes(std::size_t rule, std::string_view region);

  std::vector<FaultRule> rules_;
  std::uint64_t seed_ = 0;
  std::map<std::string, std::vector<Count>, std::less<>> counts_;  // by region, then rule
  std::map<std::string, Xoshiro, std::less<>> random_;             // by region
};

struct World;
struct RegionState;

// Whether that fault of the region strikes now: by the rules first, else by the region's probability. The value is the
// duration that goes with it (zero for kinds without one). Inside the cloud's lock.
std::optional<Micros> strikes(World& world, const RegionState& region, FaultKind kind);

}  // namespace parallax::sim
