#include "sim/vo/uws_service.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "http/url.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kFieldsMax = 200;
constexpr Micros kRetention = Seconds(172'800);
constexpr Micros kWaitStep = Seconds(1);  // how soon a wait sees what another request did to the job

std::string to_upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else if (c == '"') {
      safe += "&quot;";
    } else {
      safe += c;
    }
  }
  return safe;
}

http::Response text_answer(int status, std::string body, std::string type = "text/plain") {
  http::Response response{status, {}, std::move(body)};
  response.headers.set("Content-Type", std::move(type));
  return response;
}

http::Response no_such_job(std::string_view id) {
  return text_answer(404, fmt::format("There is no job '{}'.\n", id));
}

bool is_over(std::string_view phase) {
  return phase == "COMPLETED" || phase == "ERROR" || phase == "ABORTED" || phase == "ARCHIVED";
}

// UWS 1.1 blocks in these alone.
bool blocks(std::string_view phase) {
  return phase == "PENDING" || phase == "QUEUED" || phase == "EXECUTING";
}

std::string field(const std::map<std::string, std::string>& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

// Whole seconds; -1 stands for "as long as you like". Nothing where it is no integer, as "10.0".
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return text.empty() || error != std::errc() || end != text.data() + text.size() ? std::nullopt : std::optional(value);
}

// Elements with the prefix of the script.
class Elements {
 public:
  explicit Elements(std::string prefix) : prefix_(prefix.empty() ? "" : std::move(prefix) + ":") {}

  std::string open(std::string_view name, std::string_view attributes = "") const {
    return fmt::format("<{}{}{}{}>", prefix_, name, attributes.empty() ? "" : " ", attributes);
  }

  std::string close(std::string_view name) const { return fmt::format("</{}{}>", prefix_, name); }

  std::string text(std::string_view name, std::string_view value, std::string_view attributes = "") const {
    return open(name, attributes) + escaped(value) + close(name);
  }

  std::string time(std::string_view name, const std::optional<Instant>& value) const {
    return value ? text(name, to_iso8601(*value)) : open(name, "xsi:nil=\"true\"") + close(name);
  }

 private:
  const std::string prefix_;
};

std::string root_attributes(const UwsScript& script) {
  std::string attributes =
      "xmlns:xlink=\"http://www.w3.org/1999/xlink\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
  if (script.version != "1.0") {
    attributes += fmt::format(" version=\"{}\"", escaped(script.version));
  }
  if (script.names_space || !script.prefix.empty()) {
    attributes +=
        fmt::format(" xmlns{}{}=\"http://www.ivoa.net/xml/UWS/v1.0\"", script.prefix.empty() ? "" : ":", script.prefix);
  }
  return attributes;
}

}  // namespace

UwsService::UwsService(Clock& clock, UwsScript script, std::function<http::Response(const http::Request&)> run)
    : clock_(clock), script_(std::move(script)), run_(std::move(run)) {}

bool UwsService::owns(std::string_view target) const {
  const std::string_view path = target.substr(0, target.find('?'));
  return path == script_.path || (path.starts_with(script_.path) && path.substr(script_.path.size()).starts_with('/'));
}

http::Response UwsService::handle(const http::Request& request) {
  if (!owns(request.url)) {
    return text_answer(404, fmt::format("The jobs are at {}.\n", script_.path));
  }
  const std::size_t mark = request.url.find('?');
  const std::string query = mark == std::string::npos ? "" : request.url.substr(mark + 1);
  const bool has_form = request.method == "POST" && !request.body.empty();
  const auto decoded =
      http::form_decode(has_form ? query + (query.empty() ? "" : "&") + request.body : query, kFieldsMax);
  if (!decoded) {
    return text_answer(400, decoded.error().message + "\n");
  }
  const std::string_view path = std::string_view(request.url).substr(0, mark);
  std::string_view below = path.substr(script_.path.size());
  below.remove_prefix(below.empty() ? 0 : 1);
  const std::size_t slash = below.find('/');
  Asked asked{request,
              std::string(below.substr(0, slash)),
              slash == std::string_view::npos ? "" : std::string(below.substr(slash + 1)),
              {}};
  for (const auto& [name, value] : *decoded) {
    asked.fields[to_upper(name)] = value;
  }
  if (asked.id.empty()) {
    return request.method == "POST" ? create(asked) : list(asked);
  }
  if (request.method == "DELETE") {
    return asked.rest.empty() ? remove(asked) : text_answer(405, "Only a job can be deleted.\n");
  }
  if (request.method == "POST") {
    return change(asked);
  }
  if (asked.rest.empty() || asked.rest == "phase") {
    return poll(asked);
  }
  return asked.rest == "results/result" ? result(asked) : read(asked);
}

