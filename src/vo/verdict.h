// The one place that decides what a query came to: from the HTTP exchange and the body to a verdict of the closed list.
// A pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vo/votable_summary.h"

namespace parallax::vo {

enum class Verdict {
  ok,
  overflow,       // complete up to a row limit: a success
  service_error,  // the service's own error mark, at any HTTP status
  http_error,     // any other status >= 400; a POST redirected by 301 or 302
  not_votable,
  truncated,
  timeout,
  network,
  throttled,  // 429, or 503 with Retry-After
  refused,    // one of our own limits
};
std::string_view to_string(Verdict verdict);  // "service-error"
std::optional<Verdict> parse_verdict(std::string_view text);
bool is_success(Verdict verdict);  // ok, overflow

enum class Protocol { cone, xcone, tap };

// How the transfer itself ended.
enum class TransportProblem {
  none,
  timeout,    // of a phase
  network,    // resolve, connect, TLS; lost before any answer
  truncated,  // lost in the answer: fewer bytes than announced, a broken chunk
  refused,    // size, redirects, private address
};

struct ExchangeFacts {
  Protocol protocol = Protocol::cone;
  TransportProblem transport = TransportProblem::none;
  std::string transport_code;     // "resolve", "tls-expired", "redirects", ...; the phase of a time-out
  std::string transport_message;  // for a person
  int http_status = 0;            // of the last hop; 0 where there was no answer
  std::string content_type;
  bool has_retry_after = false;
  bool post_redirected = false;        // a POST was answered by 301 or 302
  std::optional<std::int64_t> maxrec;  // the row limit that we sent
};

struct Judgement {
  Verdict verdict = Verdict::ok;
  std::string code;     // a stable word; empty for a plain ok
  std::string message;  // the service's own words where there are any; as they came, to be escaped where shown
  std::vector<Finding> findings;
};

Judgement judge(const ExchangeFacts& exchange, const VotableSummary& body);

}  // namespace parallax::vo
