// The controller's journal: which runs this process has claimed and not yet ended. It only speeds recovery: a machine
// whose controller is known to be dead is stopped at once instead of when its lease has expired. With every journal
// deleted, leases, timers and the sweep still hold.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/mutex.h"

namespace parallax::fleet {

// One file per process, `controller-ID.journal`, locked while the process lives. Thread safety: every method.
class Journal {
 public:
  // Opens a journal of our own in `directory` (made if missing) and reads those of dead processes there, which are then
  // removed once their runs were dealt with (forget_dead).
  static Result<std::unique_ptr<Journal>> open(Files& files, const std::string& directory, const std::string& id);

  // Run ids that dead processes had claimed and not ended.
  const std::set<std::string>& dead_runs() const { return dead_runs_; }

  // Best effort: an error is returned for a message, never a reason to stop.
  Result<> claimed(const std::string& run_id, const std::string& region, const std::string& instance_id);
  Result<> ended(const std::string& run_id);
  // Removes the journals of dead processes.
  void forget_dead();
  // Removes our own journal: all runs have ended.
  void close();

 private:
  Journal(Files& files, std::string directory, std::string path)
      : files_(files), directory_(std::move(directory)), path_(std::move(path)) {}

  Result<> write(const std::string& line);
  void read_dead();

  Files& files_;
  const std::string directory_;
  const std::string path_;
  std::unique_ptr<FileLock> lock_;
  std::set<std::string> dead_runs_;
  std::set<std::string> dead_files_;
  Mutex mutex_;
  std::unique_ptr<AppendFile> file_ GUARDED_BY(mutex_);
};

}  // namespace parallax::fleet
