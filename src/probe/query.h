// One query: request, redirects by hand, body, verdict. Always gives a measurement, whatever happens.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "http/client.h"
#include "probe/query_options.h"
#include "record/cone.h"
#include "record/measurement.h"
#include "record/service.h"

namespace parallax {

// Fills in what is asked: service, cone, url, query. Nothing is sent. Error: invalid, where the service's templates
// cannot be filled.
Result<http::Request> build_request(const Service& service, const Cone& cone, const QueryOptions& options);
Result<> describe_query(const Service& service, const Cone& cone, std::size_t cone_index, Measurement& measurement);

// Asks, and completes `measurement` (of which describe_query has filled the first half): started_at, timings, hops,
// body, verdict. `time_left` bounds the query where the order's deadline is near: reaching that is our trouble
// (`refused`, "interrupted"), not the service's.
QueryOutcome run_query(const Service& service, const Cone& cone, const QueryOptions& options, Micros time_left,
                       Clock& clock, Executor& executor, http::Client& client, std::stop_token stop,
                       Measurement& measurement);

}  // namespace parallax
