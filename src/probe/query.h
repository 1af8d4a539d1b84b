// One query: request, redirects by hand, body, verdict. Always gives a measurement, whatever happens.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "http/client.h"
#include "record/cone.h"
#include "record/measurement.h"
#include "record/service.h"
#include "vo/votable.h"

namespace parallax {

struct QueryLimits {
  http::PhaseLimits phases;  // `total` is the budget of the whole query, redirects included
  std::size_t body_bytes_max = 256U << 20U;
  std::size_t body_kept_bytes_max = 24U << 20U;  // a larger body is parsed while it arrives
  std::size_t header_bytes_max = 256U << 10U;
  int hops_max = 11;  // the request and 10 redirects
  std::size_t evidence_bytes = 512;
  std::size_t message_bytes_max = 8U << 10U;
  vo::VotableLimits body;
};

struct QueryOptions {
  QueryLimits limits;
  std::string version = "0.1.0";                             // of parallax
  std::string contact_url = "https://parallax.example.org";  // a page about the monitor, for operators
  std::string http_library = "libcurl/7";
  // "host:port" of a URL to the "host:port" to connect to instead: a relay.
  std::map<std::string, std::string> connect_to;
  std::string ca_file;  // empty: the system's
};

// "parallax/0.1.0 (IVOA-test https://...) libcurl/7.88.1": on every request, the operators' filter word included.
std::string user_agent(const QueryOptions& options);

// Fills in what is asked: service, cone, url, query. Nothing is sent. Error: invalid, where the service's templates
// cannot be filled.
Result<http::Request> build_request(const Service& service, const Cone& cone, const QueryOptions& options);
Result<> describe_query(const Service& service, const Cone& cone, std::size_t cone_index, Measurement& measurement);

struct QueryOutcome {
  bool throttled = false;
  Micros retry_after{0};  // what the service asked for; zero where it did not say
};

// Asks, and completes `measurement` (of which describe_query has filled the first half): started_at, timings, hops,
// body, verdict. `time_left` bounds the query where the order's deadline is near: reaching that is our trouble
// (`refused`, "interrupted"), not the service's.
QueryOutcome run_query(const Service& service, const Cone& cone, const QueryOptions& options, Micros time_left,
                       Clock& clock, Executor& executor, http::Client& client, std::stop_token stop,
                       Measurement& measurement);

}  // namespace parallax
