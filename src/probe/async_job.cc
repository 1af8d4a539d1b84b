#include "probe/async_job.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::probe {

namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

// The place where jobs are made, and not one of them: the redirect of a POST, that a 302 should not be.
bool is_job_list(const http::Url& url) {
  std::string_view path = url.path;
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return path.ends_with("/async");
}

std::string problem_of(const Answer& answer) {
  return answer.exchange.ok() ? fmt::format("HTTP {}", answer.exchange.response.status)
                              : answer.exchange.error->message;
}

bool is_gone(const Answer& answer) {
  const int status = answer.exchange.response.status;
  return answer.exchange.ok() && (status < 400 || status == 404 || status == 410);
}

}  // namespace

std::optional<MadeJob> made_job(const http::Url& asked, const http::Response& response) {
  const std::string* location = response.headers.find("Location");
  const int status = response.status;
  if (location != nullptr && (status == 200 || status == 201 || status == 302 || status == 303)) {
    const Result<http::Url> url = http::resolve_url(asked, *location);
    if (url && url->text() != asked.text() && (status != 302 || !is_job_list(*url))) {
      return MadeJob{*url, status == 303 ? "" : fmt::format("a job was made with HTTP {} instead of 303", status)};
    }
  }
  if (status != 200 && status != 201) {
    return std::nullopt;
  }
  const Result<vo::UwsJob> job = vo::parse_uws_job(response.body);
  if (!job || job->id.empty()) {
    return std::nullopt;
  }
  return MadeJob{job_part(asked, http::percent_encode(job->id)),
                 fmt::format("a job was made with HTTP {} and no Location, instead of 303", status)};
}

http::Url job_part(const http::Url& job, std::string_view part) {
  http::Url url = job;
  while (url.path.ends_with('/')) {
    url.path.pop_back();
  }
  url.path += fmt::format("/{}", part);
  url.fragment.clear();
  return url;
}

http::Url job_poll(const http::Url& job, int wait_seconds, std::optional<vo::UwsPhase> known) {
  http::Url url = job;
  if (wait_seconds > 0) {
    url.query += fmt::format("{}WAIT={}", url.query.empty() ? "" : "&", wait_seconds);
    if (known && vo::may_block(*known)) {
      url.query += fmt::format("&PHASE={}", vo::to_string(*known));
    }
  }
  return url;
}

http::Request job_request(std::string method, const http::Url& url, const QueryOptions& options,
                          const std::vector<std::pair<std::string, std::string>>& form) {
  http::Request request;
  request.method = std::move(method);
  request.url = url.text();
  request.headers.set("User-Agent", user_agent(options));
  if (!form.empty()) {
    request.headers.set("Content-Type", std::string(kForm));
    request.body = http::form_encode(form);
  }
  return request;
}

Result<> delete_job(const QueryContext& context, const std::string& origin, const http::Url& job) {
  QueryContext own{context.service, context.options, context.clock, context.executor, context.client, {}};
  Measurement scratch;
  const Micros limit = context.options.limits.job_delete;
  const Monotonic deadline = context.clock.monotonic() + limit;
  QueryExchange exchange(own, limit, scratch);
  exchange.set_origin(origin);
  const std::optional<Answer> deleted = exchange.ask_kept(job_request("DELETE", job, context.options));
  if (deleted && is_gone(*deleted)) {
    return {};
  }
  const std::string problem = deleted ? problem_of(*deleted) : scratch.message;
  const Micros left = deadline - context.clock.monotonic();
  if (!deleted || !deleted->exchange.ok() || left <= Micros(0)) {
    return make_error(ErrorKind::unavailable, problem);
  }
  exchange.begin(left);
  const std::optional<Answer> asked =
      exchange.ask_kept(job_request("POST", job, context.options, {{"ACTION", "DELETE"}}));
  if (asked && is_gone(*asked)) {
    return {};
  }
  return make_error(
      asked && asked->exchange.ok() ? ErrorKind::denied : ErrorKind::unavailable,
      fmt::format("{} to DELETE, {} to ACTION=DELETE", problem, asked ? problem_of(*asked) : scratch.message));
}

}  // namespace parallax::probe