http::Response UwsService::create(const Asked& asked) {
  const MutexLock lock(mutex_);
  if (script_.create_status >= 400) {
    return text_answer(script_.create_status, "No jobs today.\n");
  }
  const auto existing = std::ranges::count_if(jobs_, [](const Job& job) { return job.seen.exists; });
  if (static_cast<std::size_t>(existing) >= script_.jobs_max) {
    http::Response full = text_answer(503, "Too many jobs.\n");
    full.headers.set("Retry-After", "60");
    return full;
  }
  Job job;
  job.seen.id = fmt::format("j{}", jobs_.size() + 1);
  job.seen.fields = asked.fields;
  job.created = clock_.now();
  job.destruction = job.created + kRetention;
  jobs_.push_back(std::move(job));
  Job& made = jobs_.back();
  if (script_.runs_at_creation && field(asked.fields, "PHASE") == "RUN") {
    start(made, asked.request);
  }
  http::Response response = see_other(asked.request, made.seen.id);
  response.status = script_.create_status;
  if (!script_.location) {
    response.headers.remove("Location");
  }
  if (response.status < 300) {
    response.headers.set("Content-Type", "text/xml");
    response.body = document(made, asked.request);
  }
  return response;
}

http::Response UwsService::list(const Asked& asked) const {
  const Elements xml(script_.prefix);
  std::string body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + xml.open("jobs", root_attributes(script_));
  const MutexLock lock(mutex_);
  const std::optional<std::int64_t> last = whole_number(field(asked.fields, "LAST"));
  std::int64_t left = last.value_or(static_cast<std::int64_t>(jobs_.size()));
  for (auto job = jobs_.rbegin(); job != jobs_.rend() && left > 0; ++job) {
    if (job->seen.exists) {
      Job copy = *job;
      body += xml.open("jobref", fmt::format("id=\"{}\"", copy.seen.id)) + xml.text("phase", phase_of(copy)) +
              xml.close("jobref");
      --left;
    }
  }
  return text_answer(200, body + xml.close("jobs") + "\n", "text/xml");
}

