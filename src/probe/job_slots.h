// How many asynchronous jobs of ours may exist at a time at one provider.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"

namespace parallax::probe {

// Thread safety: any task.
class JobSlots {
 public:
  JobSlots(Executor& executor, int count) : changed_(executor.make_event()), free_(count) {}

  // Gives its slot back when it ends.
  class Holder {
   public:
    Holder() = default;

    explicit Holder(JobSlots& slots) : slots_(&slots) {}

    Holder(Holder&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}

    Holder& operator=(Holder&&) = delete;

    ~Holder() {
      if (slots_ != nullptr) {
        slots_->give_back();
      }
    }

   private:
    JobSlots* slots_ = nullptr;
  };

  // Waits until there is one. An empty holder: `deadline` passed, or `stop` was requested.
  Holder take(Monotonic deadline, const std::stop_token& stop) {
    for (;;) {
      const std::uint64_t seen = changed_->ticket();
      if (try_take()) {
        return Holder(*this);
      }
      if (!changed_->wait_until(seen, deadline, stop)) {
        return {};
      }
    }
  }

 private:
  bool try_take() {
    const MutexLock lock(mutex_);
    if (free_ == 0) {
      return false;
    }
    --free_;
    return true;
  }

  void give_back() {
    {
      const MutexLock lock(mutex_);
      ++free_;
    }
    changed_->notify();
  }

  const std::unique_ptr<Event> changed_;
  Mutex mutex_;
  int free_ GUARDED_BY(mutex_);
};

}  // namespace parallax::probe
