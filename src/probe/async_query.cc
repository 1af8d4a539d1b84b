#include "probe/async_query.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "probe/async_job.h"
#include "probe/query.h"
#include "vo/uws_poll.h"

namespace parallax::probe {

namespace {

// How long a job that nobody deletes may stay, beyond the time that we give it.
constexpr Micros kDestructionMargin = Seconds(3600);
constexpr int kPollFailuresMax = 3;  // in a row
constexpr int kHeldMax = 3;          // RUN is said again so often
constexpr std::size_t kExcerptBytes = 500;

class AsyncQuery {
 public:
  AsyncQuery(const QueryContext& context, Micros time_left, JobJournal& journal, Measurement& measurement)
      : context_(context),
        budget_(std::min(time_left, context.options.limits.job)),
        ours_(time_left < context.options.limits.job),
        deadline_(context.clock.monotonic() + budget_),
        journal_(journal),
        m_(measurement),
        exchange_(context, time_left, measurement) {}

  QueryOutcome run(http::Request request) {
    if (submit(std::move(request))) {
      set_destruction();
      if (start() && wait()) {
        conclude_job();
      }
    }
    m_.total_us = m_.submit_us.value_or(0) + m_.run_us.value_or(0) + m_.wait_us.value_or(0) + m_.fetch_us.value_or(0);
    remove();
    return outcome_;
  }

 private:
  Micros left() const { return deadline_ - context_.clock.monotonic(); }

  // Before each request that the measurement is to tell of.
  bool begin() {
    if (left() <= Micros(0)) {
      conclude_time_out("the job's time was over");
      return false;
    }
    exchange_.begin(left(), ours_);
    return true;
  }

  bool submit(http::Request request) {
    const Result<http::Url> first = http::parse_url(request.url);
    if (!first) {
      exchange_.refuse("bad-url", first.error().message);
      return false;
    }
    origin_ = first->authority();
    exchange_.set_origin(origin_);
    const Result<std::int64_t> number = journal_.asking(request.url, m_.run_id);
    if (!number) {
      exchange_.refuse("job-journal", "a job must be written down before it is made: " + number.error().text());
      return false;
    }
    number_ = *number;
    if (!begin()) {
      return false;
    }
    const std::optional<Answer> answer = exchange_.ask_kept(std::move(request));
    m_.submit_us = m_.total_us;
    const std::optional<MadeJob> made =
        answer && answer->exchange.ok() ? made_job(answer->url, answer->exchange.response) : std::nullopt;
    if (!made) {
      not_made(answer);
      return false;
    }
    return take(*answer, *made);
  }

  void not_made(const std::optional<Answer>& answer) {
    if (answer && !answer->exchange.ok() && answer->exchange.transport.timings.send) {
      // The journal keeps it: the next start tells that there may be a job.
      exchange_.note("job-unknown", "the service may have made a job: its address never came, so nobody can delete it");
    } else {
      ignore(journal_.gone(number_), "a job that was never made is looked for once more");
    }
    if (answer) {
      conclude_failure(*answer, "the service made no job of it");
    }
  }

  bool take(const Answer& answer, const MadeJob& made) {
    if (!equals_ignore_case(made.url.host, answer.url.host)) {
      ignore(journal_.gone(number_), "it would only be told of");
      exchange_.refuse("job-elsewhere",
                       fmt::format("the job is on another host, {}: nothing was started or deleted there; name that "
                                   "host's URL in the service's entry",
                                   terminal_safe(made.url.host, 200)));
      return false;
    }
    job_ = made.url;
    m_.job_url = shortened_url(job_->text());
    if (!made.breach.empty()) {
      exchange_.note("job-creation", made.breach);
    }
    const Result<Instant> date = parse_http_date(answer.exchange.response.headers.get("Date"));
    server_now_ = date ? *date : context_.clock.now();
    if (const Result<> written = journal_.made(number_, job_->text()); !written) {
      exchange_.refuse("job-journal", "the job's address could not be written down: " + written.error().text());
      return false;
    }
    return true;
  }

  static std::string shortened_url(const std::string& url) { return url.substr(0, 8U << 10U); }

  // Counts in no phase: it is our own care for the server.
  void set_destruction() {
    Measurement scratch;
    QueryExchange exchange(context_, std::max(left(), Micros(1)), scratch);
    exchange.set_origin(origin_);
    const std::string time = to_iso8601_seconds(server_now_ + context_.options.limits.job + kDestructionMargin);
    const std::optional<Answer> answer = exchange.ask_kept(
        job_request("POST", job_part(*job_, "destruction"), context_.options, {{"DESTRUCTION", time}}));
    if (!answer || !answer->exchange.ok()) {
      exchange_.note("destruction-not-set", answer ? answer->exchange.error->message : scratch.message);
    } else if (answer->exchange.response.status >= 400) {
      exchange_.note("destruction-not-set", fmt::format("HTTP {}", answer->exchange.response.status));
    }
  }

