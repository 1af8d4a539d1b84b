#include "probe/probe.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/mutex.h"
#include "probe/async_query.h"
#include "probe/cones.h"
#include "probe/job_slots.h"
#include "probe/pause_listener.h"
#include "probe/provider_queue.h"
#include "probe/timetable.h"

namespace parallax {

namespace {

using probe::ProviderQueue;

constexpr int kWorkersMax = 64;  // at one provider

// Of a query that was not asked.
std::string_view why(std::string_view code) {
  if (code == "deadline") {
    return "the order's deadline came before this query's turn";
  }
  if (code == "opted-out") {
    return "the provider does not want to be measured (opt_out)";
  }
  return code == "quiet-hours" ? "the provider's quiet hours last beyond this query's turn"
                               : "the vantage's turn at this provider was over";
}

class Probe {
 public:
  Probe(const Order& order, const ProbeOptions& options, const ProbeDeps& deps, const Progress& progress,
        std::stop_token stop)
      : order_(order), options_(options), deps_(deps), progress_(progress), stop_(std::move(stop)) {}

  ProbeOutcome run() {
    if (Result<> prepared = prepare(); !prepared) {
      const MutexLock lock(mutex_);
      outcome_.problem = prepared.error().text();
      outcome_.exit_code = prepared.error().kind == ErrorKind::invalid ? ExitCode::wrong_usage : ExitCode::failed;
      return outcome_;
    }
    std::unique_ptr<Task> cleaning = clean_up();
    ask_all();
    listener_.reset();
    cleaning->join();
    settle_jobs();
    if (Result<> ended = spool_->end_run(); !ended) {
      fail(ended.error().text());
    }
    if (submitter_) {
      const SubmitReport report = submitter_->finish(stop_);
      const MutexLock lock(mutex_);
      outcome_.submit = report;
    }
    const MutexLock lock(mutex_);
    outcome_.spool = spool_->counts();
    conclude();
    return outcome_;
  }

 private:
  Result<> prepare() {
    if (order_.services.empty()) {
      return make_error(ErrorKind::invalid, "the order names no service; nothing was asked");
    }
    if (!order_.collector.empty()) {
      TRY(check_collector_url(order_.collector));
      if (options_.spool_directory.empty()) {
        return make_error(ErrorKind::invalid, "an order with a collector needs a spool directory; nothing was asked");
      }
    }
    TRY(refuse_unknown());
    cones_ = order_.cone_list.empty() ? make_cones(order_.cones) : order_.cone_list;
    spool_ = options_.spool_directory.empty()
                 ? Spool::in_memory(deps_.clock, options_.spool)
                 : TRY(Spool::open(deps_.files, deps_.clock, options_.spool_directory, order_.run_id, options_.spool));
    jobs_ = options_.spool_directory.empty()
                ? probe::JobJournal::in_memory(deps_.clock)
                : TRY(probe::JobJournal::open(deps_.files, deps_.clock, options_.spool_directory));
    TRY(spool_->begin_run(order_.run_id, order_.token));
    if (!order_.collector.empty()) {
      SubmitOptions submit = options_.submit;
      submit.collector = order_.collector;
      submit.token = order_.token;
      submit.user_agent = user_agent(options_.query);
      listening_ = submit;
      submitter_ =
          std::make_unique<Submitter>(std::move(submit), deps_.clock, deps_.rng, deps_.executor, deps_.client, *spool_);
    }
    return {};
  }

  // What an order may say and this probe cannot do yet: never ignored.
  Result<> refuse_unknown() const {
    if (order_.connection != ConnectionSeries::cold) {
      return make_error(ErrorKind::invalid, fmt::format("connection '{}' is not supported yet; nothing was asked",
                                                        to_string(order_.connection)));
    }
    if (order_.deep) {
      return make_error(ErrorKind::invalid, "deep is not supported yet; nothing was asked");
    }
    return {};
  }

  probe::LeftJobsContext context() const { return {options_.query, deps_.clock, deps_.executor, deps_.client}; }

  // What an earlier start left on servers, beside the asking.
  std::unique_ptr<Task> clean_up() {
    return deps_.executor.spawn("probe-jobs", [this, left = jobs_->open_jobs()](const std::stop_token& /*own*/) {
      const probe::LeftJobs jobs = probe::delete_left_jobs(*jobs_, left, context(), stop_);
      const MutexLock lock(mutex_);
      outcome_.jobs_before = jobs;
    });
  }

  // Once more what could not be deleted at its time.
  void settle_jobs() {
    const probe::LeftJobs jobs = probe::delete_left_jobs(*jobs_, jobs_->open_jobs(), context(), stop_);
    ignore(jobs_->settle(), "jobs that are gone are looked for once more at the next start");
    const MutexLock lock(mutex_);
    outcome_.jobs_after = jobs;
  }

