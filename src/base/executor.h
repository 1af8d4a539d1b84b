// Executor: tasks and the one way in which they wait for each other. Production runs a task as a thread; simulation
// runs one task at a time and picks the next by the seed. Product code blocks only on Clock, http::Client, Event and
// BoundedQueue, never with a lock held.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/time.h"

namespace parallax {

// A running task, like std::jthread: the destructor asks it to stop and joins it.
class Task {
 public:
  virtual ~Task() = default;
  virtual void request_stop() = 0;
  // Blocks until the body has returned. May be called more than once, by the owner only.
  virtual void join() = 0;
};

// An event count: tells waiters that something they look at may have changed. There are no lost wake-ups:
//
//   for (;;) {
//     const std::uint64_t seen = event.ticket();      // before looking
//     if (condition()) break;                         // under a lock of its own, released again
//     if (!event.wait_until(seen, deadline, stop)) return timed_out_or_stopped;
//   }
class Event {
 public:
  virtual ~Event() = default;
  virtual std::uint64_t ticket() const = 0;
  // Wakes every waiter. Never blocks.
  virtual void notify() = 0;
  // True when notify() was called since `seen` was taken; false when `deadline` passed or `stop` was requested first.
  virtual bool wait_until(std::uint64_t seen, Monotonic deadline, std::stop_token stop) = 0;
};

// Thread safety: every method may be called from any task.
class Executor {
 public:
  virtual ~Executor() = default;
  // Starts `body` as a task of its own. `name` is for logs and traces.
  virtual std::unique_ptr<Task> spawn(std::string name, std::function<void(std::stop_token)> body) = 0;
  virtual std::unique_ptr<Event> make_event() = 0;
};

// Tasks are threads.
std::unique_ptr<Executor> make_thread_executor();

}  // namespace parallax
