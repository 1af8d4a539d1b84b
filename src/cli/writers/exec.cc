#include "cli/writers/exec.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/queue.h"
#include "base/text.h"

namespace parallax::cli {

namespace {

constexpr int kLookMs = 20;                             // between two looks at the queue, the pipes and the program
constexpr std::size_t kErrorLineMax = 4096;             // a longer line of its standard error is cut into pieces
constexpr std::size_t kErrorBytesPerLook = 64U << 10U;  // so that a chatterer does not keep us from feeding it

class Descriptor {
 public:
  ~Descriptor() { close(); }

  Descriptor() = default;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void own(int fd) { fd_ = fd; }

  int get() const { return fd_; }

  void close() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }

 private:
  int fd_ = -1;
};

// `sh -c command`, its standard input and error being pipes to us.
class Program {
 public:
  Result<> start(const std::string& command) {
    std::array<int, 2> in{};
    std::array<int, 2> err{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0) {
      return failed("a pipe", errno);
    }
    Descriptor theirs_in;
    theirs_in.own(in[0]);
    input.own(in[1]);
    if (::pipe2(err.data(), O_CLOEXEC) != 0) {
      return failed("a pipe", errno);
    }
    Descriptor theirs_err;
    errors.own(err[0]);
    theirs_err.own(err[1]);
    ::fcntl(input.get(), F_SETFL, O_NONBLOCK);   // NOLINT(cppcoreguidelines-pro-type-vararg)
    ::fcntl(errors.get(), F_SETFL, O_NONBLOCK);  // NOLINT(cppcoreguidelines-pro-type-vararg)
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs_in.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, theirs_err.get(), STDERR_FILENO);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t reset;
    sigemptyset(&none);
    sigemptyset(&reset);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
      sigaddset(&reset, signal);
    }
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &reset);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string shell = "sh";
    std::string option = "-c";
    std::string line = command;
    const std::array<char*, 4> words = {shell.data(), option.data(), line.data(), nullptr};
    const int number = ::posix_spawn(&pid_, "/bin/sh", &actions, &attributes, words.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    return number == 0 ? Result<>() : failed("/bin/sh", number);
  }

  ~Program() {
    if (pid_ > 0 && !status_) {
      signal_group(SIGKILL);
      int status = 0;
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
    }
  }

  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal_group(int signal) const { ::kill(-pid_, signal); }

  const std::optional<int>& poll() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = status;
    }
    return status_;
  }

  Descriptor input, errors;

 private:
  static Error failed(std::string_view what, int number) {
    return make_error(ErrorKind::invalid, fmt::format("--exec: {}: {}", what, std::generic_category().message(number)));
  }

  pid_t pid_ = 0;
  std::optional<int> status_;
};

class ExecWriter final : public MeasurementWriter {
 public:
  ExecWriter(std::string command, std::string undelivered, World& world, const ExecLimits& limits)
      : command_(std::move(command)),
        undelivered_(std::move(undelivered)),
        world_(world),
        limits_(limits),
        queue_(world.executor, limits.queue_max) {}

  ~ExecWriter() override {
    closed_ = true;
    queue_.close();
    if (task_) {
      task_->join();
    }
  }

  ExecWriter(const ExecWriter&) = delete;
  ExecWriter& operator=(const ExecWriter&) = delete;

  Result<> start() {
    TRY(program_.start(command_));
    task_ = world_.executor.spawn("exec", [this](const std::stop_token& /*own*/) { run(); });
    return {};
  }

  Result<> write(const Measurement& measurement) override {
    std::string line = to_json(measurement).dump() + "\n";
    // No wait: a slow program must not move the timetable.
    if (!queue_.push(line, world_.clock.monotonic(), {})) {
      keep(line);
    }
    return {};
  }

  Result<> finish() override {
    closed_ = true;
    queue_.close();
    task_->join();
    task_.reset();
    const MutexLock lock(mutex_);
    std::string problem = problem_;
    if (kept_ > 0) {
      problem += fmt::format(
          "{}{} records did not reach it; {}", problem.empty() ? "" : "; ", kept_,
          lost_ == 0 ? "they are in " + undelivered_ : fmt::format("{} could not be kept in {}", lost_, undelivered_));
    }
    if (problem.empty()) {
      return {};
    }
    return make_error(ErrorKind::unavailable, fmt::format("--exec '{}': {}", terminal_safe(command_, 200), problem));
  }

 private:
  void run() {
    std::optional<Monotonic> end_at;  // the limit of its end, from the last record on
    while (!program_.poll()) {
      read_errors();
      const bool closing = closed_;
      if (closing && !end_at) {
        end_at = world_.clock.monotonic() + limits_.end_wait;
      }
      if (end_at && (world_.clock.monotonic() >= *end_at || world_.hard_stop.stop_requested())) {
        break;
      }
      if (!line_) {
        line_ = queue_.pop(world_.clock.monotonic() + Millis(kLookMs), {});
        written_ = 0;
      }
      if (line_ ? !feed() : closing) {
        break;
      }
    }
    end(end_at.value_or(world_.clock.monotonic() + limits_.end_wait));
  }

