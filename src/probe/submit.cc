#include "probe/submit.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/sim_bugs.h"
#include "base/text.h"
#include "codec/gzip.h"
#include "codec/json.h"
#include "http/url.h"
#include "record/token.h"

namespace parallax {

namespace {

constexpr std::size_t kRefusalsShownMax = 20;
constexpr int kGzipLevel = 3;  // the machine is paid by the second, the bytes are few

bool is_loopback(std::string_view host) {
  // "127.example.org" is a name like any other.
  const bool is_number = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return equals_ignore_case(host, "localhost") || host == "::1" || (is_number && host.starts_with("127."));
}

std::string ingest_url(std::string_view base) {
  while (base.ends_with('/')) {
    base.remove_suffix(1);
  }
  return std::string(base) + "/api/v1/measurements";
}

// What the collector says in the body of an error, for a person.
std::string excerpt(const http::Response& response) {
  const std::string_view text = trim(response.body);
  return text.empty() ? "" : ": " + terminal_safe(text.substr(0, 200));
}

}  // namespace

Result<> check_collector_url(const std::string& url) {
  Result<http::Url> parsed = http::parse_url(url);
  if (!parsed) {
    return std::move(parsed).with_context("reading the collector's URL").error();
  }
  if (parsed->scheme == "http" && !is_loopback(parsed->host)) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("{}: a token is sent over https only (http goes to loopback alone): on the way it could "
                    "be read by anybody. Nothing was sent",
                    terminal_safe(url, 300)));
  }
  if (!parsed->query.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{}: the collector's URL has no '?'", terminal_safe(url, 300)));
  }
  return {};
}

Submitter::Submitter(SubmitOptions options, Clock& clock, Rng& rng, Executor& executor, http::Client& client,
                     Spool& spool)
    : options_(std::move(options)),
      clock_(clock),
      rng_(rng),
      client_(client),
      spool_(spool),
      changed_(executor.make_event()),
      batch_records_(options_.batch_records_max),
      batch_bytes_(options_.batch_bytes_max) {
  task_ = executor.spawn("submit", [this](const std::stop_token& stop) { run(stop); });
}

Submitter::~Submitter() = default;

void Submitter::notify() {
  changed_->notify();
}

SubmitReport Submitter::finish(const std::stop_token& stop) {
  {
    const MutexLock lock(mutex_);
    finishing_ = true;
    deadline_ = clock_.monotonic() + options_.flush_wait;
  }
  changed_->notify();
  {
    const std::stop_callback hurry(stop, [this] {
      {
        const MutexLock lock(mutex_);
        deadline_ = std::min(deadline_, clock_.monotonic() + options_.flush_wait_interrupted);
      }
      changed_->notify();
    });
    task_->join();
  }
  const MutexLock lock(mutex_);
  return report_;
}

bool Submitter::is_finishing(Monotonic* deadline) const {
  const MutexLock lock(mutex_);
  if (deadline != nullptr) {
    *deadline = finishing_ ? deadline_ : clock_.monotonic() + Seconds(3600);
  }
  return finishing_;
}

void Submitter::run(const std::stop_token& stop) {
  while (wait_for_work(stop)) {
    const Step step = send_batch(stop);
    if (step == Step::give_up) {
      return;
    }
    if (step == Step::wait) {
      ++failures_;
      if (!back_off(stop)) {
        return;
      }
    } else {
      failures_ = 0;
    }
  }
}

