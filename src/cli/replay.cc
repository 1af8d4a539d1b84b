#include "cli/replay.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/mutex.h"
#include "base/text.h"
#include "http/url.h"
#include "probe/async_query.h"
#include "probe/job_slots.h"
#include "probe/provider_queue.h"
#include "probe/query.h"

namespace parallax::cli {

namespace {

using probe::ProviderQueue;

constexpr int kWorkersMax = 64;  // at one provider

const Service* listed(const ReplayOptions& options, const Measurement& m) {
  if (!options.services) {
    return nullptr;
  }
  const std::vector<Service>& list = options.services->services;
  const auto found = std::find_if(list.begin(), list.end(), [&](const Service& service) {
    return service.name == m.service && to_string(service.type) == m.type &&
           (m.provider.empty() || service.provider == m.provider);
  });
  return found == list.end() ? nullptr : &*found;
}

bool opted_out(const ReplayOptions& options, const Measurement& m) {
  if (!options.services) {
    return false;
  }
  const std::vector<Service>& list = options.services->opted_out;
  return std::any_of(list.begin(), list.end(), [&](const Service& service) {
    return (service.name == m.service && (m.provider.empty() || service.provider == m.provider)) ||
           (!m.provider.empty() && service.provider == m.provider);
  });
}

// "https://h/tap/sync" to "https://h/tap". Empty where the URL is no synchronous or asynchronous endpoint.
std::string tap_base(const std::string& url) {
  for (const std::string_view end : {"/sync", "/async"}) {
    if (url.size() > end.size() && url.ends_with(end)) {
      return url.substr(0, url.size() - end.size());
    }
  }
  return url;
}

// What only the list knows of a TAP query: the record has its URL and its ADQL.
void take_listed(const Service& known, const Measurement& m, Service& service) {
  service.accept_encoding = known.accept_encoding;
  service.private_redirects = known.private_redirects;
  if (service.type == ServiceType::tap && (m.definition.empty() || m.definition == known.definition())) {
    service.maxrec = known.maxrec;
    service.response_format = known.response_format;
    service.parameters = known.parameters;
  }
}

Result<Service> service_of(const Measurement& m, const ReplayOptions& options) {
  const auto cannot = [](std::string why) { return make_error(ErrorKind::invalid, std::move(why)); };
  if (m.url.empty()) {
    return cannot("the row has no URL");
  }
  const http::Url url = TRY(http::parse_url(m.url));
  if (opted_out(options, m)) {
    return cannot("the provider has opted out");
  }
  Service service;
  service.name = m.service;
  service.provider = m.provider.empty() ? url.host : m.provider;
  service.type = m.type == "tap" ? ServiceType::tap : ServiceType::xcone;  // without a template: the URL as it is
  service.url = service.type == ServiceType::tap ? tap_base(m.url) : m.url;
  service.adql = m.query;
  service.mode = m.mode == "async" && !options.async_as_sync ? TapMode::async : TapMode::sync;
  if (service.type == ServiceType::tap && service.adql.empty()) {
    return cannot("the row has no ADQL");
  }
  if (service.url.find('{') != std::string::npos || service.adql.find('{') != std::string::npos) {
    return cannot("a brace in URL or ADQL would be taken for a placeholder");
  }
  if (const Service* known = listed(options, m)) {
    service.provider = known->provider;
    take_listed(*known, m, service);
  }
  return service;
}

std::optional<Instant> time_of(const Measurement& m) {
  return m.scheduled_at ? m.scheduled_at : m.started_at;
}

void set_offsets(ReplayPlan& plan, const ReplayOptions& options) {
  std::optional<Instant> first;
  for (const ReplayQuery& query : plan.queries) {
    const std::optional<Instant> time = time_of(query.asked);
    first = time && (!first || *time < *first) ? time : first;
  }
  constexpr double kOffsetMax = 3.15e13;  // a year
  for (ReplayQuery& query : plan.queries) {
    const std::optional<Instant> time = time_of(query.asked);
    if (options.speed && time && first) {
      const double gap = static_cast<double>((*time - *first).count()) / *options.speed;
      query.offset = Micros(std::llround(std::min(gap, kOffsetMax)));
    }
  }
  std::stable_sort(plan.queries.begin(), plan.queries.end(),
                   [](const ReplayQuery& a, const ReplayQuery& b) { return a.offset < b.offset; });
}

void set_providers(ReplayPlan& plan, const ReplayOptions& options) {
  for (const ReplayQuery& query : plan.queries) {
    const std::string& name = query.service.provider;
    const auto is_it = [&](const Provider& provider) { return provider.name == name; };
    if (std::any_of(plan.providers.begin(), plan.providers.end(), is_it)) {
      continue;
    }
    Provider provider{.name = name};
    if (options.services) {
      const std::vector<Provider>& known = options.services->providers;
      const auto found = std::find_if(known.begin(), known.end(), is_it);
      provider = found == known.end() ? provider : *found;
    }
    plan.providers.push_back(std::move(provider));
  }
}

class Replay {
 public:
  Replay(const ReplayPlan& plan, const Order& naming, const ProbeOptions& options, const ProbeDeps& deps,
         const Progress& progress, const std::stop_token& stop)
      : plan_(plan), naming_(naming), options_(options), deps_(deps), progress_(progress), stop_(stop) {}

