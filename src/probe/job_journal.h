// Which asynchronous jobs of ours exist on servers: written down before a job is asked for and once its address is
// known, so that what a dead probe left behind is deleted at the next start.
//
//   DIRECTORY/jobs   one line per event, as the spool's; only appended to, and rewritten with what is open where it
//                    has grown; mode 0600
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/mutex.h"

namespace parallax::probe {

// A job that was asked for and not, for all we know, deleted.
struct OpenJob {
  std::int64_t number = 0;
  std::string service;  // the URL where jobs are made
  std::string run_id;
  std::string url;  // of the job; empty where its address never came
  Instant asked_at;
};

// Thread safety: every method may be called from any task.
class JobJournal {
 public:
  // `directory` is locked by the caller (Spool::open does). Lines that do not read are left out; so are jobs older than
  // kAgeMax, which every server has destroyed. Error: those of Files.
  static Result<std::unique_ptr<JobJournal>> open(Files& files, Clock& clock, const std::string& directory);
  // Nothing survives the process.
  static std::unique_ptr<JobJournal> in_memory(Clock& clock);

  // A job is about to be asked for; it is on disk when this returns. Error: it must not be asked for.
  Result<std::int64_t> asking(const std::string& service, const std::string& run_id);
  // Its address; on disk when this returns.
  Result<> made(std::int64_t number, const std::string& url);
  // There is no such job, or no more. Not synced: deleting twice does no harm.
  Result<> gone(std::int64_t number);

  // At the end of a run: nothing is left on disk where nothing is open.
  Result<> settle();

  // In the order in which they were asked for.
  std::vector<OpenJob> open_jobs() const;

  static constexpr Micros kAgeMax{Seconds(7 * 86'400)};

 private:
  JobJournal(Files* files, Clock& clock, std::string path) : files_(files), clock_(clock), path_(std::move(path)) {}

  Result<> load();
  Result<> append(const std::string& line, bool durable) REQUIRES(mutex_);
  Result<> compact() REQUIRES(mutex_);
  std::string text_of_open() const REQUIRES(mutex_);

  Files* const files_;  // null: in memory
  Clock& clock_;
  const std::string path_;

  mutable Mutex mutex_;
  std::unique_ptr<AppendFile> file_ GUARDED_BY(mutex_);
  std::map<std::int64_t, OpenJob> open_ GUARDED_BY(mutex_);
  std::int64_t last_number_ GUARDED_BY(mutex_) = 0;
};

}  // namespace parallax::probe
