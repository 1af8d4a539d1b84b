// What an earlier result asked, to be asked again: which rows can be, of whom, and when. And the asking.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/results.h"
#include "probe/probe.h"
#include "probe/service_file.h"
#include "record/cone.h"
#include "record/service.h"

namespace parallax::cli {

struct ReplayQuery {
  std::size_t line = 0;  // of the result file
  Service service;       // asks exactly the URL, and the ADQL, of the row
  Cone cone;
  Micros offset{0};   // from the begin
  Measurement asked;  // what the row says of the query
};

struct ReplayPlan {
  std::vector<ReplayQuery> queries;  // by offset
  std::vector<UnreadRow> skipped;    // by line
  std::vector<Provider> providers;   // one for each that a query names
};

struct ReplayOptions {
  std::optional<double> speed = 1.0;    // how many times faster; absent: as fast as the providers' limits allow
  bool async_as_sync = false;           // asynchronous TAP queries are asked synchronously
  std::optional<ServiceList> services;  // limits of providers, and what a TAP query is sent with beside its ADQL
};

// A pure function. Pace: the gaps between the rows' scheduled (else started) times, divided by the speed.
ReplayPlan plan_replay(const Results& results, const ReplayOptions& options);

// Asks: each provider by itself, never closer together nor more at once than agreed, open loop. `naming` gives the
// fleet, the vantage and the run.
ProbeOutcome run_replay(const ReplayPlan& plan, const Order& naming, const ProbeOptions& options, const ProbeDeps& deps,
                        const Progress& progress, const std::stop_token& stop);

}  // namespace parallax::cli
