// UWS 1.0 and 1.1: what a job's document says, and which of its results is the table of a TAP query.
//
// Elements are matched by local name, for prefixes and namespaces differ from server to server (UWS 1.1; TAP 1.1
// section 2). Nothing here asks a server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "http/url.h"

namespace parallax::vo {

// UWS 1.1 section 2.1.3. `other` is a word that the standard does not know.
enum class UwsPhase {
  pending,
  queued,
  executing,
  completed,
  error,
  aborted,
  unknown,    // the server cannot tell now: ask again
  held,       // not queued: RUN has to be sent again later
  suspended,  // the server resumes by itself
  archived,   // over, and the results are gone
  other,
};

std::string_view to_string(UwsPhase phase);

// From the document or from the text of /phase: blanks and line ends around it are dropped, letter case is ignored.
UwsPhase parse_uws_phase(std::string_view text);

// Nothing will happen any more: completed, error, aborted, archived. All else, unknown words included, may go on.
bool is_final(UwsPhase phase);

// A server of UWS 1.1 blocks for WAIT only in these: pending, queued, executing.
bool may_block(UwsPhase phase);

struct UwsResult {
  std::string id;
  std::string href;  // as written: relative, on another host, or no URL at all
};

struct UwsJob {
  std::string version;  // of the job element; "1.0" where it has none
  std::string id;
  UwsPhase phase = UwsPhase::other;
  std::string phase_text;  // trimmed, as written
  // By the server's clock. Empty where absent, nil or not a time.
  std::optional<Instant> created;
  std::optional<Instant> started;
  std::optional<Instant> ended;
  std::optional<Instant> destruction;
  std::vector<UwsResult> results;
  // errorSummary/message, cut to 4000 bytes. Whether /error has more is not read: servers say so wrongly.
  std::string error_message;
};

// Error: corrupt where it is not XML, or where its root is not a job or has no phase; refused for our limits (1 MiB).
Result<UwsJob> parse_uws_job(std::string_view document);

// Where the table is, of a completed job at `job`: the entry whose path ends in /results/result; else the one with the
// id "result"; else the only one that is an http(s) URL; else JOB/results/result, which TAP promises.
http::Url choose_result(const http::Url& job, const std::vector<UwsResult>& results);

}  // namespace parallax::vo