  // Writes what the pipe takes. False: it reads no more.
  bool feed() {
    pollfd ready{program_.input.get(), POLLOUT, 0};
    if (::poll(&ready, 1, kLookMs) <= 0) {
      return true;
    }
    const ssize_t put = ::write(program_.input.get(), line_->data() + written_, line_->size() - written_);
    if (put < 0) {
      return errno == EINTR || errno == EAGAIN;
    }
    written_ += static_cast<std::size_t>(put);
    total_ += static_cast<std::uint64_t>(put);
    if (written_ == line_->size()) {
      sent_.emplace_back(total_, std::move(*line_));
      line_.reset();
      forget_read();
    }
    return true;
  }

  std::uint64_t unread() const {
    int bytes = 0;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
    return ::ioctl(program_.input.get(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
  }

  void forget_read() {
    const std::uint64_t read = total_ - unread();
    while (!sent_.empty() && sent_.front().first <= read) {
      sent_.pop_front();
    }
  }

  // Waits for its end, and sees to it; then what it has not read is kept.
  void end(Monotonic ask) {
    bool asked = false;
    while (!program_.poll()) {
      read_errors();
      // Its input ends once it has read all of it, so that we know what it has not.
      if (!is_input_closed_ && !line_ && unread() == 0) {
        program_.input.close();
        is_input_closed_ = true;
      }
      const Monotonic now = world_.clock.monotonic();
      if (!asked && (now >= ask || world_.hard_stop.stop_requested())) {
        asked = true;
        program_.signal_group(SIGTERM);
      }
      if (now >= ask + limits_.kill_wait) {
        program_.signal_group(SIGKILL);
      }
      static_cast<void>(world_.clock.sleep_for(Millis(kLookMs), {}));  // only the limits end this
    }
    read_errors();
    if (!error_line_.empty()) {
      tell(error_line_);
    }
    conclude(*program_.poll(), asked);
    if (!is_input_closed_) {
      forget_read();
      for (const auto& [end, line] : sent_) {
        keep(line);
      }
    }
    if (line_) {
      keep(*line_);
      line_.reset();
    }
    // Until the last record has come: none is lost for want of a reader.
    for (;;) {
      const bool closing = closed_;
      if (const std::optional<std::string> line = queue_.pop(world_.clock.monotonic() + Seconds(1), {})) {
        keep(*line);
      } else if (closing) {
        return;
      }
    }
  }

  void conclude(int status, bool asked) {
    std::string how;
    if (asked) {
      how = fmt::format("it did not end within {} of its last record and was ended", to_human(limits_.end_wait));
    } else if (WIFSIGNALED(status)) {
      how = fmt::format("it was ended by signal {}", WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
      how = fmt::format("it ended with status {}", WEXITSTATUS(status));
    } else if (!is_input_closed_) {
      how = "it ended before its last record";
    }
    if (!how.empty()) {
      log::error(fmt::format("--exec '{}': {}", terminal_safe(command_, 200), how));
    }
    const MutexLock lock(mutex_);
    problem_ = how;
  }

  void read_errors() {
    std::array<char, 4096> piece{};
    for (std::size_t sum = 0; sum < kErrorBytesPerLook;) {
      const ssize_t got = ::read(program_.errors.get(), piece.data(), piece.size());
      if (got <= 0) {
        return;
      }
      sum += static_cast<std::size_t>(got);
      for (ssize_t i = 0; i < got; ++i) {
        const char c = piece[static_cast<std::size_t>(i)];
        if (c != '\n') {
          error_line_ += c;
        }
        if (c == '\n' || error_line_.size() >= kErrorLineMax) {
          tell(error_line_);
          error_line_.clear();
        }
      }
    }
  }

  static void tell(std::string_view line) { log::error("--exec: " + terminal_safe(line, kErrorLineMax * 4)); }

  void keep(std::string_view line) {
    const MutexLock lock(mutex_);
    ++kept_;
    if (!file_) {
      Result<std::unique_ptr<AppendFile>> opened = world_.files.open_append(undelivered_, 0644);
      if (!opened) {
        ++lost_;
        return;
      }
      file_ = std::move(opened).value();
    }
    lost_ += file_->append(line) ? 0 : 1;
  }

  const std::string command_;
  const std::string undelivered_;
  World& world_;
  const ExecLimits limits_;
  BoundedQueue<std::string> queue_;
  std::atomic<bool> closed_ = false;  // no more records; set before the queue is closed

  // Of the task.
  Program program_;
  std::optional<std::string> line_;
  std::size_t written_ = 0;                                 // of line_
  std::uint64_t total_ = 0;                                 // bytes in the pipe so far
  std::deque<std::pair<std::uint64_t, std::string>> sent_;  // records that may not have been read, with their ends
  std::string error_line_;
  bool is_input_closed_ = false;

  Mutex mutex_;
  std::string problem_ GUARDED_BY(mutex_);
  std::unique_ptr<AppendFile> file_ GUARDED_BY(mutex_);
  std::int64_t kept_ GUARDED_BY(mutex_) = 0;
  std::int64_t lost_ GUARDED_BY(mutex_) = 0;

  std::unique_ptr<Task> task_;
};

}  // namespace

Result<std::unique_ptr<MeasurementWriter>> make_exec_writer(const std::string& command, std::string undelivered,
                                                            World& world, const ExecLimits& limits) {
  auto writer = std::make_unique<ExecWriter>(command, std::move(undelivered), world, limits);
  TRY(writer->start());
  return std::unique_ptr<MeasurementWriter>(std::move(writer));
}

}  // namespace parallax::cli