  bool start() {
    if (!begin()) {
      return false;
    }
    const std::optional<Answer> answer =
        exchange_.ask_kept(job_request("POST", job_part(*job_, "phase"), context_.options, {{"PHASE", "RUN"}}));
    m_.run_us = m_.total_us;
    if (answer && (!answer->exchange.ok() || answer->exchange.response.status >= 400)) {
      conclude_failure(*answer, "the service did not run the job");
      return false;
    }
    return answer.has_value();
  }

  bool wait() {
    const Monotonic begun = context_.clock.monotonic();
    vo::PollLimits limits;
    limits.request_timeout = context_.options.limits.phases.first_byte;
    vo::PollSchedule schedule(limits);
    bool done = false;
    for (bool going_on = true; going_on && !done;) {
      going_on = poll(schedule);
      done = going_on && vo::is_final(phase_);
    }
    m_.wait_us = (context_.clock.monotonic() - begun).count();
    m_.polls = schedule.polls();
    return done;
  }

  // False: the query is over, and the measurement says why.
  bool poll(vo::PollSchedule& schedule) {
    const std::optional<vo::Poll> poll = schedule.next(phase_, left());
    if (!poll && left() > Micros(0)) {
      exchange_.refuse("poll-limit", fmt::format("the job was still {} after {} requests for its phase",
                                                 m_.job_phase.empty() ? "unknown" : m_.job_phase, schedule.polls()));
      return false;
    }
    const Micros sleep = std::min(std::max(poll ? poll->sleep : Micros(0), asked_to_wait_), left());
    if (poll && sleep > Micros(0) && !context_.clock.sleep_for(sleep, context_.stop)) {
      exchange_.refuse("interrupted", "the query was ended by a signal to the probe");
      return false;
    }
    if (!poll || !begin()) {
      conclude_time_out(fmt::format("the job was still {}", m_.job_phase.empty() ? "not seen" : m_.job_phase));
      return false;
    }
    m_.poll_gap_us = sleep.count();
    const Monotonic sent = context_.clock.monotonic();
    const http::Url url = job_poll(*job_, poll->wait_seconds, seen_ ? std::optional(phase_) : std::nullopt);
    const std::optional<Answer> answer = exchange_.ask_kept(job_request("GET", url, context_.options));
    if (!answer) {
      return false;
    }
    const bool goes_on = take_poll(*answer);
    schedule.answered(context_.clock.monotonic() - sent, phase_);
    return goes_on;
  }

  bool take_poll(const Answer& answer) {
    const http::Exchange& exchange = answer.exchange;
    asked_to_wait_ = Micros(0);
    const bool told = exchange.ok() && exchange.response.status < 400;
    const Result<vo::UwsJob> job =
        told ? vo::parse_uws_job(exchange.response.body) : make_error(ErrorKind::unavailable, "no document came");
    if (!job) {
      const bool interrupted = !exchange.ok() && exchange.error->kind == ErrorKind::cancelled;
      const bool out_of_time = left() <= Micros(0);
      if (!interrupted && !out_of_time && ++poll_failures_ < kPollFailuresMax) {
        exchange_.note("poll-failed", exchange.ok()
                                          ? fmt::format("HTTP {}: {}", exchange.response.status, job.error().message)
                                          : exchange.error->message);
        asked_to_wait_ = exchange.ok() ? exchange_.retry_after(exchange.response) : Micros(0);
        return true;
      }
      if (out_of_time && !interrupted) {
        conclude_time_out(fmt::format("the job was still {}", m_.job_phase.empty() ? "not seen" : m_.job_phase));
      } else {
        conclude_failure(answer, "the service no longer told the job's phase");
      }
      return false;
    }
    poll_failures_ = 0;
    seen_ = true;
    phase_ = job->phase;
    results_ = job->results;
    error_message_ = job->error_message;
    m_.job_phase = job->phase_text;
    m_.job_created_at = job->created;
    m_.job_started_at = job->started;
    m_.job_ended_at = job->ended;
    return phase_ != vo::UwsPhase::held || run_again();
  }

  // HELD: the server did not queue it, and wants to be asked again.
  bool run_again() {
    if (++held_ > kHeldMax) {
      return true;
    }
    if (held_ == 1) {
      exchange_.note("job-held", "the service held the job: it was told to run again");
    }
    const std::int64_t run_us = m_.run_us.value_or(0);
    const bool started = start();
    m_.run_us = run_us;  // it is part of the wait
    return started;
  }

