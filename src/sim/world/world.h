// A simulated world in virtual time: everything that happens in it follows from one seed. Product code runs in it as
// tasks of processes and cannot tell; it reaches the world through the facades of its process alone, and a process can
// be killed between any two of its steps.
//
//   VirtualWorld world({.seed = 7});
//   Process& controller = world.start_process("controller", "my-host");
//   const Result<> outcome = world.run([&] { controller.clock().sleep_for(Seconds(60), {}); });
//
// Thread safety: none is needed, one task runs at a time; call from tasks of the world, or before and after run().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/executor.h"
#include "base/rng.h"
#include "sim/world/scheduler.h"
#include "sim/world/trace.h"

namespace parallax::sim {

class VirtualWorld;

// Thrown into the tasks of a killed process. No std::exception, so that nothing takes it for an error: it passes
// through product code's destructors alone. Waits and effects during that unwinding do nothing and return at once.
struct ProcessKilled {};

enum class KillKind {
  signal,     // kill -9: what was written stays, synced or not
  power_cut,  // what was not synced is lost, but for a prefix drawn by the seed
};

// A program that runs on a host. Made by VirtualWorld::start_process and kept by the world, also when it is dead.
class Process {
 public:
  Process(VirtualWorld& world, std::string name, std::string host);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& name() const { return name_; }

  const std::string& host() const { return host_; }

  bool alive() const { return alive_; }

  VirtualWorld& world() { return world_; }

  Clock& clock();        // the host's UTC (VirtualWorld::set_clock_error) and the world's monotonic time
  Executor& executor();  // its tasks are this process's
  Rng& rng();            // a stream of this process

  // A task of this process that nobody joins: it lives until it returns or is killed. Never a point itself.
  void start(const std::string& task_name, std::function<void(std::stop_token)> body);

  // How often a task of this process came to the beginning or the end of a wait or an effect.
  std::uint64_t points() const { return points_; }

  // Kills the process when points() becomes `point`. Odd and even points tell "before" from "after".
  void kill_at(std::uint64_t point, KillKind kind);
  // Its waiting tasks are unwound by ProcessKilled; the running one, where it is of this process, at its next point.
  void kill(KillKind kind);
  // Called at kill, in order of registration.
  void on_kill(std::function<void(KillKind)> hook);

  // For facades: the beginning of a wait or an effect. False: the process is dead and nothing may happen any more; the
  // caller returns some error or other. Throws ProcessKilled once into each task of a dead process.
  bool enter();

  // The end of a wait or an effect.
  void leave() { static_cast<void>(enter()); }

 private:
  class HostClock;
  class ProcessExecutor;

  VirtualWorld& world_;
  const std::string name_;
  const std::string host_;
  bool alive_ = true;
  std::uint64_t points_ = 0;
  std::uint64_t kill_at_ = 0;  // 0: never
  KillKind kill_kind_ = KillKind::signal;
  std::vector<std::function<void(KillKind)>> on_kill_;
  std::unique_ptr<HostClock> clock_;
  std::unique_ptr<ProcessExecutor> executor_;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  StrandKind strands = default_strand_kind();
  Instant start{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(10)};
  Micros time_max{std::chrono::hours(24 * 40)};  // virtual; a world that runs longer has failed
  std::uint64_t steps_max = 20'000'000;          // points and task switches; more is a task that never waits
  std::size_t events_kept = 60;
  bool echo = false;  // print every event to stderr
};

class VirtualWorld {
 public:
  explicit VirtualWorld(const WorldOptions& options);
  ~VirtualWorld();
  VirtualWorld(const VirtualWorld&) = delete;
  VirtualWorld& operator=(const VirtualWorld&) = delete;

  // Runs `main` as a task until it has returned and all tasks have ended. May be called once. Error internal: the first
  // failure (fail(), a task that threw, deadlock, a limit of WorldOptions) with the seed and the last events.
  Result<> run(std::function<void()> main);

  // Records the first failure and ends the world: every process is killed. For invariants that do not hold.
  void fail(const std::string& why);

  bool failed() const { return !failure_.empty(); }

  // A new process; several may have the same name one after another.
  Process& start_process(const std::string& name, const std::string& host);

  // The process of `main` and of whatever is no product code.
  Process& process() { return *processes_.front(); }

  Clock& clock() { return process().clock(); }

  Executor& executor() { return process().executor(); }

  // The world's random stream of that name: the same seed and name give the same numbers whatever other streams give.
  Rng& rng(std::string_view name);

  // How much the host's UTC clock is ahead of the truth.
  void set_clock_error(const std::string& host, Micros ahead);
  Micros clock_error(std::string_view host) const;

  Instant utc() const;

  Monotonic now() const { return scheduler_.now(); }

  // Called after every task switch, between tasks: to check invariants at every step.
  void set_check(std::function<void()> check) { check_ = std::move(check); }

  void note(std::string_view kind, std::string_view detail);

  const Trace& trace() const { return trace_; }

  // Equal for two runs that went the same way: the trace's hash and the next number of the scheduler's stream.
  std::pair<std::uint64_t, std::uint64_t> fingerprint();

  std::uint64_t seed() const { return options_.seed; }

  // For facades. An event whose waiters may be of any process.
  std::unique_ptr<Event> make_event();
  // The running task waits; throws ProcessKilled where its process is or gets killed.
  Wake wait(Monotonic deadline, const std::stop_token& stop);
  // The running task's process, or the world's own between tasks.
  Process& current_process();

  Scheduler& scheduler() { return scheduler_; }

  void count_step();

 private:
  void run_tasks();
  void unwind_everything();

  const WorldOptions options_;
  Trace trace_;
  std::map<std::string, std::unique_ptr<Xoshiro>, std::less<>> streams_;
  Scheduler scheduler_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::map<std::string, Micros, std::less<>> clock_errors_;
  std::function<void()> check_;
  std::string failure_;
  std::uint64_t steps_ = 0;
  bool ran_ = false;
};

}  // namespace parallax::sim
