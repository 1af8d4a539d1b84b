// The only place that builds real clocks, files, sockets and signal handlers.

#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/bundle_home.h"
#include "cli/commands.h"
#include "cli/world.h"

namespace parallax::cli {

namespace {

// Signals become stop requests: the handler's thread reads them with sigwait, so that no code of ours runs in a
// handler.
class SignalWatch {
 public:
  SignalWatch() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      sigaddset(&signals_, signal);
    }
    sigaddset(&signals_, kWake);
    // Every thread started later inherits the mask.
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  ~SignalWatch() {
    thread_.request_stop();
    // Wakes the thread; a signal of its own, so that none is taken for a wish of the user's.
    pthread_kill(thread_.native_handle(), kWake);
    thread_.join();
  }

  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  std::stop_token first() const { return first_.get_token(); }

  std::stop_token second() const { return second_.get_token(); }

 private:
  static constexpr int kWake = SIGUSR1;
  // timeout(1) and some supervisors signal a process and then its group: two at once are one wish, or machines would be
  // left running.
  static constexpr std::chrono::milliseconds kOneWish{200};

  void watch(const std::stop_token& stop) {
    std::chrono::steady_clock::time_point first_at;
    while (!stop.stop_requested()) {
      int signal = 0;
      if (sigwait(&signals_, &signal) != 0 || signal == kWake) {
        continue;
      }
      const auto now = std::chrono::steady_clock::now();
      if (first_.request_stop()) {
        first_at = now;
      } else if (now - first_at > kOneWish) {
        second_.request_stop();
      }
    }
  }

  sigset_t signals_{};
  std::stop_source first_;
  std::stop_source second_;
  std::jthread thread_;
};

std::string own_path() {
  std::array<char, 4096> buffer{};
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  return length > 0 ? std::string(buffer.data(), static_cast<std::size_t>(length)) : "parallax";
}

std::optional<std::string> environment(const std::string& name) {
  const char* value =
      std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing of ours changes the environment
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int finish(const Result<int>& result) {
  if (result) {
    return *result;
  }
  const Error& error = result.error();
  // What was under way when a signal came says only that it was cancelled.
  const bool bare = error.kind == ErrorKind::cancelled && error.text().find("interrupted") == std::string::npos;
  log::error(bare ? "interrupted: " + error.text() : error.text());
  return error.kind == ErrorKind::invalid ? 2 : error.kind == ErrorKind::cancelled ? 130 : 1;
}

int run(int argc, const char* const* argv) {
  const BundleHome bundle = enter_bundle();
  const Command root = make_commands();
  const Parsed parsed = parse_arguments(root, argc, argv);
  if (parsed.command == nullptr) {
    print(parsed.output);
    if (!parsed.problem.empty()) {
      log::error(parsed.problem);
    }
    return parsed.exit_code;
  }
  log::set_level(parsed.arguments.has("--quiet")     ? log::Level::quiet
                 : parsed.arguments.has("--verbose") ? log::Level::verbose
                                                     : log::Level::normal);
  const SignalWatch signals;
  const auto clock = make_system_clock();
  const auto rng = make_system_rng();
  const auto executor = make_thread_executor();
  const auto files = make_system_files();
  const auto http = http::make_curl_client(*clock, bundle.roots);
  World world{*clock,
              *rng,
              *executor,
              *files,
              *http,
              environment,
              signals.first(),
              signals.second(),
              bundle.program.empty() ? own_path() : bundle.program,
              ::isatty(STDERR_FILENO) == 1};
  if (world.terminal && ::isatty(STDIN_FILENO) == 1) {
    world.ask = [&world](const std::string& question) { return ask_terminal(question, world.stop); };
  }
  return finish(parsed.command->run(parsed.arguments, world));
}

}  // namespace

}  // namespace parallax::cli

int main(int argc, char** argv) {
  try {
    return parallax::cli::run(argc, argv);
  } catch (const std::exception& error) {
    parallax::log::error(std::string("a defect of parallax: ") + error.what());
    return 1;
  }
}
