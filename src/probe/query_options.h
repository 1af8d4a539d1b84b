// The limits of a query, what is the same for all queries of a probe, and what a query tells the probe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/client.h"
#include "record/measurement.h"
#include "vo/votable.h"

namespace parallax {

// Gets the body of the last answer of each query, as it came on the wire. Thread safety: any task.
class BodyKeeper {
 public:
  virtual ~BodyKeeper() = default;
  // What it wants at most of one body.
  virtual std::size_t bytes_max() const = 0;
  // `cut`: there was more than that.
  virtual void keep(const Measurement& measurement, const http::Headers& headers, std::string_view body, bool cut) = 0;
};

struct QueryLimits {
  http::PhaseLimits phases;         // `total` is the budget of the whole query, redirects included
  Micros job = Seconds(600);        // of an asynchronous query, from its creation to its last byte
  Micros job_delete = Seconds(10);  // to delete its job
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
  std::string ca_file;           // empty: the system's
  BodyKeeper* keeper = nullptr;  // must outlive the queries; nullptr: bodies are read and forgotten
};

// "parallax/0.1.0 (IVOA-test https://...) libcurl/7.88.1": on every request, the operators' filter word included.
std::string user_agent(const QueryOptions& options);

struct QueryOutcome {
  bool throttled = false;
  Micros retry_after{0};  // what the service asked for; zero where it did not say
};

}  // namespace parallax
