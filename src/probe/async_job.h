// The requests about one job of a UWS service. Each is answered by a document of the job, a redirect that is not
// followed, or plain text.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/url.h"
#include "probe/exchange.h"
#include "vo/uws.h"

namespace parallax::probe {

// Where the job is that a service was asked for at `asked` (UWS 1.1 section 2.2.3.1): the Location of a 303, and what
// stands in for it: of a 201 or 302, or the id of a job's document. Nothing: no job was made.
struct MadeJob {
  http::Url url;
  std::string breach;  // of the standard, for a person; empty where there is none
};

std::optional<MadeJob> made_job(const http::Url& asked, const http::Response& response);

// Below a job: "phase", "results/result".
http::Url job_part(const http::Url& job, std::string_view part);

// "WAIT=30&PHASE=EXECUTING": the job's document, or what it says once its phase is another one.
http::Url job_poll(const http::Url& job, int wait_seconds, std::optional<vo::UwsPhase> known);

// A POST of a form; a DELETE or GET where there is no form.
http::Request job_request(std::string method, const http::Url& url, const QueryOptions& options,
                          const std::vector<std::pair<std::string, std::string>>& form = {});

// Deletes a job, by DELETE or else by ACTION=DELETE, with its own time limit and whatever the context's stop says.
// `origin`: the authority of the service that made it. A job that is not there is deleted. Error: what the service
// said, or the transport.
Result<> delete_job(const QueryContext& context, const std::string& origin, const http::Url& job);

}  // namespace parallax::probe
