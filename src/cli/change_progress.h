// Live progress of a change on stderr: a line per region, redrawn in place on a terminal; elsewhere a line per change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cli/world.h"
#include "fleet/change.h"

namespace parallax::cli {

// What is known of each region; without clock and terminal. Not thread safe.
class ChangeLines {
 public:
  explicit ChangeLines(const fleet::Plan& plan);

  // What to print where nothing can be redrawn; empty where nothing is new.
  std::string update(const std::string& region, const fleet::StepOutcome& step, Monotonic now);
  // A line per region that has steps, in the plan's order.
  std::vector<std::string> lines(Monotonic now) const;

 private:
  struct Line {
    std::string region, text, told;
    std::size_t steps = 0, done = 0;
    bool failed = false;
    std::optional<Monotonic> begin, end;
  };

  Line& line_of(const std::string& region);

  std::vector<Line> lines_;
};

// Thread safety: update() from any task.
class ChangeProgress {
 public:
  ChangeProgress(World& world, const fleet::Plan& plan);
  ~ChangeProgress();  // draws the last state

  ChangeProgress(const ChangeProgress&) = delete;
  ChangeProgress& operator=(const ChangeProgress&) = delete;

  void update(const std::string& region, const fleet::StepOutcome& step) EXCLUDES(mutex_);
  // A line that stays: where lines are redrawn, they go on below it. For any thread.
  void tell(const std::string& line) EXCLUDES(mutex_);

 private:
  void draw() EXCLUDES(mutex_);

  World& world_;
  const Monotonic begin_;
  Mutex mutex_;
  ChangeLines lines_ GUARDED_BY(mutex_);
  std::size_t drawn_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Task> ticker_;  // last: it uses all of the above
};

}  // namespace parallax::cli
