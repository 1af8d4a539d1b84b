// Starts a process that dies with us: its own session, output into pipes, nothing of ours inherited.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace parallax::sim {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;

  explicit Descriptor(int fd) : fd_(fd) {}

  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}

  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() { reset(); }

  int get() const { return fd_; }

  explicit operator bool() const { return fd_ >= 0; }

  void reset();
  int release();

 private:
  int fd_ = -1;
};

struct ChildProcess {
  int pid = 0;        // also its session and process group
  Descriptor exited;  // a pidfd: readable once the process has ended
  Descriptor out;     // not blocking
  Descriptor err;
};

// Runs argv[0] (a path) with exactly `environment` ("NAME=value"). The child is killed when the calling THREAD ends, so
// call this on one that lives as long as the child. Error: unavailable.
Result<ChildProcess> spawn_process(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                                   const std::string& working_directory);

// Reaps the child if it has ended: its exit code, or 128 + the signal. nullopt: still running.
std::optional<int> reap(int pid);

// Reads what is there, keeps at most `keep_max` bytes in `kept`. False at the end of the file.
bool drain(const Descriptor& from, std::string& kept, std::size_t keep_max);

}  // namespace parallax::sim
