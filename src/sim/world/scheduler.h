// The scheduler below a simulated world: tasks as strands, one at a time, picked by the seed; timers in virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <stop_token>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "sim/world/strand.h"
#include "sim/world/trace.h"

namespace parallax::sim {

class Process;

enum class Wake { none, notified, timer, stopped, killed };

// Owned by the scheduler while it lives and by its handle afterwards.
struct TaskRecord {
  enum class State { ready, running, waiting, ended };

  std::uint64_t id = 0;
  std::string name;
  Process* process = nullptr;
  std::stop_source stop;
  State state = State::ready;
  Wake wake = Wake::none;
  std::uint64_t sleeps = 0;  // counts waits, so that the timer of an earlier one is known to be stale
  bool unwinding = false;    // ProcessKilled was thrown into it
  std::vector<TaskRecord*> joiners;
  std::unique_ptr<Strand> strand;
};

// Not thread safe: everything runs on the strand that has the baton, or between strands.
class Scheduler {
 public:
  // `picks` decides who runs next.
  Scheduler(StrandKind kind, Rng& picks, Trace& trace, Monotonic start);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // `body` must not throw.
  std::shared_ptr<TaskRecord> spawn(std::string name, Process* process, std::function<void()> body);

  // The running task waits until it is woken: by wake(), by `deadline` (Monotonic::max(): no timer), by `stop`.
  Wake block(Monotonic deadline, const std::stop_token& stop);
  // Makes a waiting task ready; nothing where it does not wait.
  void wake(TaskRecord& task, Wake reason);
  // The running task waits until `task` has ended.
  void join(TaskRecord& task);

  // Runs one ready task until it waits. False: none is ready.
  bool step();
  // Moves time to the next timer and wakes whom it concerns. False: there is none, or it lies after `limit`.
  bool advance(Monotonic limit);

  TaskRecord* current() const { return current_; }

  Monotonic now() const { return now_; }

  // Those that have not ended, oldest first.
  const std::vector<std::shared_ptr<TaskRecord>>& tasks() const { return tasks_; }

 private:
  struct Timer {
    Monotonic at;
    std::uint64_t order = 0;
    std::weak_ptr<TaskRecord> task;
    std::uint64_t sleep = 0;

    bool operator>(const Timer& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  void end(TaskRecord& task);
  static bool is_due(const Timer& timer);

  const StrandKind kind_;
  Rng& picks_;
  Trace& trace_;
  Monotonic now_;
  TaskRecord* current_ = nullptr;
  std::uint64_t tasks_made_ = 0;
  std::uint64_t timers_made_ = 0;
  std::vector<std::shared_ptr<TaskRecord>> tasks_;
  std::vector<TaskRecord*> ready_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

}  // namespace parallax::sim
