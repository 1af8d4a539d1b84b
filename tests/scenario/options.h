// What a seed draws for one simulated fleet: how big, what goes wrong, and who dies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/cloud/faults.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"

namespace parallax::scenario {

enum class ControllerFate { lives, restarted, gone_for_good };

struct ScenarioOptions {
  std::uint64_t seed = 0;
  int regions = 6;
  int rounds = 4;
  int cones = 2;
  Micros job_timeout{std::chrono::minutes(8)};
  Micros margin{std::chrono::minutes(2)};
  Micros poll{Seconds(5)};
  Micros between_rounds{std::chrono::minutes(20)};

  sim::RegionFaults cloud;
  sim::NetworkFaults services;
  sim::NetworkFaults collector;
  sim::DiskFaults vantage_disk;
  sim::DiskFaults controller_disk;
  double store_fails = 0;  // the collector's database takes a batch
  double job_hangs = 0;    // a job that never ends
  Micros controller_clock_error{0};

  // In this round (from 0) the controller is killed when it comes to that point.
  std::optional<int> death_round;
  std::uint64_t death_point = 0;
  ControllerFate fate = ControllerFate::lives;
  Micros restart_after{Seconds(30)};
  bool journal_deleted = false;  // after each round and each death

  // The first signal: the round is asked to stop so long after it began.
  std::optional<Micros> interrupt_after;

  // The collector is killed at this point and comes back.
  std::uint64_t collector_death_point = 0;
  Micros collector_back_after{Seconds(60)};
  // The collector is away for the whole of this round.
  std::optional<int> collector_away_round;

  bool second_controller = false;  // another one runs a round of its own at the same time
};

ScenarioOptions draw_options(std::uint64_t seed);

// One line for each drawn option that is not its default.
std::string describe(const ScenarioOptions& options);

}  // namespace parallax::scenario
