// Live progress on stderr: a line per vantage, redrawn in place on a terminal; elsewhere a line per change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cli/world.h"
#include "record/run.h"

namespace parallax::cli {

// Draws `lines` over the `drawn` lines that were drawn before. Each must be safe for a terminal; what is wider is cut.
void redraw_lines(const std::vector<std::string>& lines, std::size_t drawn);

// Thread safety: update() from any task.
class Progress {
 public:
  // `queries` tells how many queries of a run are done, where that is known.
  using QueryCount = std::function<std::optional<std::int64_t>(const std::string& run_id)>;

  // `interrupting`: what is said as soon as World::stop is requested, what is still done and what a second signal does.
  Progress(World& world, QueryCount queries, std::string interrupting);
  ~Progress();  // draws the last state

  void update(const Run& run) EXCLUDES(mutex_);

 private:
  struct Line {
    std::string vantage, run_id, note;
    RunState state = RunState::issued;
    Monotonic begin, end;
  };

  void draw() EXCLUDES(mutex_);
  void tell(const std::string& line) EXCLUDES(mutex_);
  std::string text_of(const Line& line, Monotonic now) const;

  World& world_;
  const QueryCount queries_;
  const Monotonic begin_;
  Mutex mutex_;
  std::vector<Line> lines_ GUARDED_BY(mutex_);
  std::size_t drawn_ GUARDED_BY(mutex_) = 0;
  // Last, for they use all of the above.
  std::unique_ptr<Task> ticker_;
  const std::stop_callback<std::function<void()>> interrupted_;
};

}  // namespace parallax::cli
