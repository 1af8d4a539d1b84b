// The HTTP side of one query, synchronous or not: sends a request, follows its redirects by hand, keeps a record of
// every hop, reads the body as a VOTable and judges what came. All that it learns goes into the query's measurement.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "http/client.h"
#include "http/url.h"
#include "probe/body_pipe.h"
#include "probe/query_options.h"
#include "record/measurement.h"
#include "record/service.h"
#include "vo/verdict.h"

namespace parallax::probe {

struct QueryContext {
  const Service& service;
  const QueryOptions& options;
  Clock& clock;
  Executor& executor;
  http::Client& client;
  std::stop_token stop;
};

// How a body is to be read, as its header says.
vo::VotableOptions reader_options(const http::Headers& headers, const QueryLimits& limits);

// The answer at the end of a chain of redirects.
struct Answer {
  http::Exchange exchange;
  http::Url url;          // of what it is the answer
  bool leads_on = false;  // a redirect that was not followed, since a POST would lose its query
};

// Thread safety: one task.
class QueryExchange {
 public:
  // `time_left` bounds the query where the order's deadline is nearer than its own limit: reaching that is our trouble.
  QueryExchange(QueryContext context, Micros time_left, Measurement& measurement);

  // Sends, and follows redirects: at most limits.hops_max requests, no URL twice, never into private networks unless
  // the service's own URL lies there or its configuration allows it (the URL of the first request of all is the
  // service's). Each hop adds its times to the measurement. Nothing: a limit of ours, already in the measurement.
  std::optional<Answer> ask(http::Request request);

  // For the small documents of a job: as ask(), but the body stays in the answer (at most kDocumentBytesMax), and a
  // redirect of anything but a GET is given back.
  std::optional<Answer> ask_kept(http::Request request);

  // Of a query that is many requests the measurement tells one: what it says of requests so far is dropped, and what
  // is asked next has at most `time_left`. `ours`: that is the order's deadline, not a limit of the query.
  void begin(Micros time_left, bool ours = false);

  // The authority that counts as the service's, where the first request is not to its URL.
  void set_origin(std::string authority) { first_authority_ = std::move(authority); }

  // How long the service wants to be left alone; zero where it does not say.
  Micros retry_after(const http::Response& response) const;

  static constexpr std::size_t kDocumentBytesMax = 1U << 20U;

  // Judges the answer that was given last, into the measurement. Call it once for an answer.
  QueryOutcome conclude(const Answer& answer);

  // Verdict `refused` with this code.
  void refuse(std::string code, std::string_view message);
  // A finding; at most 100 are kept.
  void note(std::string code, std::string_view message);
  // Verdict `timeout`, or `refused` where the limit was the order's deadline.
  void conclude_time_out(http::Phase phase, Micros limit, const std::string& message);

 private:
  enum class Body { to_pipe, kept };

  std::optional<Answer> ask_chain(http::Request request, Body body);
  http::Exchange exchange_one(const http::Request& request, const http::Url& url, Body body);
  // A piece of the body, for the options' keeper.
  void keep(std::string_view piece);
  void record_hop(const http::Request& request, const http::Exchange& exchange);
  // Turns `request` into the next one. False: one of our limits, already recorded.
  bool follow(const std::string& location, int status, http::Url& url, http::Request& request);
  vo::ExchangeFacts facts_of(const http::Exchange& exchange, bool leads_on) const;
  void take_body(const http::Exchange& exchange, const ParsedBody& body);

  const QueryContext context_;
  Micros budget_;
  bool ours_;  // the budget is the order's deadline, not the query's limit
  Measurement& m_;
  std::string first_authority_;
  std::set<std::string> visited_;
  std::unique_ptr<BodyPipe> pipe_;
  Micros total_limit_{0};
  std::string saved_;  // of the last answer, for the options' keeper
  bool saved_cut_ = false;
};

}  // namespace parallax::probe