// False: nothing more to do, or no time left for it.
bool Submitter::wait_for_work(const std::stop_token& stop) {
  bool lingered = false;
  for (;;) {
    const std::uint64_t seen = changed_->ticket();
    Monotonic deadline;
    const bool finishing = is_finishing(&deadline);
    const bool has_work = !spool_.batch(1, 1).empty();
    if (finishing) {
      return has_work && clock_.monotonic() < deadline && !stop.stop_requested();
    }
    if (has_work && lingered) {
      return !stop.stop_requested();
    }
    if (stop.stop_requested()) {
      return false;
    }
    if (!has_work) {
      static_cast<void>(changed_->wait_until(seen, deadline, stop));
      continue;
    }
    // Gather more before the first byte goes; only the end of the run cuts that short.
    const Monotonic until = clock_.monotonic() + options_.linger;
    for (std::uint64_t ticket = seen; changed_->wait_until(ticket, until, stop) && !is_finishing(nullptr);) {
      ticket = changed_->ticket();
    }
    lingered = true;
  }
}

// False: stopped, or no time left.
bool Submitter::back_off(const std::stop_token& stop) {
  Micros delay = options_.backoff_first;
  for (int i = 1; i < failures_ && delay < options_.backoff_max; ++i) {
    delay *= 2;
  }
  delay = std::min(delay, options_.backoff_max);
  // Between half and the whole: vantages that lost the same collector do not come back at the same moment.
  delay = delay / 2 + Micros(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(delay.count() / 2 + 1))));
  const bool asked_to_wait = retry_after_ > delay;
  delay = std::max(delay, std::exchange(retry_after_, Micros(0)));
  const Monotonic until = clock_.monotonic() + delay;
  for (;;) {
    const std::uint64_t seen = changed_->ticket();
    Monotonic deadline;
    const bool finishing = is_finishing(&deadline);
    const Monotonic now = clock_.monotonic();
    if (stop.stop_requested() || now >= deadline || (finishing && until >= deadline && asked_to_wait)) {
      return false;
    }
    if (now >= until) {
      return true;
    }
    static_cast<void>(changed_->wait_until(seen, std::min(until, deadline), stop));
  }
}

Submitter::Step Submitter::send_batch(const std::stop_token& stop) {
  const std::vector<SpooledRecord> batch = spool_.batch(batch_records_, batch_bytes_);
  if (batch.empty()) {
    return Step::progress;
  }
  // What the collector has must not be lost here: after a power cut the same id would come with other content.
  if (const Result<> synced = spool_.sync(); !synced) {
    problem(Step::progress, synced.error().text());
  }
  std::string lines;
  for (const SpooledRecord& record : batch) {
    lines += record.line;
    lines += '\n';
  }
  http::Request request;
  request.method = "POST";
  request.url = ingest_url(options_.collector);
  request.headers.set("User-Agent", options_.user_agent);
  request.headers.set("Authorization", "Bearer " + options_.token);
  std::string earlier;
  for (const std::string& token : spool_.earlier_tokens(batch, options_.token)) {
    earlier += (earlier.empty() ? "" : " ") + token;
  }
  if (!earlier.empty()) {
    request.headers.set(std::string(kEarlierTokensHeader), earlier);
  }
  request.headers.set("Content-Type", "application/x-ndjson");
  request.headers.set("Content-Encoding", "gzip");
  request.headers.set("Accept", "application/json");
  request.body = gzip_compress(lines, kGzipLevel);
  http::SendOptions send;
  send.limits = options_.limits;
  Monotonic deadline;
  is_finishing(&deadline);
  send.limits.total = std::clamp(deadline - clock_.monotonic(), Micros(1), options_.limits.total);
  send.body_bytes_max = options_.answer_bytes_max;
  send.connection = http::ConnectionPolicy::reuse;
  send.ca_file = options_.ca_file;
  send.connect_to = options_.connect_to;
  const http::Exchange exchange = client_.send(request, send, stop);
  if (sim_bug(&SimBugs::drop_confirmed_check)) {
    for (const SpooledRecord& record : batch) {
      settle(record, Delivery::stored, "");
    }
    return Step::progress;
  }
  return take_answer(exchange, batch);
}

