// When each query of an order starts: a pure function, equal for everybody who has the order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "record/order.h"

namespace parallax {

struct PlannedQuery {
  std::int64_t sequence = 0;     // (service * cones + cone) * variants + variant: whatever the order of asking is
  std::size_t service = 0;       // index into the order's services
  std::size_t cone = 0;          // index into the cones
  TapMode mode = TapMode::sync;  // of tap; never `both`: that is a query each
  ConnectionSeries connection = ConnectionSeries::cold;  // never `pair`: that is a cold and then a warm one
  Micros offset{0};                                      // open-loop start, from the timetable's begin
  // A query that could not start before this is not sent: the turn is another vantage's.
  std::optional<Micros> latest_start;
};

// One provider's queries, in the order in which they start.
struct ProviderTimetable {
  Provider provider;
  Micros interval{0};  // between two starts
  std::vector<PlannedQuery> queries;
};

// How many queries one cone at one service can be, equal for all services of an order so that sequence numbers are:
// twice as many where any service is asked in `both` modes, and again where connections come in pairs.
std::size_t variants_of(const Order& order);

// Providers run side by side; a provider's own services one after another, in an order drawn from the round (the same
// for all its vantages) or, without a round, from the run; so are a service's cones. Starts of a provider lie 1 /
// queries_per_second apart. At a provider that is not `simultaneous`, with order.turn set, this vantage's turn is
// number (position + index of the provider) mod vantages, and begins at that number times the turn's length.
std::vector<ProviderTimetable> make_timetable(const Order& order, std::size_t cones);

}  // namespace parallax