  ProbeOutcome run() {
    begin_ = deps_.clock.monotonic();
    wall_ = deps_.clock.now();
    std::vector<std::unique_ptr<ProviderQueue>> queues;
    for (const Provider& provider : plan_.providers) {
      queues.push_back(std::make_unique<ProviderQueue>(timetable_of(provider), begin_, wall_, Monotonic::max()));
    }
    std::vector<std::unique_ptr<probe::JobSlots>> slots;
    std::vector<std::unique_ptr<Task>> tasks;
    for (const auto& queue : queues) {
      slots.push_back(std::make_unique<probe::JobSlots>(deps_.executor, queue->provider().async_jobs));
      probe::JobSlots& jobs = *slots.back();
      const auto workers = std::min<std::size_t>(
          queue->size(), static_cast<std::size_t>(std::clamp(queue->provider().parallel, 1, kWorkersMax)));
      for (std::size_t i = 0; i < workers; ++i) {
        tasks.push_back(
            deps_.executor.spawn("replay-" + queue->provider().name,
                                 [this, &queue, &jobs](const std::stop_token& /*own*/) { work(*queue, jobs); }));
      }
    }
    for (const auto& task : tasks) {
      task->join();
    }
    return conclude();
  }

 private:
  ProviderTimetable timetable_of(const Provider& provider) const {
    ProviderTimetable table;
    table.provider = provider;
    table.interval = Micros(static_cast<std::int64_t>(1e6 / provider.queries_per_second));
    for (std::size_t i = 0; i < plan_.queries.size(); ++i) {
      if (plan_.queries[i].service.provider == provider.name) {
        PlannedQuery query;
        query.sequence = static_cast<std::int64_t>(i);
        query.service = i;
        query.offset = plan_.queries[i].offset;
        table.queries.push_back(query);
      }
    }
    return table;
  }

  bool is_job(const PlannedQuery& query) const {
    const Service& service = plan_.queries[query.service].service;
    return service.type == ServiceType::tap && service.mode == TapMode::async;
  }

  void work(ProviderQueue& queue, probe::JobSlots& jobs) {
    while (!stop_.stop_requested()) {
      std::optional<ProviderQueue::Turn> turn = queue.next(deps_.clock.monotonic());
      if (!turn) {
        return;
      }
      const bool needs_slot = turn->missed == nullptr && is_job(turn->query);
      const probe::JobSlots::Holder slot = needs_slot ? jobs.take(Monotonic::max(), stop_) : probe::JobSlots::Holder();
      do {
        if (turn->missed == nullptr && !deps_.clock.sleep_until(turn->start, stop_)) {
          return;
        }
      } while (turn->missed == nullptr && queue.moved(*turn, deps_.clock.monotonic()));
      ask_one(*turn, queue);
    }
  }