Submitter::Step Submitter::take_answer(const http::Exchange& exchange, const std::vector<SpooledRecord>& batch) {
  if (!exchange.ok()) {
    return problem(Step::wait, fmt::format("the collector cannot be reached: {}", exchange.error->text()));
  }
  const http::Response& response = exchange.response;
  if (response.status == 401 || response.status == 403) {
    {
      const MutexLock lock(mutex_);
      report_.denied = true;
    }
    return problem(Step::give_up, fmt::format("the collector does not accept this run's token (HTTP {}){}",
                                              response.status, excerpt(response)));
  }
  if (response.status == 413) {
    return split(batch);
  }
  if (response.status >= 200 && response.status < 300) {
    return take_outcomes(response.body, batch);
  }
  if (const std::string* wait = response.headers.find("Retry-After")) {
    std::int64_t seconds = 0;
    const auto [end, status] = std::from_chars(wait->data(), wait->data() + wait->size(), seconds);
    if (status == std::errc() && end == wait->data() + wait->size()) {
      retry_after_ = std::clamp<Micros>(Seconds(std::clamp<std::int64_t>(seconds, 0, 1'000'000)), Micros(0),
                                        options_.retry_after_max);
    } else if (const Result<Instant> date = parse_http_date(*wait)) {
      retry_after_ = std::clamp<Micros>(*date - clock_.now(), Micros(0), options_.retry_after_max);
    }
  }
  return problem(Step::wait, fmt::format("the collector answered HTTP {}{}", response.status, excerpt(response)));
}

// Too much at once for the collector.
Submitter::Step Submitter::split(const std::vector<SpooledRecord>& batch) {
  if (batch.size() == 1) {
    return settle(batch.front(), Delivery::refused, "the collector takes no record as large as this one (HTTP 413)");
  }
  batch_records_ = batch.size() / 2;
  return Step::again;
}

Submitter::Step Submitter::take_outcomes(const std::string& body, const std::vector<SpooledRecord>& batch) {
  const Result<Json> answer = parse_json(body);
  if (!answer) {
    return problem(Step::wait, fmt::format("the collector's answer cannot be read: {}", answer.error().message));
  }
  std::size_t confirmed = 0;
  Step worst = Step::progress;
  for (const Json& entry : answer->list("records")) {
    const std::int64_t line = entry.integer("line", 0);
    const std::optional<Delivery> delivery = parse_delivery(entry.text("outcome"));
    if (line < 1 || static_cast<std::size_t>(line) > batch.size() || !delivery) {
      continue;
    }
    const SpooledRecord& record = batch[static_cast<std::size_t>(line) - 1];
    if (entry.text("id") != record.id) {
      continue;
    }
    ++confirmed;
    if (settle(record, *delivery, entry.text("reason")) != Step::progress) {
      worst = Step::wait;
    }
  }
  if (confirmed < batch.size()) {
    return problem(Step::wait, fmt::format("the collector answered for {} of {} records", confirmed, batch.size()));
  }
  if (worst == Step::progress) {
    const MutexLock lock(mutex_);
    report_.last_problem.clear();
  }
  return worst;
}

Submitter::Step Submitter::settle(const SpooledRecord& record, Delivery delivery, const std::string& reason) {
  const Result<> settled = spool_.settle(record, delivery, reason);
  if (delivery == Delivery::refused || delivery == Delivery::conflict) {
    const MutexLock lock(mutex_);
    if (report_.refusals.size() < kRefusalsShownMax) {
      report_.refusals.push_back(fmt::format("{}: {}: {}", record.id, to_string(delivery), terminal_safe(reason, 300)));
    }
  }
  // Only a refused record that could not be moved is still there; anything else was delivered all the same.
  if (!settled && delivery == Delivery::refused) {
    return problem(Step::wait, settled.error().text());
  }
  return Step::progress;
}

Submitter::Step Submitter::problem(Step step, std::string text) {
  const MutexLock lock(mutex_);
  report_.last_problem = std::move(text);
  return step;
}

}  // namespace parallax
