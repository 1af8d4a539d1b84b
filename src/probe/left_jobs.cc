#include "probe/left_jobs.h"

#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "http/url.h"
#include "probe/async_job.h"

namespace parallax::probe {

LeftJobs delete_left_jobs(JobJournal& journal, const std::vector<OpenJob>& jobs, const LeftJobsContext& context,
                          const std::stop_token& stop) {
  LeftJobs left;
  std::set<std::string> silent;  // authorities
  const Service nobody;
  for (const OpenJob& job : jobs) {
    if (stop.stop_requested()) {
      ++left.kept;
      continue;
    }
    const Result<http::Url> url = http::parse_url(job.url);
    const Result<http::Url> service = http::parse_url(job.service);
    if (!url || !service) {
      ++left.unknown;
      ignore(journal.gone(job.number), "it is told of once more");
      continue;
    }
    const Result<> deleted =
        silent.contains(url->authority())
            ? make_error(ErrorKind::unavailable, "")
            : delete_job({nobody, context.options, context.clock, context.executor, context.client, {}},
                         service->authority(), *url);
    if (deleted) {
      ++left.deleted;
      ignore(journal.gone(job.number), "it is deleted once more");
      continue;
    }
    ++left.kept;
    if (left.problem.empty()) {
      left.problem = fmt::format("{}: {}", terminal_safe(job.url, 300), terminal_safe(deleted.error().message, 300));
    }
    if (deleted.error().kind == ErrorKind::unavailable) {
      silent.insert(url->authority());
    }
  }
  return left;
}

}  // namespace parallax::probe
