// A std::mutex that clang's -Wthread-safety understands. No lock is held across a wait.
#pragma once

#include <mutex>

#if defined(__clang__)
#define PARALLAX_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define PARALLAX_THREAD_ATTRIBUTE(x)
#endif

#define GUARDED_BY(mutex) PARALLAX_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES(...) PARALLAX_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) PARALLAX_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace parallax {

class PARALLAX_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() PARALLAX_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }

  void unlock() PARALLAX_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class PARALLAX_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PARALLAX_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }

  ~MutexLock() PARALLAX_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace parallax
