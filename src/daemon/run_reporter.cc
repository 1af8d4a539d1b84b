#include "daemon/run_reporter.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::daemon {

namespace {

constexpr Micros kFirstPause{Millis(500)};
constexpr Micros kLongestPause{Seconds(10)};
constexpr Micros kForever{std::chrono::hours(24 * 365)};

http::PhaseLimits quick_limits() {
  http::PhaseLimits limits;
  limits.connect = Seconds(5);
  limits.first_byte = Seconds(10);
  limits.total = Seconds(20);
  return limits;
}

}  // namespace

RunReporter::RunReporter(http::Client& client, Clock& clock, Executor& executor, RunReporterOptions options)
    : client_(client), clock_(clock), options_(std::move(options)), changed_(executor.make_event()) {
  task_ = executor.spawn("run-reporter", [this](const std::stop_token& stop) { send_loop(stop); });
}

RunReporter::~RunReporter() {
  task_->request_stop();
  task_->join();
}

void RunReporter::report(const Run& run) {
  {
    const MutexLock lock(mutex_);
    waiting_[run.run_id] = run;
  }
  changed_->notify();
}

Result<> RunReporter::flush(Monotonic deadline, std::stop_token stop) {
  for (;;) {
    const std::uint64_t seen = changed_->ticket();
    {
      const MutexLock lock(mutex_);
      if (waiting_.empty() && !sending_) {
        return {};
      }
    }
    if (!changed_->wait_until(seen, deadline, stop)) {
      const MutexLock lock(mutex_);
      return make_error(ErrorKind::unavailable,
                        fmt::format("{} run records did not reach {}: {}", waiting_.size() + (sending_ ? 1 : 0),
                                    options_.collector, problem_.empty() ? "no answer yet" : problem_));
    }
  }
}

void RunReporter::send_loop(const std::stop_token& stop) {
  Micros pause = kFirstPause;
  while (!stop.stop_requested()) {
    const std::uint64_t seen = changed_->ticket();
    std::map<std::string, Run> batch;
    {
      const MutexLock lock(mutex_);
      batch.swap(waiting_);
      sending_ = !batch.empty();
    }
    if (batch.empty()) {
      changed_->wait_until(seen, clock_.monotonic() + kForever, stop);
      continue;
    }
    const Result<> sent = send(batch, stop);
    {
      const MutexLock lock(mutex_);
      sending_ = false;
      if (!sent) {
        problem_ = sent.error().text();
        waiting_.merge(batch);  // keeps a newer state that came meanwhile
      }
    }
    changed_->notify();
    if (sent) {
      pause = kFirstPause;
    } else {
      clock_.sleep_for(pause, stop);
      pause = std::min(pause * 2, kLongestPause);
    }
  }
}

Result<> RunReporter::send(const std::map<std::string, Run>& runs, const std::stop_token& stop) {
  http::Request request;
  request.method = "POST";
  request.url = options_.collector + "/api/v1/runs";
  request.headers.set("Authorization", "Bearer " + options_.token);
  request.headers.set("Content-Type", "application/x-ndjson");
  request.headers.set("User-Agent", options_.user_agent);
  for (const auto& [id, run] : runs) {
    request.body += to_json(run).dump() + "\n";
  }
  http::SendOptions options;
  options.limits = quick_limits();
  options.body_bytes_max = 1U << 20U;
  options.ca_file = options_.ca_file;
  const http::Exchange exchange = client_.send(request, options, stop);
  if (!exchange.ok()) {
    return *exchange.error;
  }
  if (exchange.response.status != 200) {
    return make_error(ErrorKind::unavailable,
                      fmt::format("HTTP {}: {}", exchange.response.status, terminal_safe(exchange.response.body, 300)));
  }
  return {};
}

}  // namespace parallax::daemon
