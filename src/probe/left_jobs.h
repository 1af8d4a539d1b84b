// The asynchronous jobs that were left on servers: by a probe that died, or since a deletion failed.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "http/client.h"
#include "probe/job_journal.h"
#include "probe/query_options.h"

namespace parallax::probe {

// What became of the jobs that were open in the journal.
struct LeftJobs {
  std::int64_t deleted = 0;
  std::int64_t kept = 0;     // could not be deleted now
  std::int64_t unknown = 0;  // asked for, and the address never came: nobody can delete these
  std::string problem;       // the first reason for a job that was kept
};

struct LeftJobsContext {
  const QueryOptions& options;
  Clock& clock;
  Executor& executor;
  http::Client& client;
};

// Deletes these jobs of the journal. A server that does not answer is left alone after the first time. Jobs without an
// address are counted and forgotten.
LeftJobs delete_left_jobs(JobJournal& journal, const std::vector<OpenJob>& jobs, const LeftJobsContext& context,
                          const std::stop_token& stop);

}  // namespace parallax::probe