  void conclude_job() {
    switch (phase_) {
      case vo::UwsPhase::completed:
        return fetch();
      case vo::UwsPhase::error:
        return tell_error();
      case vo::UwsPhase::aborted:
        return service_error("job-aborted", "the service aborted the job");
      default:
        return service_error("job-archived", "the job's results are gone already");
    }
  }

  void fetch() {
    if (!begin()) {
      return;
    }
    http::Request request = job_request("GET", vo::choose_result(*job_, results_), context_.options);
    if (!context_.service.accept_encoding.empty()) {
      request.headers.set("Accept-Encoding", context_.service.accept_encoding);
    }
    const std::optional<Answer> answer = exchange_.ask(std::move(request));
    m_.fetch_us = m_.total_us;
    if (!answer) {
      return;
    }
    outcome_ = exchange_.conclude(*answer);
    if (m_.verdict == Verdict::timeout && left() <= Micros(0)) {
      m_.limit_us = budget_.count();
    }
  }

  // The document has more than the summary, whatever the job says about it.
  void tell_error() {
    Measurement scratch;
    QueryExchange exchange(context_, std::clamp(left(), Micros(1), context_.options.limits.phases.total), scratch);
    exchange.set_origin(origin_);
    const std::optional<Answer> answer =
        exchange.ask_kept(job_request("GET", job_part(*job_, "error"), context_.options));
    std::string detail;
    if (answer && answer->exchange.ok() && answer->exchange.response.status == 200) {
      exchange.conclude(*answer);
      if (scratch.verdict == Verdict::service_error) {
        detail = scratch.message;
      } else if (const std::string_view type = answer->exchange.response.headers.find("Content-Type") == nullptr
                                                   ? std::string_view("text/plain")
                                                   : *answer->exchange.response.headers.find("Content-Type");
                 type.starts_with("text/plain")) {
        detail = std::string(trim(answer->exchange.response.body)).substr(0, kExcerptBytes);
      }
    }
    service_error("job-error", !detail.empty()           ? detail
                               : !error_message_.empty() ? error_message_
                                                         : "the job ended in ERROR and the service says no more");
  }

  void service_error(std::string code, std::string_view message) {
    exchange_.refuse(std::move(code), message);
    m_.verdict = Verdict::service_error;
  }

  // What came instead of a job, of a start or of a phase. A good table is no success there.
  void conclude_failure(const Answer& answer, std::string_view otherwise) {
    outcome_ = exchange_.conclude(answer);
    if (m_.verdict == Verdict::ok || m_.verdict == Verdict::overflow) {
      service_error("no-job", otherwise);
    }
    m_.rows.reset();
    m_.columns.reset();
  }

  void conclude_time_out(const std::string& message) {
    if (ours_) {
      exchange_.refuse("interrupted", "the order's deadline came before the job's end");
      return;
    }
    exchange_.refuse("job", message);
    m_.verdict = Verdict::timeout;
    m_.limit_us = budget_.count();
  }

  void remove() {
    if (!job_) {
      return;
    }
    const Monotonic begun = context_.clock.monotonic();
    const Result<> deleted = delete_job(context_, origin_, *job_);
    m_.delete_us = (context_.clock.monotonic() - begun).count();
    if (deleted) {
      ignore(journal_.gone(number_), "a job that is gone is looked for once more");
    } else {
      exchange_.note("job-not-deleted", deleted.error().message);
    }
  }

  const QueryContext context_;
  const Micros budget_;
  const bool ours_;  // the budget is the order's deadline, not the job's limit
  const Monotonic deadline_;
  JobJournal& journal_;
  Measurement& m_;
  QueryExchange exchange_;
  QueryOutcome outcome_;
  std::string origin_;  // authority of the service
  std::int64_t number_ = 0;
  std::optional<http::Url> job_;
  Instant server_now_;
  vo::UwsPhase phase_ = vo::UwsPhase::pending;
  bool seen_ = false;
  std::vector<vo::UwsResult> results_;
  std::string error_message_;
  Micros asked_to_wait_{0};
  int poll_failures_ = 0;
  int held_ = 0;
};

}  // namespace

QueryOutcome run_async_query(const QueryContext& context, const Cone& cone, Micros time_left, JobJournal& journal,
                             Measurement& measurement) {
  measurement.started_at = context.clock.now();
  Result<http::Request> request = build_request(context.service, cone, context.options);
  if (!request) {
    measurement.verdict = Verdict::refused;
    measurement.code = "bad-template";
    measurement.message = request.error().message;
    return {};
  }
  return AsyncQuery(context, time_left, journal, measurement).run(std::move(request).value());
}

}  // namespace parallax::probe
