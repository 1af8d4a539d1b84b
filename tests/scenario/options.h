// What a seed draws for one simulated fleet: how big, what goes wrong, and who dies.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "sim/cloud/faults.h"
#include "sim/world/disk.h"
#include "sim/world/network.h"

namespace parallax::scenario {

enum class ControllerFate { lives, restarted, gone_for_good };

// What somebody does by hand to what is ours.
enum class Drift {
  rule_added,
  rule_revoked,
  metadata_v1,
  slot_tag_removed,
  name_tag_changed,
  boot_timer_old,  // of an earlier version
  profile_removed,
  key_deleted,
  machine_terminated,
  machine_started,
  machine_disowned,  // it loses the fleet's tag
  image_deregistered,
};
inline constexpr int kDriftKinds = 12;

std::string_view to_string(Drift drift);

// Before round `round` (from 0) the fleet has so many regions, and things have been changed by hand.
struct PlanChange {
  int round = 0;
  int regions = 0;                             // 0: as before
  bool clear_removed = false;                  // what leaves the fleet is cleared
  std::vector<std::pair<Drift, int>> by_hand;  // in the region of that number
};

// The controllers' user may not do these any more, for a while.
struct Withdrawal {
  Micros after{0};
  Micros lasts{0};
  std::vector<std::string> actions;  // "ec2:StopInstances"
};

// A service of a region does not answer for a while.
struct Absence {
  int region = 0;
  std::string service;
  Micros after{0};
  Micros lasts{std::chrono::hours(1)};
};

struct ScenarioOptions {
  std::uint64_t seed = 0;
  int regions = 6;
  int rounds = 4;
  int cones = 2;
  int machines = 1;  // of the fleet in each region
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

  // Machines are made by `fleet apply`; home alone has something before. Else they are there from the beginning, as the
  // reference's scripts leave them: without a boot timer.
  bool set_up = false;
  bool copy_image = false;   // home's image is copied; else Amazon's stock image
  bool with_key = false;     // home's key pair in every region
  bool like_home = false;    // the group has the rules of home's
  bool own_profile = false;  // role and profile are ours to make; else there is one
  bool scheduler = false;    // deadman = "guest+scheduler"
  std::vector<PlanChange> changes;
  std::optional<int> death_change;  // the controller dies in the set-up before this round, at death_point
  bool second_set_up = false;       // each set-up is made by two controllers at once
  bool set_up_while_run = false;    // another set-up during each round

  Micros credentials_last{0};  // temporary credentials; zero: long-term ones
  bool credentials_renewable = true;
  std::optional<Withdrawal> withdrawn;
  std::optional<Absence> absence;
  std::optional<int> vcpu_limit;  // until the good end

  // What scenarios choose and no seed draws.
  std::vector<std::string> region_names;         // instead of the first `regions`
  std::vector<std::string> without_default_vpc;  // regions
  std::map<std::string, int> capacity;           // as sim::CloudOptions::capacity
  Micros image_copy{0};                          // how long a copy takes; zero: as AWS's
  bool usual_times = false;                      // 12 s to start, 8 s more for the agent, 12 s to stop
};

ScenarioOptions draw_options(std::uint64_t seed);

// The same seed in a world of so many regions and rounds.
ScenarioOptions draw_large(std::uint64_t seed, int regions, int rounds);

// One line for each drawn option that is not its default.
std::string describe(const ScenarioOptions& options);

}  // namespace parallax::scenario
