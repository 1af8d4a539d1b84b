// Tells the collector about runs as they go, beside the work: a slow or dead collector never delays a machine's stop.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "http/client.h"
#include "record/run.h"

namespace parallax::daemon {

struct RunReporterOptions {
  std::string collector;  // base URL
  std::string token;      // role controller
  std::string user_agent = "parallax";
  std::string ca_file;
};

// Thread safety: report() and flush() from any task.
class RunReporter {
 public:
  RunReporter(http::Client& client, Clock& clock, Executor& executor, RunReporterOptions options);
  // Drops what was not sent; call flush() first.
  ~RunReporter();

  // Never blocks. A later state of the same run replaces one that still waits.
  void report(const Run& run) EXCLUDES(mutex_);

  // Waits until everything has arrived. Error: the last problem, when `deadline` passes first.
  Result<> flush(Monotonic deadline, std::stop_token stop) EXCLUDES(mutex_);

 private:
  void send_loop(const std::stop_token& stop);
  Result<> send(const std::map<std::string, Run>& runs, const std::stop_token& stop);

  http::Client& client_;
  Clock& clock_;
  const RunReporterOptions options_;
  const std::unique_ptr<Event> changed_;
  Mutex mutex_;
  std::map<std::string, Run> waiting_ GUARDED_BY(mutex_);
  bool sending_ GUARDED_BY(mutex_) = false;
  std::string problem_ GUARDED_BY(mutex_);
  std::unique_ptr<Task> task_;  // last: it uses all of the above
};

}  // namespace parallax::daemon
