// What the controller hands a job: one JSON document.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "record/cone.h"
#include "record/service.h"

namespace parallax {

inline constexpr std::string_view kOrderSchema = "parallax.order.v1";

struct Order {
  std::string fleet, round_id, run_id, vantage;
  std::string instance_id,
      instance_type;      // of the vantage; empty for a host of one's own. Copied into each measurement
  std::string collector;  // base URL; empty: results stay in the spool
  std::string token;      // secret: only in a 0600 file, never in argv or output
  ConeParameters cones;
  std::vector<Cone> cone_list;  // explicit cones; when not empty, `cones` is not used
  std::vector<Service> services;
  std::vector<Provider> providers;  // this vantage's share of their limits
  int position = 0;                 // turn of this vantage at each provider, from 0
  int vantages = 1;                 // how many vantages take turns
  std::optional<Instant>
      begin_at;            // when the round's timetable begins, equal for all vantages; absent: when the job starts
  Micros start_offset{0};  // from the timetable's begin to this vantage's first query
  Micros turn{0};          // length of one vantage's turn at a provider that is not simultaneous
  std::optional<Instant> deadline;  // the job stops querying then
  std::string connection = "cold";  // "cold": a new connection for each query
};

Json to_json(const Order& order);
// Error: invalid, naming the member.
Result<Order> order_from_json(const Json& json);

}  // namespace parallax
