// One asynchronous TAP query (UWS 1.0 and 1.1): a job is made, started, waited for, its result fetched, and the job
// deleted, whatever became of it. Always gives a measurement.
#pragma once

#include "probe/exchange.h"
#include "probe/job_journal.h"
#include "record/cone.h"

namespace parallax::probe {

// As run_query, of a service in `async` mode. What the measurement says of one request (phases, hops, status, body) is
// said of the result's, or of the last request before the query failed; total_us is submit, run, wait and fetch
// together. The job is deleted also after a stop, which takes up to options.limits.job_delete.
QueryOutcome run_async_query(const QueryContext& context, const Cone& cone, Micros time_left, JobJournal& journal,
                             Measurement& measurement);

}  // namespace parallax::probe
