// Carries what is in the spool to the collector, beside the querying and after it. Ingest is idempotent, so whatever is
// in doubt is simply sent again; a record counts as delivered only when an answer lists it.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "http/client.h"
#include "probe/spool.h"

namespace parallax {

struct SubmitOptions {
  std::string collector;  // base URL
  std::string token;      // secret
  std::string user_agent;
  std::string ca_file;
  std::map<std::string, std::string> connect_to;
  std::size_t batch_records_max = 500;
  std::size_t batch_bytes_max = 1U << 20U;
  std::size_t answer_bytes_max = 4U << 20U;
  Micros flush_wait{Seconds(30)};             // how long a paid machine waits for a collector at the end
  Micros flush_wait_interrupted{Seconds(3)};  // and how long once it was told to stop: results are safe in the spool
  Micros linger{Seconds(1)};                  // records are gathered so long before they go
  Micros backoff_first{Millis(250)};
  Micros backoff_max{Seconds(20)};
  Micros retry_after_max{Seconds(300)};
  http::PhaseLimits limits{Seconds(5), Seconds(10), Seconds(10), Seconds(30), Seconds(20), Seconds(60)};
};

// A token travels over http to loopback only. Error: invalid.
Result<> check_collector_url(const std::string& url);

// What became of a flush.
struct SubmitReport {
  bool denied = false;                // the collector does not take our token: everything stays in the spool
  std::string last_problem;           // for a person; empty where the last answer was good
  std::vector<std::string> refusals;  // the first reasons for refused records and conflicts
};

// Thread safety: notify() from any task; finish() from the owner.
class Submitter {
 public:
  // Starts a task that sends. The collector's URL has been checked.
  Submitter(SubmitOptions options, Clock& clock, Rng& rng, Executor& executor, http::Client& client, Spool& spool);
  ~Submitter();
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // Something new is in the spool.
  void notify();

  // Sends what is left, for at most options.flush_wait (after a stop: flush_wait_interrupted), and ends the task. Call
  // once.
  SubmitReport finish(const std::stop_token& stop = {});

 private:
  enum class Step { progress, again, wait, give_up };

  void run(const std::stop_token& stop);
  bool wait_for_work(const std::stop_token& stop);
  bool back_off(const std::stop_token& stop);
  bool is_finishing(Monotonic* deadline) const;
  Step send_batch(const std::stop_token& stop);
  Step take_answer(const http::Exchange& exchange, const std::vector<SpooledRecord>& batch);
  Step take_outcomes(const std::string& body, const std::vector<SpooledRecord>& batch);
  Step split(const std::vector<SpooledRecord>& batch);
  Step settle(const SpooledRecord& record, Delivery delivery, const std::string& reason);
  Step problem(Step step, std::string text);

  const SubmitOptions options_;
  Clock& clock_;
  Rng& rng_;
  http::Client& client_;
  Spool& spool_;
  const std::unique_ptr<Event> changed_;

  // Of the task.
  std::size_t batch_records_;
  std::size_t batch_bytes_;
  int failures_ = 0;  // in a row
  Micros retry_after_{0};

  mutable Mutex mutex_;
  bool finishing_ GUARDED_BY(mutex_) = false;
  Monotonic deadline_ GUARDED_BY(mutex_);
  SubmitReport report_ GUARDED_BY(mutex_);

  std::unique_ptr<Task> task_;
};

}  // namespace parallax