  // Who asks, and what; as the row names it.
  Measurement skeleton(const ReplayQuery& query, std::int64_t sequence) const {
    Measurement m;
    ignore(describe_query(query.service, query.cone, 0, m), "run_query says what is wrong");
    m.run_id = naming_.run_id;
    m.round_id = naming_.round_id;
    m.fleet = naming_.fleet;
    m.vantage = naming_.vantage;
    m.sequence = sequence;
    m.id = measurement_id(m.run_id, m.sequence);
    m.build = options_.build;
    m.connection = to_string(ConnectionSeries::cold);
    m.scheduled_at = wall_ + query.offset;
    m.started_at = deps_.clock.now();
    m.type = query.asked.type;
    m.definition = query.asked.definition;
    m.cone_index = query.asked.cone_index;
    m.ra = query.asked.ra;
    m.dec = query.asked.dec;
    m.radius = query.asked.radius;
    return m;
  }

  void ask_one(const ProviderQueue::Turn& turn, ProviderQueue& queue) {
    const ReplayQuery& query = plan_.queries[turn.query.service];
    Measurement m = skeleton(query, turn.query.sequence);
    if (turn.missed != nullptr) {
      m.verdict = Verdict::refused;
      m.code = turn.missed;
      m.message = "the provider's own rules (quiet hours, opt-out) forbid it now";
    } else {
      m.late_us = (deps_.clock.monotonic() - (begin_ + query.offset)).count();
      const QueryOutcome result =
          is_job(turn.query) ? probe::run_async_query(
                                   {query.service, options_.query, deps_.clock, deps_.executor, deps_.client, stop_},
                                   query.cone, Micros::max(), *journal_, m)
                             : run_query(query.service, query.cone, options_.query, Micros::max(), deps_.clock,
                                         deps_.executor, deps_.client, stop_, m);
      if (result.throttled || m.http_status == 503) {
        queue.throttled(result.retry_after, deps_.clock.monotonic());
      } else if (m.http_status && *m.http_status < 500) {
        queue.answered();
      }
    }
    const MutexLock lock(mutex_);
    outcome_.asked += turn.missed == nullptr ? 1 : 0;
    ++outcome_.by_verdict[static_cast<std::size_t>(m.verdict)];
    progress_(m);
  }

  ProbeOutcome conclude() {
    const MutexLock lock(mutex_);
    ProbeOutcome& o = outcome_;
    o.planned = static_cast<std::int64_t>(plan_.queries.size());
    o.interrupted = stop_.stop_requested();
    o.exit_code = o.interrupted                                         ? ExitCode::interrupted
                  : o.successes() == 0                                  ? ExitCode::failed
                  : o.successes() < o.planned || !plan_.skipped.empty() ? ExitCode::in_part
                                                                        : ExitCode::done;
    return o;
  }

  const ReplayPlan& plan_;
  const Order& naming_;
  const ProbeOptions& options_;
  const ProbeDeps& deps_;
  const Progress& progress_;
  const std::stop_token stop_;
  Monotonic begin_;
  Instant wall_;
  const std::unique_ptr<probe::JobJournal> journal_ = probe::JobJournal::in_memory(deps_.clock);
  Mutex mutex_;
  ProbeOutcome outcome_ GUARDED_BY(mutex_);
};

}  // namespace

ReplayPlan plan_replay(const Results& results, const ReplayOptions& options) {
  ReplayPlan plan;
  plan.skipped = results.unread;
  for (const ResultRow& row : results.rows) {
    Result<Service> service = service_of(row.m, options);
    if (!service) {
      plan.skipped.push_back({row.line, service.error().message});
      continue;
    }
    const Cone cone{row.m.ra.value_or(0), row.m.dec.value_or(0), row.m.radius.value_or(0)};
    plan.queries.push_back({row.line, std::move(service).value(), cone, Micros(0), row.m});
  }
  std::stable_sort(plan.skipped.begin(), plan.skipped.end(),
                   [](const UnreadRow& a, const UnreadRow& b) { return a.line < b.line; });
  set_offsets(plan, options);
  set_providers(plan, options);
  return plan;
}

ProbeOutcome run_replay(const ReplayPlan& plan, const Order& naming, const ProbeOptions& options, const ProbeDeps& deps,
                        const Progress& progress, const std::stop_token& stop) {
  return Replay(plan, naming, options, deps, progress, stop).run();
}

}  // namespace parallax::cli
