// The probe at work: an order in, measurements out, into the spool and from there to the collector.
#pragma once

#include <array>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/files.h"
#include "base/rng.h"
#include "http/client.h"
#include "probe/left_jobs.h"
#include "probe/query.h"
#include "probe/spool.h"
#include "probe/submit.h"
#include "record/order.h"

namespace parallax {

struct ProbeOptions {
  QueryOptions query;
  std::string spool_directory;  // may be empty where the order names no collector
  SpoolLimits spool;
  SubmitOptions submit;  // collector, token and user agent are taken from the order and `query`
  std::string build;     // goes into each measurement
};

struct ProbeDeps {
  Clock& clock;
  Rng& rng;
  Executor& executor;
  Files& files;
  http::Client& client;
};

enum class ExitCode : int {
  done = 0,
  failed = 1,       // no query succeeded, or the spool took no more
  wrong_usage = 2,  // nothing was asked
  in_part = 3,      // some queries failed, or the collector refused records
  in_spool = 4,     // done, but results are still in the spool
  interrupted = 130,
};

struct ProbeOutcome {
  using LeftJobs = probe::LeftJobs;

  std::array<std::int64_t, kVerdictNames.size()> by_verdict{};  // of this run, the resumed part included
  std::int64_t planned = 0;                                     // queries of the order
  std::int64_t resumed = 0;  // of these, had a record from an earlier start of the same run
  std::int64_t asked = 0;    // of these, sent
  std::int64_t unasked = 0;  // of these, without a record: interrupted, or the spool failed
  SpoolCounts spool;         // all runs in the spool
  SubmitReport submit;
  bool interrupted = false;
  LeftJobs jobs_before;  // asynchronous jobs that an earlier start had left on servers
  LeftJobs jobs_after;   // those of this run that were still open at its end
  std::string problem;   // why nothing was asked, or no more; empty otherwise
  ExitCode exit_code = ExitCode::done;

  std::int64_t successes() const;
  std::int64_t stored() const;  // confirmed by the collector: stored now or before
  std::int64_t rejected() const;
};

// Called with each measurement once it is in the spool, by one task at a time; must not wait.
using Progress = std::function<void(const Measurement&)>;

// Runs the order to its end, its deadline, or `stop`: then running queries are aborted and recorded ("interrupted"),
// what is in the spool is flushed, the rest is not asked.
ProbeOutcome run_probe(const Order& order, const ProbeOptions& options, const ProbeDeps& deps, const Progress& progress,
                       std::stop_token stop);

struct SendOutcome {
  SpoolCounts spool;
  SubmitReport submit;
};

// `parallax spool send`: delivers what is in a spool, without asking anything. `options` holds collector and token.
Result<SendOutcome> spool_send(const std::string& directory, const SubmitOptions& options, const ProbeDeps& deps,
                               std::stop_token stop = {});

}  // namespace parallax
