// EventBridge Scheduler's data. Included by state.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "codec/json.h"

namespace parallax::sim {

struct Schedule {
  std::string name;
  std::string group;
  std::string arn;
  Json settings;  // the members of CreateSchedule, ClientToken apart
  Instant created;
  Instant modified;
  std::uint64_t generation = 0;  // counts changes: an event of an earlier one does nothing
};

struct ScheduleGroup {
  std::string name;
  std::string arn;
  std::map<std::string, std::string> tags;
  Instant created;
  Instant modified;
};

struct SchedulerState {
  std::map<std::string, Schedule> schedules;  // by "GROUP/NAME"
  std::map<std::string, ScheduleGroup> groups;
  std::map<std::string, std::string> client_tokens;  // operation and token -> canonical parameters
  std::uint64_t last_generation = 0;
};

}  // namespace parallax::sim
