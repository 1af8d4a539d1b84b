// What goes wrong, as users write it: a TOML file of rules, or a seed.
//
//   [[fault]]
//   kind = "throttle"            # see fault_kinds() in faults.h
//   region = "eu-west-3"         # patterns with *; default: every region
//   operation = "Describe*"      # service and operation: kinds that strike requests
//   nth = 3                      # the third call that fits, counted per region
//
//   [[fault]]
//   kind = "slow"
//   probability = 0.1
//   duration = "5s"
//   after = "1m"                 # since the simulator started
//   until = "10m"
//   count = 20                   # at most so many
//
//   [capacity]                   # room for running instances; more answers InsufficientInstanceCapacity
//   "us-west-2a/t3.micro" = 1
//
//   [latency]                    # round trips
//   ap-southeast-2 = "160ms"
//
//   [timings]                    # how long the cloud takes by itself; fixed, or drawn between two
//   pending = "12s"
//   image_copy = ["2m", "15m"]
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/faults.h"

namespace parallax::sim {

struct FaultScript {
  std::vector<FaultRule> rules;
  std::map<std::string, int> capacity;           // as CloudOptions::capacity
  std::map<std::string, Micros> round_trips;     // as CloudOptions::round_trips
  std::map<std::string, DurationRange> timings;  // by the names of CloudTimings' ranges
};

constexpr std::size_t kFaultRulesMax = 1000;

// The ranges of CloudTimings that a script may set, by name; nullptr: none of that name.
DurationRange* find_timing(CloudTimings& timings, std::string_view name);

// Error: invalid, with line, caret and what was probably meant.
Result<FaultScript> parse_fault_script(std::string_view file_name, std::string_view text);

// Every kind with a moderate probability drawn from the seed, in every region.
std::vector<FaultRule> seeded_faults(std::uint64_t seed);

// "throttle with probability 0.031", one rule; for the log.
std::string describe(const FaultRule& rule);

}  // namespace parallax::sim
