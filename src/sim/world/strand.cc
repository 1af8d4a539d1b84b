#include "sim/world/strand.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <utility>
#include <vector>

#include <boost/context/fiber.hpp>
#include <cxxabi.h>

#include "base/check.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kStackBytes = 512U << 10U;
constexpr std::size_t kGuardBytes = 4096;

// Stacks are kept for the next strand: mapping and unmapping one costs more than everything else a task does.
class StackPool {
 public:
  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  ~StackPool() {
    for (void* base : free_) {
      ::munmap(base, kGuardBytes + kStackBytes);
    }
  }

  void* take() {
    if (!free_.empty()) {
      void* base = free_.back();
      free_.pop_back();
      return base;
    }
    void* base = ::mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(base != MAP_FAILED, "no memory for a fiber's stack");
    CHECK(::mprotect(base, kGuardBytes, PROT_NONE) == 0, "no guard page for a fiber's stack");
    return base;
  }

  void give(void* base) { free_.push_back(base); }

 private:
  std::vector<void*> free_;
};

StackPool& stack_pool() {
  thread_local StackPool pool;
  return pool;
}

// The stack allocator that Boost.Context asks for.
struct PooledStack {
  static boost::context::stack_context allocate() {
    boost::context::stack_context stack;
    stack.size = kStackBytes;
    stack.sp = static_cast<char*>(stack_pool().take()) + kGuardBytes + kStackBytes;
    return stack;
  }

  static void deallocate(boost::context::stack_context& stack) {
    stack_pool().give(static_cast<char*>(stack.sp) - kStackBytes - kGuardBytes);
  }
};

// What the C++ runtime knows of exceptions in flight belongs to the stack, but is kept by thread: a switch in the
// middle of an unwinding (a destructor that waits) must carry it along. The layout is fixed by the Itanium C++ ABI.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  void swap_with_thread() {
    void* globals = abi::__cxa_get_globals();
    ExceptionState other;
    std::memcpy(&other, globals, sizeof other);
    std::memcpy(globals, this, sizeof *this);
    *this = other;
  }
};

class FiberStrand final : public Strand {
 public:
  explicit FiberStrand(std::function<void()> body)
      : body_(std::move(body)), fiber_(std::allocator_arg, PooledStack(), [this](boost::context::fiber&& scheduler) {
          scheduler_ = std::move(scheduler);
          body_();
          ended_ = true;
          return std::move(scheduler_);
        }) {}

  ~FiberStrand() override { CHECK(ended_ || !started_, "a fiber is destroyed in the middle"); }

  void resume() override {
    started_ = true;
    exceptions_.swap_with_thread();
    fiber_ = std::move(fiber_).resume();
    exceptions_.swap_with_thread();
  }

  void suspend() override { scheduler_ = std::move(scheduler_).resume(); }

  bool ended() const override { return ended_; }

 private:
  std::function<void()> body_;
  boost::context::fiber scheduler_;
  boost::context::fiber fiber_;
  ExceptionState exceptions_;
  bool started_ = false;
  bool ended_ = false;
};

class ThreadStrand final : public Strand {
 public:
  explicit ThreadStrand(std::function<void()> body)
      : body_(std::move(body)), thread_([this] {
          wait_for(Holder::body);
          if (!abandoned_) {
            body_();
          }
          ended_ = true;
          hand_to(Holder::scheduler);
        }) {}

  ~ThreadStrand() override {
    if (!started_) {
      abandoned_ = true;
      resume();
    }
    CHECK(ended_, "a strand is destroyed in the middle");
    thread_.join();
  }

  void resume() override {
    started_ = true;
    hand_to(Holder::body);
    wait_for(Holder::scheduler);
  }

  void suspend() override {
    hand_to(Holder::scheduler);
    wait_for(Holder::body);
  }

  bool ended() const override { return ended_; }

 private:
  enum class Holder { scheduler, body };

  void hand_to(Holder holder) {
    {
      const std::lock_guard lock(mutex_);
      holder_ = holder;
    }
    passed_.notify_all();
  }

  void wait_for(Holder holder) {
    std::unique_lock lock(mutex_);
    passed_.wait(lock, [&] { return holder_ == holder; });
  }

  const std::function<void()> body_;
  std::mutex mutex_;
  std::condition_variable passed_;
  Holder holder_ = Holder::scheduler;
  // Written and read by whoever holds the baton.
  bool started_ = false;
  bool abandoned_ = false;
  bool ended_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace

StrandKind default_strand_kind() {
#ifdef PARALLAX_SANITIZED
  return StrandKind::threads;
#else
  return StrandKind::fibers;
#endif
}

std::unique_ptr<Strand> make_strand(StrandKind kind, std::function<void()> body) {
  if (kind == StrandKind::threads) {
    return std::make_unique<ThreadStrand>(std::move(body));
  }
  return std::make_unique<FiberStrand>(std::move(body));
}

}  // namespace parallax::sim
