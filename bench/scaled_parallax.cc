// The whole program, `parallax`, with a clock that runs N times as quickly: every poll, pause and time-out is N times
// shorter. Beside `parallax sim aws --time-scale N --scale-all` minutes of waiting are measured in seconds. UTC stays
// true: signatures and AWS's own stamps are compared with it.
//
//   scaled_parallax N COMMAND...       as parallax COMMAND...

#include <charconv>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/log.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/world.h"

namespace parallax::cli {

namespace {

class ScaledClock final : public Clock {
 public:
  explicit ScaledClock(std::int64_t scale) : scale_(scale), real_(make_system_clock()), began_(real_->monotonic()) {}

  Instant now() const override { return real_->now(); }

  Monotonic monotonic() const override { return began_ + (real_->monotonic() - began_) * scale_; }

  bool sleep_until(Monotonic deadline, std::stop_token stop) override {
    return real_->sleep_until(real(deadline), std::move(stop));
  }

  // The system's clock at that moment of ours.
  Monotonic real(Monotonic scaled) const {
    return scaled == Monotonic::max() ? scaled : began_ + (scaled - began_) / scale_;
  }

 private:
  const std::int64_t scale_;
  const std::unique_ptr<Clock> real_;
  const Monotonic began_;
};

class ScaledEvent final : public Event {
 public:
  ScaledEvent(const ScaledClock& clock, std::unique_ptr<Event> real) : clock_(clock), real_(std::move(real)) {}

  std::uint64_t ticket() const override { return real_->ticket(); }

  void notify() override { real_->notify(); }

  bool wait_until(std::uint64_t seen, Monotonic deadline, std::stop_token stop) override {
    return real_->wait_until(seen, clock_.real(deadline), std::move(stop));
  }

 private:
  const ScaledClock& clock_;
  const std::unique_ptr<Event> real_;
};

class ScaledExecutor final : public Executor {
 public:
  explicit ScaledExecutor(const ScaledClock& clock) : clock_(clock), real_(make_thread_executor()) {}

  std::unique_ptr<Task> spawn(std::string name, std::function<void(std::stop_token)> body) override {
    return real_->spawn(std::move(name), std::move(body));
  }

  std::unique_ptr<Event> make_event() override { return std::make_unique<ScaledEvent>(clock_, real_->make_event()); }

 private:
  const ScaledClock& clock_;
  const std::unique_ptr<Executor> real_;
};

std::optional<std::string> environment(const std::string& name) {
  const char* value =
      std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing of ours changes the environment
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int run(int argc, const char* const* argv) {
  constexpr std::int64_t kScaleMax = 10'000;
  std::int64_t scale = 0;
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (std::from_chars(word.data(), word.data() + word.size(), scale).ec != std::errc() || scale < 1 ||
      scale > kScaleMax) {
    log::error("arguments: N COMMAND..., N from 1 to 10000");
    return 2;
  }
  const Command root = make_commands();
  const Parsed parsed = parse_arguments(root, argc - 1, argv + 1);
  if (parsed.command == nullptr) {
    print(parsed.output);
    log::error(parsed.problem);
    return parsed.exit_code;
  }
  ScaledClock clock(scale);
  ScaledExecutor executor(clock);
  const auto rng = make_system_rng();
  const auto files = make_system_files();
  const auto http = http::make_curl_client(clock);
  World world{clock, *rng, executor, *files, *http, environment, {}, {}, "scaled_parallax", false};
  const Result<int> result = parsed.command->run(parsed.arguments, world);
  if (!result) {
    log::error(result.error().text());
    return result.error().kind == ErrorKind::invalid ? 2 : 1;
  }
  return *result;
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
