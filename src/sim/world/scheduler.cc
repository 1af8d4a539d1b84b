#include "sim/world/scheduler.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace parallax::sim {

Scheduler::Scheduler(StrandKind kind, Rng& picks, Trace& trace, Monotonic start)
    : kind_(kind), picks_(picks), trace_(trace), now_(start) {}

Scheduler::~Scheduler() {
  CHECK(tasks_.empty(), "a world is destroyed while tasks live");
}

std::shared_ptr<TaskRecord> Scheduler::spawn(std::string name, Process* process, std::function<void()> body) {
  auto task = std::make_shared<TaskRecord>();
  task->id = ++tasks_made_;
  task->name = std::move(name);
  task->process = process;
  trace_.add(now_, current_ == nullptr ? 0 : current_->id, "spawn", task->name);
  task->strand = make_strand(kind_, std::move(body));
  tasks_.push_back(task);
  ready_.push_back(task.get());
  return task;
}

Wake Scheduler::block(Monotonic deadline, const std::stop_token& stop) {
  CHECK(current_ != nullptr, "only a task of the world can wait");
  TaskRecord& task = *current_;
  task.state = TaskRecord::State::waiting;
  task.wake = Wake::none;
  ++task.sleeps;
  if (deadline != Monotonic::max()) {
    const auto self = std::ranges::find(tasks_, &task, &std::shared_ptr<TaskRecord>::get);
    timers_.push({deadline, ++timers_made_, *self, task.sleeps});
  }
  {
    // Runs at once where stop was requested before; the task is then ready before it suspends.
    const std::stop_callback on_stop(stop, [this, &task] { wake(task, Wake::stopped); });
    task.strand->suspend();
  }
  return task.wake;
}

void Scheduler::wake(TaskRecord& task, Wake reason) {
  if (task.state != TaskRecord::State::waiting) {
    return;
  }
  task.state = TaskRecord::State::ready;
  task.wake = reason;
  ready_.push_back(&task);
}

void Scheduler::join(TaskRecord& task) {
  while (task.state != TaskRecord::State::ended) {
    CHECK(current_ != nullptr && current_ != &task, "a task cannot be joined from here");
    task.joiners.push_back(current_);
    block(Monotonic::max(), {});
    std::erase(task.joiners, current_);
  }
}

bool Scheduler::step() {
  if (ready_.empty()) {
    return false;
  }
  const std::size_t pick = ready_.size() == 1 ? 0 : static_cast<std::size_t>(picks_.below(ready_.size()));
  TaskRecord& task = *ready_[pick];
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(pick));
  task.state = TaskRecord::State::running;
  current_ = &task;
  trace_.add_switch(now_, task.id);
  task.strand->resume();
  current_ = nullptr;
  if (task.strand->ended()) {
    end(task);
  }
  return true;
}

void Scheduler::end(TaskRecord& task) {
  task.state = TaskRecord::State::ended;
  task.strand.reset();
  for (TaskRecord* joiner : task.joiners) {
    wake(*joiner, Wake::notified);
  }
  std::erase_if(tasks_, [&](const auto& other) { return other.get() == &task; });
}

bool Scheduler::is_due(const Timer& timer) {
  const auto task = timer.task.lock();
  return task != nullptr && task->sleeps == timer.sleep && task->state == TaskRecord::State::waiting;
}

bool Scheduler::advance(Monotonic limit) {
  while (!timers_.empty() && !is_due(timers_.top())) {
    timers_.pop();
  }
  if (timers_.empty() || timers_.top().at > limit) {
    return false;
  }
  now_ = std::max(now_, timers_.top().at);
  while (!timers_.empty() && timers_.top().at <= now_) {
    if (is_due(timers_.top())) {
      wake(*timers_.top().task.lock(), Wake::timer);
    }
    timers_.pop();
  }
  return true;
}

}  // namespace parallax::sim
