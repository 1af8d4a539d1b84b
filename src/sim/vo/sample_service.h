// Sample VO services over the bright star catalogue: cone search, TAP (sync) and a URL template endpoint.
//
//   GET      /scs?RA=..&DEC=..&SR=..[&VERB=..][&MAXREC=..][&RESPONSEFORMAT=..]
//   GET      /xcone?ra=..&dec=..&radius=..
//   GET/POST /tap/sync   LANG=ADQL&QUERY=..[&MAXREC=..][&RESPONSEFORMAT=..]
//
// RESPONSEFORMAT: "votable", "votable/td", "votable/b1", "votable/b2" or a media type with
// "serialization=TABLEDATA|BINARY|BINARY2".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/client.h"
#include "record/cone.h"
#include "sim/vo/votable_writer.h"

namespace parallax::sim {

// What a service does instead of what it should.
enum class Misbehaviour {
  none,
  html,       // 200 with a page
  failure,    // 500 with plain text
  truncated,  // the document ends in the middle
  slow,       // answers after `delay`
  redirect,   // 302 to the same place, once
  overflow,   // cuts every answer at one row
  throttled,  // 429 with Retry-After
};

struct SampleOptions {
  std::string name = "stars";  // in the log
  Serialization serialization = Serialization::tabledata;
  Misbehaviour misbehaviour = Misbehaviour::none;
  Micros delay{0};               // of every answer; of a slow one instead of none: 10 s
  std::int64_t rows_max = 1000;  // without MAXREC
};

// One request that was answered, whatever with.
struct AnsweredQuery {
  std::string name;      // of the service
  std::string endpoint;  // "cone", "xcone", "tap"
  std::optional<Cone> cone;
  int http_status = 0;
  std::optional<std::int64_t> rows;  // of a table
  bool overflow = false;
  Instant at;
  std::string peer;  // the client's address
  std::string user_agent;
};

using QueryLog = std::function<void(const AnsweredQuery&)>;

// Thread safety: handle() from any thread; the log is called from there.
class SampleService final : public http::Service {
 public:
  SampleService(Clock& clock, SampleOptions options, QueryLog log);

  http::Response handle(const http::Request& request) override;

 private:
  struct Answer;
  using Fields = std::map<std::string, std::string>;  // names in upper case

  Answer answer(const http::Request& request) const;
  Answer answer_cone(const Fields& fields, std::string_view endpoint) const;
  Answer answer_tap(const Fields& fields) const;
  void misbehave(const http::Request& request, Answer& answer) const;

  Clock& clock_;
  const SampleOptions options_;
  const QueryLog log_;
};

}  // namespace parallax::sim