http::Response UwsService::poll(const Asked& asked) {
  std::string known;
  {
    const MutexLock lock(mutex_);
    Job* job = find(asked.id);
    if (job == nullptr) {
      return no_such_job(asked.id);
    }
    ++job->seen.polls;
    if (script_.polls_until_gone > 0 && job->seen.polls > script_.polls_until_gone) {
      job->seen.exists = false;
      return no_such_job(asked.id);
    }
    if (job->seen.polls <= script_.failing_polls) {
      return text_answer(503, "Come again.\n");
    }
    known = phase_of(*job);
  }
  const std::optional<std::int64_t> seconds = whole_number(field(asked.fields, "WAIT"));
  const std::string phase = field(asked.fields, "PHASE");
  // PHASE names the phase that the client knows; where it is another one already there is nothing to wait for.
  const bool is_known = phase.empty() || phase == "current" || to_upper(phase) == known;
  if (seconds && script_.waits && script_.version != "1.0" && is_known && blocks(known)) {
    const Micros asked_for =
        *seconds < 0 ? script_.wait_max : Micros(Seconds(std::min<std::int64_t>(*seconds, 86'400)));
    wait(asked.id, known, clock_.monotonic() + std::min(asked_for, script_.wait_max));
  }
  const MutexLock lock(mutex_);
  Job* job = find(asked.id);
  if (job == nullptr) {
    return no_such_job(asked.id);
  }
  return asked.rest.empty() ? text_answer(200, document(*job, asked.request), "text/xml")
                            : text_answer(200, phase_of(*job) + "\r\n");
}

void UwsService::wait(const std::string& id, const std::string& known, Monotonic until) {
  for (;;) {
    Monotonic wake = until;
    {
      const MutexLock lock(mutex_);
      Job* job = find(id);
      if (job == nullptr || phase_of(*job) != known) {
        return;
      }
      wake = std::min(wake, next_change(*job).value_or(until));
    }
    const Monotonic now = clock_.monotonic();
    if (now >= until || !clock_.sleep_until(std::min(wake, now + kWaitStep), {})) {
      return;
    }
  }
}

http::Response UwsService::change(const Asked& asked) {
  if (asked.rest.empty() && to_upper(field(asked.fields, "ACTION")) == "DELETE") {
    return script_.deletes_by_action ? remove(asked) : text_answer(405, "ACTION is not known here.\n");
  }
  const MutexLock lock(mutex_);
  Job* job = find(asked.id);
  if (job == nullptr) {
    return no_such_job(asked.id);
  }
  if (asked.rest == "phase") {
    const std::string phase = to_upper(field(asked.fields, "PHASE"));
    if (phase == "RUN") {
      start(*job, asked.request);
    } else if (phase == "ABORT") {
      job->aborted = !is_over(phase_of(*job));
      job->ended = clock_.now();
    } else {
      return text_answer(400, fmt::format("PHASE must be RUN or ABORT, not '{}'.\n", phase));
    }
  } else if (asked.rest == "destruction") {
    const Result<Instant> time = parse_iso8601(field(asked.fields, "DESTRUCTION"));
    if (!script_.sets_destruction || !time) {
      return text_answer(script_.sets_destruction ? 400 : 403, "This destruction time is not taken.\n");
    }
    job->destruction = *time;
    job->seen.destruction = *time;
  } else if (asked.rest == "executionduration") {
    const std::optional<std::int64_t> seconds = whole_number(field(asked.fields, "EXECUTIONDURATION"));
    if (!seconds || *seconds < 0) {
      return text_answer(400, "EXECUTIONDURATION must be a number of seconds.\n");
    }
    job->execution_seconds = *seconds;
  } else {
    return text_answer(404, "Nothing to change here.\n");
  }
  return see_other(asked.request, asked.id);
}

http::Response UwsService::remove(const Asked& asked) {
  const MutexLock lock(mutex_);
  Job* job = find(asked.id);
  if (job == nullptr) {
    return no_such_job(asked.id);
  }
  if (asked.request.method == "DELETE" && script_.delete_status >= 400) {
    return text_answer(script_.delete_status, "DELETE is not for you.\n");
  }
  job->seen.exists = false;
  http::Response response = see_other(asked.request, "");
  response.status = script_.delete_status < 400 ? script_.delete_status : 303;
  return response;
}

http::Response UwsService::result(const Asked& asked) {
  if (script_.result_delay > Micros(0)) {
    clock_.sleep_for(script_.result_delay, {});
  }
  const MutexLock lock(mutex_);
  Job* job = find(asked.id);
  if (job == nullptr || phase_of(*job) != "COMPLETED") {
    return text_answer(404, fmt::format("The job '{}' has no result.\n", asked.id));
  }
  ++job->seen.fetches;
  return job->result;
}

http::Response UwsService::read(const Asked& asked) {
  const MutexLock lock(mutex_);
  Job* job = find(asked.id);
  if (job == nullptr) {
    return no_such_job(asked.id);
  }
  const std::string& what = asked.rest;
  if (what == "destruction" || what == "quote") {
    return text_answer(200, to_iso8601(job->destruction) + "\r\n");
  }
  if (what == "executionduration") {
    return text_answer(200, fmt::format("{}\r\n", job->execution_seconds));
  }
  if (what == "owner") {
    return text_answer(200, "");
  }
  if (what == "results" || what == "parameters") {
    return text_answer(200, document(*job, asked.request), "text/xml");
  }
  if (what == "error" && phase_of(*job) == "ERROR") {
    http::Response error = job->result;
    error.status = 200;  // as TAP has it
    return error;
  }
  return text_answer(404, fmt::format("The job has no '{}'.\n", what));
}

UwsService::Job* UwsService::find(const std::string& id) {
  const auto job = std::ranges::find_if(jobs_, [&](const Job& j) { return j.seen.id == id && j.seen.exists; });
  if (job == jobs_.end()) {
    return nullptr;
  }
  job->seen.exists = clock_.now() < job->destruction;
  return job->seen.exists ? &*job : nullptr;
}

std::string UwsService::phase_of(Job& job) const {
  if (job.aborted) {
    return "ABORTED";
  }
  if (!job.begun) {
    return "PENDING";
  }
  const Monotonic now = clock_.monotonic();
  Monotonic at = *job.begun;
  std::size_t step = job.first_step;
  for (;; ++step) {
    const JobStep& here = script_.steps[step];
    const Instant since = clock_.now() - (now - at);
    if (here.phase == "EXECUTING" && !job.started) {
      job.started = since;
    }
    if (is_over(here.phase) && !job.ended) {
      job.ended = since;
    }
    if (step + 1 == script_.steps.size() || here.phase == "HELD" || now - at < here.lasts) {
      return here.phase == "COMPLETED" && job.failed ? "ERROR" : here.phase;
    }
    at += here.lasts;
  }
}

std::optional<Monotonic> UwsService::next_change(const Job& job) const {
  if (!job.begun || job.aborted) {
    return std::nullopt;
  }
  const Monotonic now = clock_.monotonic();
  Monotonic at = *job.begun;
  for (std::size_t step = job.first_step; step + 1 < script_.steps.size(); ++step) {
    if (script_.steps[step].phase == "HELD") {
      return std::nullopt;
    }
    at += script_.steps[step].lasts;
    if (at > now) {
      return at;
    }
  }
  return std::nullopt;
}

void UwsService::start(Job& job, const http::Request& request) {
  ++job.seen.runs;
  if (!job.begun) {
    http::Request query = request;
    query.method = "POST";
    query.url = script_.path;
    std::vector<std::pair<std::string, std::string>> form;
    for (const auto& [name, value] : job.seen.fields) {
      if (name != "PHASE") {
        form.emplace_back(name, value);
      }
    }
    query.body = http::form_encode(form);
    job.result = run_(query);
    job.failed =
        job.result.status >= 400 || job.result.body.find("name=\"QUERY_STATUS\" value=\"ERROR\"") != std::string::npos;
    job.begun = clock_.monotonic();
  } else if (phase_of(job) == "HELD") {
    const auto held = std::find_if(script_.steps.begin() + static_cast<std::ptrdiff_t>(job.first_step),
                                   script_.steps.end(), [](const JobStep& step) { return step.phase == "HELD"; });
    const auto next = static_cast<std::size_t>(held - script_.steps.begin()) + 1;
    if (next < script_.steps.size()) {
      job.first_step = next;
      job.begun = clock_.monotonic();
    }
  }
}

std::string UwsService::document(Job& job, const http::Request& request) const {
  const Elements xml(script_.prefix);
  const std::string phase = phase_of(job);
  std::string body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + xml.open("job", root_attributes(script_)) +
                     xml.text("jobId", job.seen.id) + xml.open("ownerId", "xsi:nil=\"true\"") + xml.close("ownerId") +
                     xml.text("phase", phase) + xml.time("quote", std::nullopt);
  if (script_.version != "1.0") {
    body += xml.time("creationTime", job.created);
  }
  body += xml.time("startTime", job.started) + xml.time("endTime", job.ended) +
          xml.text("executionDuration", std::to_string(job.execution_seconds)) +
          xml.time("destruction", job.destruction) + xml.open("parameters");
  for (const auto& [name, value] : job.seen.fields) {
    body += xml.text("parameter", value, fmt::format("id=\"{}\"", escaped(to_lower(name))));
  }
  body += xml.close("parameters") + xml.open("results");
  const auto add = [&](std::string_view id, std::string_view href) {
    body += xml.open("result", fmt::format("id=\"{}\" xlink:href=\"{}\"", escaped(id), escaped(href))) +
            xml.close("result");
  };
  if (phase == "COMPLETED") {
    if (script_.has_other_results) {
      add("diag", "uws:executing:23");
      add("log", address(request, "/" + job.seen.id + "/parameters"));
    }
    add(script_.result_id,
        script_.result_href.empty() ? address(request, "/" + job.seen.id + "/results/result") : script_.result_href);
  }
  body += xml.close("results");
  if (phase == "ERROR" && script_.summarizes_errors) {
    body += xml.open("errorSummary", "type=\"fatal\" hasDetail=\"false\"") +
            xml.text("message", "The query failed; see the error document.") + xml.close("errorSummary");
  }
  return body + xml.close("job") + "\n";
}

http::Response UwsService::see_other(const http::Request& request, const std::string& id) const {
  http::Response response = text_answer(303, "See there.\n");
  response.headers.set("Location", address(request, id.empty() ? "" : "/" + id));
  return response;
}

std::string UwsService::address(const http::Request& request, const std::string& below) const {
  const std::string host = request.headers.get("Host");
  return script_.relative || host.empty() ? script_.path + below
                                          : fmt::format("{}://{}{}{}", script_.scheme, host, script_.path, below);
}

std::vector<UwsService::Seen> UwsService::jobs() const {
  const MutexLock lock(mutex_);
  std::vector<Seen> seen;
  for (const Job& job : jobs_) {
    seen.push_back(job.seen);
    seen.back().exists = job.seen.exists && clock_.now() < job.destruction;
  }
  return seen;
}

std::size_t UwsService::existing() const {
  const std::vector<Seen> seen = jobs();
  return static_cast<std::size_t>(std::ranges::count_if(seen, [](const Seen& job) { return job.exists; }));
}

}  // namespace parallax::sim