  void ask_all() {
    const Instant now = deps_.clock.now();
    const Monotonic monotonic = deps_.clock.monotonic();
    begin_ = order_.begin_at ? monotonic + (*order_.begin_at - now) : monotonic;
    wall_ = now - (monotonic - begin_);
    deadline_ = order_.deadline ? monotonic + (*order_.deadline - now) : Monotonic::max();
    for (ProviderTimetable& table : make_timetable(order_, cones_.size())) {
      std::erase_if(table.queries, [this](const PlannedQuery& query) { return is_resumed(query); });
      slots_.push_back(std::make_unique<probe::JobSlots>(deps_.executor, table.provider.async_jobs));
      queues_.push_back(std::make_unique<ProviderQueue>(std::move(table), begin_, wall_, deadline_));
    }
    if (listening_) {
      listener_ = std::make_unique<probe::PauseListener>(
          *listening_, deps_.clock, deps_.executor, deps_.client,
          [this](const std::string& provider, Micros wait) { pause(provider, wait); });
    }
    std::vector<std::unique_ptr<Task>> tasks;
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      const auto& queue = queues_[q];
      probe::JobSlots& slots = *slots_[q];
      const std::size_t workers = std::min<std::size_t>(
          queue->size(), static_cast<std::size_t>(std::clamp(queue->provider().parallel, 1, kWorkersMax)));
      for (std::size_t i = 0; i < workers; ++i) {
        tasks.push_back(
            deps_.executor.spawn("probe-" + queue->provider().name,
                                 [this, &queue, &slots](const std::stop_token& /*own*/) { work(*queue, slots); }));
      }
    }
    for (const auto& task : tasks) {
      task->join();
    }
  }

  bool is_resumed(const PlannedQuery& query) {
    const std::optional<Verdict> verdict = spool_->done(query.sequence);
    const MutexLock lock(mutex_);
    ++outcome_.planned;
    if (verdict) {
      ++outcome_.resumed;
      ++outcome_.by_verdict[static_cast<std::size_t>(*verdict)];
    }
    return verdict.has_value();
  }

  void pause(const std::string& provider, Micros wait) {
    for (const auto& queue : queues_) {
      if (queue->provider().name == provider) {
        queue->pause_until(deps_.clock.monotonic() + wait);
      }
    }
  }

  void work(ProviderQueue& queue, probe::JobSlots& slots) {
    while (!stop_.stop_requested() && !spool_failed_) {
      std::optional<ProviderQueue::Turn> turn = queue.next(deps_.clock.monotonic());
      if (!turn) {
        return;
      }
      const bool needs_slot = turn->missed == nullptr && is_job(turn->query);
      const probe::JobSlots::Holder slot = needs_slot ? slots.take(deadline_, stop_) : probe::JobSlots::Holder();
      // A pause may move the start again and again; the order's deadline or the service's patience ends that.
      do {
        if (turn->missed == nullptr && !deps_.clock.sleep_until(turn->start, stop_)) {
          return;
        }
      } while (turn->missed == nullptr && queue.moved(*turn, deps_.clock.monotonic()));
      ask_one(*turn, queue);
    }
  }

  bool is_job(const PlannedQuery& query) const {
    return order_.services[query.service].type == ServiceType::tap && query.mode == TapMode::async;
  }

  // In the one of its modes that is asked now: each is a series of its own.
  Service service_of(const PlannedQuery& query) const {
    Service service = order_.services[query.service];
    service.mode = query.mode;
    return service;
  }

  QueryOutcome query(const Service& service, const Cone& cone, bool job, Measurement& m) {
    const Micros time_left = deadline_ == Monotonic::max() ? Micros::max() : deadline_ - deps_.clock.monotonic();
    if (job) {
      return probe::run_async_query({service, options_.query, deps_.clock, deps_.executor, deps_.client, stop_}, cone,
                                    time_left, *jobs_, m);
    }
    return run_query(service, cone, options_.query, time_left, deps_.clock, deps_.executor, deps_.client, stop_, m);
  }

  void ask_one(const ProviderQueue::Turn& turn, ProviderQueue& queue) {
    const Service service = service_of(turn.query);
    const Cone& cone = cones_[turn.query.cone];
    Measurement m = skeleton(turn.query, service, cone);
    if (turn.missed != nullptr) {
      m.code = turn.missed;
      m.message = why(turn.missed);
      record(m);
      return;
    }
    if (const Result<> written = spool_->intent(m); !written) {
      fail(written.error().text());
      return;
    }
    m.code.clear();
    m.message.clear();
    {
      const MutexLock lock(mutex_);
      ++outcome_.asked;
    }
    m.late_us = (deps_.clock.monotonic() - (begin_ + turn.query.offset)).count();
    const QueryOutcome result = query(service, cone, is_job(turn.query), m);
    // 503 without Retry-After is the service's failure, and as good a reason to come less often.
    if (result.throttled || m.http_status == 503) {
      m.retry_after_us = result.retry_after > Micros(0) ? std::optional(result.retry_after.count()) : std::nullopt;
      queue.throttled(result.retry_after, deps_.clock.monotonic());
    } else if (m.http_status && *m.http_status < 500) {
      queue.answered();
    }
    record(m);
  }

