#include <condition_variable>
#include <mutex>
#include <thread>
#include <time.h>

#include "base/executor.h"

namespace parallax {

namespace {

Monotonic boot_time() {
  timespec value{};
  CHECK(clock_gettime(CLOCK_BOOTTIME, &value) == 0, "clock_gettime failed");
  return Monotonic(Seconds(value.tv_sec) + Micros(value.tv_nsec / 1000));
}

class ThreadTask final : public Task {
 public:
  explicit ThreadTask(std::function<void(std::stop_token)> body) : thread_(std::move(body)) {}

  void request_stop() override { thread_.request_stop(); }

  void join() override {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  std::jthread thread_;
};

class ThreadEvent final : public Event {
 public:
  std::uint64_t ticket() const override {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  void notify() override {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }

  bool wait_until(std::uint64_t seen, Monotonic deadline, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    while (count_ == seen) {
      const Monotonic now = boot_time();
      if (now >= deadline || stop.stop_requested()) {
        return false;
      }
      changed_.wait_for(lock, stop, std::min<Micros>(deadline - now, Seconds(1)), [&] { return count_ != seen; });
    }
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t count_ = 0;
};

class ThreadExecutor final : public Executor {
 public:
  std::unique_ptr<Task> spawn(std::string /*name*/, std::function<void(std::stop_token)> body) override {
    return std::make_unique<ThreadTask>(std::move(body));
  }

  std::unique_ptr<Event> make_event() override { return std::make_unique<ThreadEvent>(); }
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor() {
  return std::make_unique<ThreadExecutor>();
}

}  // namespace parallax
