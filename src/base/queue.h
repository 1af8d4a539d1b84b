// A bounded queue between tasks, built on Event so that it works in simulation too.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"

namespace parallax {

// Any number of producers and consumers. `capacity` counts items.
template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(Executor& executor, std::size_t capacity) : capacity_(capacity), changed_(executor.make_event()) {}

  // Waits for room. False when closed, stopped or `deadline` passed: `item` was not taken.
  bool push(T item, Monotonic deadline, const std::stop_token& stop) {
    for (;;) {
      const std::uint64_t seen = changed_->ticket();
      {
        const MutexLock lock(mutex_);
        if (closed_) {
          return false;
        }
        if (items_.size() < capacity_) {
          items_.push_back(std::move(item));
          break;
        }
      }
      if (!changed_->wait_until(seen, deadline, stop)) {
        return false;
      }
    }
    changed_->notify();
    return true;
  }

  // Waits for an item. Nothing when closed and empty, stopped, or `deadline` passed.
  std::optional<T> pop(Monotonic deadline, const std::stop_token& stop) {
    std::optional<T> item;
    for (;;) {
      const std::uint64_t seen = changed_->ticket();
      {
        const MutexLock lock(mutex_);
        if (!items_.empty()) {
          item.emplace(std::move(items_.front()));
          items_.pop_front();
          break;
        }
        if (closed_) {
          return std::nullopt;
        }
      }
      if (!changed_->wait_until(seen, deadline, stop)) {
        return std::nullopt;
      }
    }
    changed_->notify();
    return item;
  }

  // No more pushes; what is inside can still be taken.
  void close() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    changed_->notify();
  }

  std::size_t size() const {
    const MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t capacity_;
  const std::unique_ptr<Event> changed_;
  mutable Mutex mutex_;
  std::deque<T> items_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace parallax
