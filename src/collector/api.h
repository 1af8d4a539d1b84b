// What can be read: runs, measurements, summaries and counters as JSON.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"
#include "store/store.h"

namespace parallax::collector {

// Each takes the query string, and the fleet that the reader is bound to (empty: any). 400 names a parameter that is
// not known or not understood; 403 where another fleet is asked for.
http::Response get_runs(store::Store& store, std::string_view query, std::string_view bound_fleet);
http::Response get_measurements(store::Store& store, std::string_view query, std::string_view bound_fleet);
http::Response get_summary(store::Store& store, std::string_view query, std::string_view bound_fleet);
http::Response get_counters(store::Store& store, std::string_view query);

// The fleet to look at: what was asked for within what the reader may see. Error: denied.
Result<std::string> choose_fleet(const std::string& asked, std::string_view bound_fleet);

}  // namespace parallax::collector
