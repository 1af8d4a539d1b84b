#include "cli/run_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

namespace {

// How often stop, limit and the end of the program are looked for.
constexpr int kPollMs = 20;

Error os_error(std::string_view program, std::string_view what, int number) {
  return make_error(ErrorKind::invalid, fmt::format("{}: cannot {}: {}", terminal_safe(program, 200), what,
                                                    std::generic_category().message(number)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}

  ~Descriptor() { close(); }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

  void close() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }

 private:
  int fd_;
};

// A child in a process group of its own; ends with this object at the latest.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}

  ~Child() {
    if (!status_) {
      kill_group();
      int status = 0;
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
    }
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill_group() const { ::kill(-pid_, SIGKILL); }

  // The wait status once it has ended.
  std::optional<int> poll() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = status;
      kill_group();  // what it left behind
    }
    return status_;
  }

 private:
  const pid_t pid_;
  std::optional<int> status_;
};

// posix_spawn's settings, freed on scope exit.
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawnattr_init(&attributes_);
    // Our own signal mask and dispositions (ignored SIGPIPE, blocked SIGINT) are not its business.
    sigset_t none;
    sigset_t reset;
    sigemptyset(&none);
    sigemptyset(&reset);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
      sigaddset(&reset, signal);
    }
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &reset);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }

  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Result<pid_t> spawn(const std::vector<std::string>& argv, int output) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  const SpawnSettings settings(output);
  pid_t pid = 0;
  const int number =
      ::posix_spawnp(&pid, pointers.front(), settings.actions(), settings.attributes(), pointers.data(), ::environ);
  return number == 0 ? Result<pid_t>(pid) : Result<pid_t>(os_error(argv.front(), "be started", number));
}

// Reads what is there; false at the end of the output.
Result<bool> read_some(int fd, std::string& output, std::string_view program) {
  pollfd ready{fd, POLLIN, 0};
  if (::poll(&ready, 1, kPollMs) <= 0) {
    return true;
  }
  std::array<char, 4096> piece{};
  const ssize_t got = ::read(fd, piece.data(), piece.size());
  if (got < 0) {
    return errno == EINTR || errno == EAGAIN;
  }
  output.append(piece.data(), static_cast<std::size_t>(got));
  if (output.size() > kProcessOutputBytesMax) {
    return make_error(ErrorKind::refused, fmt::format("{} printed more than {} bytes", terminal_safe(program, 200),
                                                      kProcessOutputBytesMax));
  }
  return got > 0;
}

Result<std::string> finish(int status, std::string output, std::string_view program) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return output;
  }
  Error error = make_error(
      ErrorKind::unavailable,
      WIFEXITED(status) ? fmt::format("{} ended with status {}", terminal_safe(program, 200), WEXITSTATUS(status))
                        : fmt::format("{} was ended by signal {}", terminal_safe(program, 200), WTERMSIG(status)));
  error.code = "process-failed";
  return error;
}

}  // namespace

Result<std::string> run_process(Clock& clock, const std::vector<std::string>& argv, Micros limit,
                                std::stop_token stop) {
  if (argv.empty() || argv.front().empty()) {
    return make_error(ErrorKind::invalid, "there is no program to run");
  }
  const std::string& program = argv.front();
  const Monotonic deadline = clock.monotonic() + limit;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return os_error(program, "be given a pipe", errno);
  }
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  Child child(TRY(spawn(argv, writing.get())));
  writing.close();
  std::string output;
  for (bool is_open = true;;) {
    if (is_open) {
      is_open = TRY(read_some(reading.get(), output, program));
    } else if (const std::optional<int> status = child.poll()) {
      return finish(*status, std::move(output), program);
    } else if (!clock.sleep_for(Millis(kPollMs), stop)) {
      return make_error(ErrorKind::cancelled, "cancelled");
    }
    if (stop.stop_requested()) {
      return make_error(ErrorKind::cancelled, "cancelled");
    }
    if (clock.monotonic() >= deadline) {
      return make_error(ErrorKind::timeout,
                        fmt::format("{} did not end within {}", terminal_safe(program, 200), to_human(limit)));
    }
  }
}

}  // namespace parallax::cli
