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

// A new connection for each query; one that is kept; or each query on a new one and then again on that.
enum class ConnectionSeries { cold, warm, pair };

std::string_view to_string(ConnectionSeries series);
std::optional<ConnectionSeries> parse_connection_series(std::string_view text);

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
  ConnectionSeries connection = ConnectionSeries::cold;
  bool deep = false;  // look into the answers: checksum, range of positions, rows outside of the cone
};

Json to_json(const Order& order);
// Error: invalid, naming the member.
Result<Order> order_from_json(const Json& json);

}  // namespace parallax
