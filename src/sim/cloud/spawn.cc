#include "sim/cloud/spawn.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace parallax::sim {

namespace {

constexpr int kExecFailedExitCode = 126;

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return make_error(ErrorKind::unavailable, fmt::format("making a pipe: errno {}", errno));
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    out.push_back(const_cast<char*>(text.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast): execve's type
  }
  out.push_back(nullptr);
  return out;
}

// Between fork and exec: calls that are safe after a fork of a program with threads, nothing else.
[[noreturn]] void become(int parent, int out, int err, const char* directory, char* const* argv, char* const* env) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(kExecFailedExitCode);  // our parent died before the line above
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
    ::signal(signal, SIG_DFL);
  }
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0 || ::chdir(directory) != 0) {
    ::_exit(kExecFailedExitCode);
  }
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  ::execve(argv[0], argv, env);
  ::_exit(kExecFailedExitCode);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

int Descriptor::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

Result<ChildProcess> spawn_process(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                                   const std::string& working_directory) {
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> variables = pointers(environment);
  const int parent = ::getpid();
  const int pid = ::fork();
  if (pid < 0) {
    return make_error(ErrorKind::unavailable, fmt::format("fork: errno {}", errno));
  }
  if (pid == 0) {
    become(parent, out.write.get(), err.write.get(), working_directory.c_str(), arguments.data(), variables.data());
  }
  ChildProcess child;
  child.pid = pid;
  child.exited = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  child.out = std::move(out.read);
  child.err = std::move(err.read);
  return child;
}

std::optional<int> reap(int pid) {
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) {
    return std::nullopt;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool drain(const Descriptor& from, std::string& kept, std::size_t keep_max) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got > 0) {
      const std::size_t room = keep_max - std::min(keep_max, kept.size());
      kept.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
      continue;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    return got < 0 && errno == EAGAIN;
  }
}

}  // namespace parallax::sim
