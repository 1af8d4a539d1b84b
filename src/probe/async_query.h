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

// What became of the jobs that were open in the journal.
struct LeftJobs {
  std::int64_t deleted = 0;
  std::int64_t kept = 0;     // could not be deleted now
  std::int64_t unknown = 0;  // asked for, and the address never came: nobody can delete these
  std::string problem;       // the first reason for a job that was kept
};

// Deletes the jobs that are open in the journal: of an earlier start, or whose deletion failed before. A server that
// does not answer is left alone after the first time. Jobs without an address are counted and forgotten.
LeftJobs delete_left_jobs(JobJournal& journal, const QueryOptions& options, Clock& clock, Executor& executor,
                          http::Client& client, const std::stop_token& stop);

}  // namespace parallax::probe
