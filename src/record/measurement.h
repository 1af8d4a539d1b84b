// One query: what was asked, how long each phase took, what came back, one verdict. The contract between probe,
// collector and everybody who reads the data; its JSON names are fixed (durations in integer microseconds, instants ISO
// 8601 UTC with six digits and Z, absent = null).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "codec/json.h"
#include "record/verdict.h"

namespace parallax {

inline constexpr std::string_view kMeasurementSchema = "parallax.measurement.v1";

struct PhaseTimes {
  std::optional<std::int64_t> resolve_us, connect_us, tls_us, send_us, first_byte_us, transfer_us;
};

// What carried one request. `dns`: "fresh" (asked now), "cached" (known to this process, or a kept connection needed
// none) or "literal".
struct ConnectionFacts {
  std::string http_version, tls_version, tls_cipher, address_family, dns;
  std::optional<Instant> certificate_expires_at;
  std::optional<bool> reused;
};

// One request of a query that was redirected.
struct HopRecord {
  std::string url;
  std::optional<int> http_status;
  PhaseTimes times;
  std::int64_t total_us = 0;
  std::string peer;
  ConnectionFacts connection;
};

// A further thing that was noticed: our own stable code and a sentence.
struct Finding {
  std::string code;
  std::string message;

  friend bool operator==(const Finding&, const Finding&) = default;
};

struct Measurement {
  std::string id;      // run_id + "-" + sequence, given before it is spooled
  std::string run_id;  // ULID
  std::int64_t sequence = 0;
  int attempt = 1;
  std::string round_id, fleet, vantage;
  std::string provider, service, type, mode, connection, definition;
  std::optional<std::int64_t> cone_index;
  std::optional<int> position;            // of the vantage's turn in the round
  std::optional<double> ra, dec, radius;  // degrees
  std::string query;                      // the ADQL that was sent; empty otherwise
  std::string url;                        // the URL that was asked first
  std::optional<Instant> scheduled_at, started_at;
  PhaseTimes times;  // summed over hops
  std::int64_t total_us = 0;
  std::optional<std::int64_t> parse_us;
  std::string failed_phase;              // empty where nothing failed
  std::optional<std::int64_t> limit_us;  // of a time-out: the limit it ran into
  int hops = 0;                          // number of requests
  std::vector<HopRecord> hop_records;
  std::optional<int> http_status;
  std::string http_version, tls_version, peer;
  std::string path = "direct";  // "direct", "relay", "link"
  std::optional<std::int64_t> bytes_wire, bytes_decoded, rows, columns;
  Verdict verdict = Verdict::ok;
  std::string code, message;
  std::optional<std::int64_t> retry_after_us;  // of 429 and 503: how long the service wants to be left alone
  std::optional<std::int64_t> late_us;         // how much later than scheduled the query really began

  // An asynchronous TAP job (UWS 1.1 section 2). On our clock: from the start to the job's URL known; PHASE=RUN; from
  // its answer to a final phase seen; fetching the result; deleting the job. total_us is the first four together, the
  // phases and hops are those of the result. `polls` counts requests for the phase, `poll_gap_us` is the pause before
  // the last one: wait_us is no more precise than that.
  std::optional<std::int64_t> submit_us, run_us, wait_us, fetch_us, delete_us, polls, poll_gap_us;
  std::optional<Instant> job_created_at, job_started_at, job_ended_at;  // the server's clock
  std::string job_url, job_phase;                                       // the last phase that was seen

  // What the answer holds, where asked for (`deep`): a checksum of its cells that is independent of serialization and
  // row order, the range of its positions in degrees, and how many rows lie outside of the cone.
  std::string content_checksum;
  std::optional<double> ra_min, ra_max, dec_min, dec_max;
  std::optional<std::int64_t> rows_outside;

  // The connection and the answer's header of the last hop; see ConnectionFacts.
  std::string address_family, dns, tls_cipher, server, content_type;
  std::optional<Instant> certificate_expires_at;
  std::optional<bool> connection_reused;

  // The probe's own health when the query began: load of one minute per processor, stolen processor time as a fraction
  // since the last query, burst credits of the instance, and what the kernel or chrony says of the clock's error.
  std::optional<double> load_1m, cpu_steal, cpu_credits;
  std::optional<std::int64_t> clock_offset_us;
  std::string availability_zone;

  std::vector<Finding> findings;
  std::string evidence;  // the first bytes of a body that was no table, as text
  std::string instance_id, instance_type, build;

  // Members that this version does not know, kept as they came.
  JsonObject extra;
};

// "01J...-17"
std::string measurement_id(std::string_view run_id, std::int64_t sequence);

Json to_json(const Measurement& measurement);
// Error: invalid, naming the member and what is wrong with it. Limits: text members 64 KiB, 1000 findings and hops.
Result<Measurement> measurement_from_json(const Json& json);

}  // namespace parallax
