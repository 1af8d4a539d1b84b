#include <algorithm>
#include <utility>

#include "sim/world/world.h"

namespace parallax::sim {

namespace {

class TaskHandle final : public Task {
 public:
  TaskHandle(Scheduler& scheduler, std::shared_ptr<TaskRecord> task) : scheduler_(scheduler), task_(std::move(task)) {}

  ~TaskHandle() override {
    TaskHandle::request_stop();
    TaskHandle::join();
  }

  void request_stop() override { task_->stop.request_stop(); }

  // Never throws, since destructors call it: where the process is dead, so is the task, and it ends soon.
  void join() override { scheduler_.join(*task_); }

 private:
  Scheduler& scheduler_;
  const std::shared_ptr<TaskRecord> task_;
};

// What spawn() gives a process that is dead.
class EndedTask final : public Task {
 public:
  void request_stop() override {}

  void join() override {}
};

class WorldEvent final : public Event {
 public:
  explicit WorldEvent(VirtualWorld& world) : world_(world) {}

  std::uint64_t ticket() const override { return count_; }

  void notify() override {
    ++count_;
    for (TaskRecord* waiter : waiters_) {
      world_.scheduler().wake(*waiter, Wake::notified);
    }
  }

  bool wait_until(std::uint64_t seen, Monotonic deadline, std::stop_token stop) override {
    while (count_ == seen) {
      if (stop.stop_requested() || world_.now() >= deadline) {
        world_.current_process().leave();
        return false;
      }
      const Waiting waiting(*this, world_.scheduler().current());
      if (world_.wait(deadline, stop) == Wake::killed) {
        return false;
      }
    }
    return true;
  }

 private:
  class Waiting {
   public:
    Waiting(WorldEvent& event, TaskRecord* task) : event_(event), task_(task) { event_.waiters_.push_back(task); }

    ~Waiting() { std::erase(event_.waiters_, task_); }

    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    WorldEvent& event_;
    TaskRecord* const task_;
  };

  VirtualWorld& world_;
  std::uint64_t count_ = 0;
  std::vector<TaskRecord*> waiters_;
};

}  // namespace

class Process::HostClock final : public Clock {
 public:
  explicit HostClock(Process& process) : process_(process) {}

  Instant now() const override { return process_.world_.utc() + process_.world_.clock_error(process_.host_); }

  Monotonic monotonic() const override { return process_.world_.now(); }

  bool sleep_until(Monotonic deadline, std::stop_token stop) override {
    VirtualWorld& world = process_.world_;
    while (world.now() < deadline && !stop.stop_requested()) {
      if (world.wait(deadline, stop) == Wake::killed) {
        return false;
      }
    }
    world.current_process().leave();
    return !stop.stop_requested() || world.now() >= deadline;
  }

 private:
  Process& process_;
};

class Process::ProcessExecutor final : public Executor {
 public:
  explicit ProcessExecutor(Process& process) : process_(process) {}

  std::unique_ptr<Task> spawn(std::string name, std::function<void(std::stop_token)> body) override {
    if (!process_.enter()) {
      return std::make_unique<EndedTask>();
    }
    return std::make_unique<TaskHandle>(process_.world_.scheduler(), launch(name, std::move(body)));
  }

  std::shared_ptr<TaskRecord> launch(const std::string& name, std::function<void(std::stop_token)> body) {
    // The record is known only after spawn(); the token is handed over through this box.
    auto stop = std::make_shared<std::stop_token>();
    auto task = process_.world_.scheduler().spawn(process_.name_ + "/" + name, &process_,
                                                  [this, stop, body = std::move(body)] { run_body(body, *stop); });
    *stop = task->stop.get_token();
    return task;
  }

  std::unique_ptr<Event> make_event() override { return process_.world_.make_event(); }

 private:
  // The root of a task: nothing is thrown beyond.
  void run_body(const std::function<void(std::stop_token)>& body, const std::stop_token& stop) {
    if (!process_.alive_) {
      return;
    }
    try {
      body(stop);
    } catch (const ProcessKilled&) {
      process_.world_.note("unwound", process_.name_);
    } catch (const std::exception& error) {
      process_.world_.fail("a task of " + process_.name_ + " threw: " + error.what());
    }
  }

  Process& process_;
};

Process::Process(VirtualWorld& world, std::string name, std::string host)
    : world_(world),
      name_(std::move(name)),
      host_(std::move(host)),
      clock_(std::make_unique<HostClock>(*this)),
      executor_(std::make_unique<ProcessExecutor>(*this)) {}

Process::~Process() = default;

Clock& Process::clock() {
  return *clock_;
}

Executor& Process::executor() {
  return *executor_;
}

Rng& Process::rng() {
  return world_.rng("process " + name_);
}

void Process::start(const std::string& task_name, std::function<void(std::stop_token)> body) {
  executor_->launch(task_name, std::move(body));
}

void Process::kill_at(std::uint64_t point, KillKind kind) {
  kill_at_ = point;
  kill_kind_ = kind;
}

void Process::kill(KillKind kind) {
  if (!alive_) {
    return;
  }
  alive_ = false;
  world_.note("kill", name_);
  for (const auto& hook : on_kill_) {
    hook(kind);
  }
  for (const auto& task : world_.scheduler().tasks()) {
    if (task->process == this) {
      world_.scheduler().wake(*task, Wake::killed);
    }
  }
}

void Process::on_kill(std::function<void(KillKind)> hook) {
  on_kill_.push_back(std::move(hook));
}

bool Process::enter() {
  world_.count_step();
  if (alive_ && ++points_ == kill_at_) {
    kill(kill_kind_);
  }
  if (alive_) {
    return true;
  }
  TaskRecord* task = world_.scheduler().current();
  if (task != nullptr && task->process == this && !task->unwinding) {
    task->unwinding = true;
    throw ProcessKilled{};
  }
  return false;
}

std::unique_ptr<Event> VirtualWorld::make_event() {
  return std::make_unique<WorldEvent>(*this);
}

}  // namespace parallax::sim