  // As it would stand if the process died now.
  Measurement skeleton(const PlannedQuery& query, const Service& service, const Cone& cone) const {
    Measurement m;
    m.run_id = order_.run_id;
    m.sequence = query.sequence;
    m.id = measurement_id(m.run_id, m.sequence);
    m.round_id = order_.round_id;
    m.fleet = order_.fleet;
    m.vantage = order_.vantage;
    m.instance_id = order_.instance_id;
    m.instance_type = order_.instance_type;
    m.connection = to_string(query.connection);
    m.position = order_.position;
    m.build = options_.build;
    m.scheduled_at = wall_ + query.offset;
    m.started_at = deps_.clock.now();
    ignore(describe_query(service, cone, query.cone, m), "run_query says what is wrong with the template");
    m.verdict = Verdict::refused;
    m.code = "probe-killed";
    m.message = "the probe died while this query was running";
    return m;
  }

  void record(const Measurement& m) {
    const Result<> written = spool_->record(m);
    if (!written) {
      fail(written.error().text());
    }
    {
      const MutexLock lock(mutex_);
      ++outcome_.by_verdict[static_cast<std::size_t>(m.verdict)];
      if (progress_) {
        progress_(m);
      }
    }
    if (submitter_) {
      submitter_->notify();
    }
  }

  // Never measure what cannot be kept.
  void fail(std::string problem) {
    spool_failed_ = true;
    const MutexLock lock(mutex_);
    if (outcome_.problem.empty()) {
      outcome_.problem = std::move(problem);
    }
  }

  void conclude() REQUIRES(mutex_) {
    ProbeOutcome& o = outcome_;
    std::int64_t recorded = 0;
    for (const std::int64_t count : o.by_verdict) {
      recorded += count;
    }
    o.unasked = o.planned - recorded;
    o.interrupted = stop_.stop_requested();
    if (o.interrupted) {
      o.exit_code = ExitCode::interrupted;
    } else if (!o.problem.empty() || (o.planned > 0 && o.successes() == 0)) {
      o.exit_code = ExitCode::failed;
    } else if (submitter_ && o.spool.pending > 0) {
      o.exit_code = ExitCode::in_spool;
    } else if (o.successes() < o.planned || o.rejected() > 0) {
      o.exit_code = ExitCode::in_part;
    }
  }

  const Order& order_;
  const ProbeOptions& options_;
  const ProbeDeps& deps_;
  const Progress& progress_;
  const std::stop_token stop_;
  std::vector<Cone> cones_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<probe::JobJournal> jobs_;
  std::unique_ptr<Submitter> submitter_;
  std::optional<SubmitOptions> listening_;  // where there is a collector
  std::vector<std::unique_ptr<ProviderQueue>> queues_;
  std::vector<std::unique_ptr<probe::JobSlots>> slots_;  // of each of these
  std::unique_ptr<probe::PauseListener> listener_;
  Monotonic begin_, deadline_;
  Instant wall_;  // begin_ as an instant
  std::atomic<bool> spool_failed_ = false;
  Mutex mutex_;
  ProbeOutcome outcome_ GUARDED_BY(mutex_);
};

}  // namespace

std::int64_t ProbeOutcome::successes() const {
  return by_verdict[static_cast<std::size_t>(Verdict::ok)] + by_verdict[static_cast<std::size_t>(Verdict::overflow)];
}

std::int64_t ProbeOutcome::stored() const {
  return spool.by_delivery[static_cast<std::size_t>(Delivery::stored)] +
         spool.by_delivery[static_cast<std::size_t>(Delivery::duplicate)];
}

std::int64_t ProbeOutcome::rejected() const {
  return spool.by_delivery[static_cast<std::size_t>(Delivery::refused)];
}

ProbeOutcome run_probe(const Order& order, const ProbeOptions& options, const ProbeDeps& deps, const Progress& progress,
                       std::stop_token stop) {
  return Probe(order, options, deps, progress, std::move(stop)).run();
}

Result<SendOutcome> spool_send(const std::string& directory, const SubmitOptions& options, const ProbeDeps& deps,
                               std::stop_token stop) {
  TRY(check_collector_url(options.collector));
  const std::unique_ptr<Spool> spool = TRY(Spool::open(deps.files, deps.clock, directory, ""));
  Submitter submitter(options, deps.clock, deps.rng, deps.executor, deps.client, *spool);
  SendOutcome outcome;
  outcome.submit = submitter.finish(stop);
  outcome.spool = spool->counts();
  return outcome;
}

}  // namespace parallax
