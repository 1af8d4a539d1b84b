// The central database: measurements exactly once, runs, keys and counters. One interface; one contract test
// (store_contract_test.cc) that every implementation passes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "record/measurement.h"
#include "record/run.h"
#include "record/token.h"

namespace parallax::store {

inline constexpr std::size_t kQueryLimitMax = 10'000;            // measurements or runs in one answer
inline constexpr std::size_t kQueryBytesMax = 32U << 20U;        // JSON text in one answer; the page then ends early
inline constexpr std::size_t kSummaryMeasurementsMax = 100'000;  // the latest ones that a summary looks at
inline constexpr std::size_t kSummaryRowsMax = 10'000;           // series x vantage in one summary

// A measurement that passed all checks, on its way in.
struct NewMeasurement {
  Measurement measurement;
  std::string json;  // the whole record as it came, canonical (members that we do not know included)
  std::string hash;  // SHA-256 over `json`, 32 raw bytes: tells a duplicate from a conflict
};

enum class Outcome {
  stored,
  duplicate,  // the same id with the same content is there already
  conflict,   // the same id with other content is there: this one was kept apart
};

std::string_view to_string(Outcome outcome);

struct RunFilter {
  std::string fleet, vantage, round_id;  // empty: any
  std::size_t limit = 100;               // at most kQueryLimitMax
};

struct MeasurementFilter {
  std::string run_id, round_id, fleet, vantage, provider, service;  // empty: any
  std::optional<Verdict> verdict;
  bool failures_only = false;           // verdicts that are no success
  std::optional<Instant> since, until;  // started_at: since <= t < until
  std::size_t limit = 1000;             // 1 to kQueryLimitMax
  std::optional<std::int64_t> before;   // the cursor: MeasurementPage::next of the page before
};

// Newest arrival first. Paging with `next` shows every measurement once, also while others arrive.
struct MeasurementPage {
  std::vector<std::string> json;  // one record each, as it came
  std::optional<std::int64_t> next;
};

struct SummaryFilter {
  std::string fleet, round_id;  // empty: any
  std::optional<Instant> since;
  std::size_t measurements_max = kSummaryMeasurementsMax;
};

// One series of measurements at one vantage. Medians and percentiles are exact and over successes alone, since a
// time-out says only "longer than the limit"; absent where nothing succeeded.
struct SummaryRow {
  std::string provider, service, type, mode, connection, definition;
  std::string fleet, vantage;
  std::int64_t count = 0;
  std::int64_t successes = 0;
  std::array<std::int64_t, kVerdictNames.size()> verdicts{};  // by Verdict
  std::optional<std::int64_t> median_total_us, median_first_byte_us, p95_total_us, median_rows;
  std::optional<Instant> last_started_at;
  std::string path;  // "direct", "relay", "link"; "mixed"
};

struct Summary {
  std::vector<SummaryRow> rows;   // sorted by series, then vantage
  std::int64_t measurements = 0;  // that were looked at
  bool partial = false;           // there were more than could be looked at: these are the latest
};

// Who may add to a run: what the controller registered, else whoever's measurements came first.
struct RunOwner {
  std::string fleet, vantage;
  bool issued = false;  // registered by the controller
};

// What is newest: for headings.
struct Latest {
  std::string fleet, round_id;
  std::optional<Instant> started_at;
};

// Thread safety: every method may be called from any task. Errors: unavailable (disk full, I/O, locked by another
// process: nothing was changed, try again), corrupt, internal.
class Store {
 public:
  virtual ~Store() = default;

  // One transaction, durable once this returns: all outcomes hold, or there is an error and nothing was stored. Also
  // adds to the counters ingest.stored, ingest.duplicate and ingest.conflict (each different content once).
  virtual Result<std::vector<Outcome>> ingest(const std::vector<NewMeasurement>& batch, Instant received_at) = 0;

  // Merges with what is known (see run_merge.h). Error: conflict when the run belongs to another fleet or vantage.
  virtual Result<> upsert_run(const Run& run, Instant received_at) = 0;
  virtual Result<std::optional<Run>> find_run(std::string_view run_id) = 0;
  virtual Result<std::optional<RunOwner>> find_owner(std::string_view run_id) = 0;
  virtual Result<std::vector<Run>> list_runs(const RunFilter& filter) = 0;  // newest first, by run_id

  virtual Result<MeasurementPage> query_measurements(const MeasurementFilter& filter) = 0;
  virtual Result<Summary> summary(const SummaryFilter& filter) = 0;
  virtual Result<Latest> latest(std::string_view fleet) = 0;  // empty: of any fleet
  // The records that were kept apart, oldest first.
  virtual Result<std::vector<std::string>> conflicts(std::size_t limit) = 0;

  // Adding a key that is there: nothing changes where it is the same, conflict where its bytes differ.
  virtual Result<> add_key(const KeyRecord& key, Instant added_at) = 0;
  // Error: not_found. A key that is retired stays as it was retired first.
  virtual Result<> retire_key(std::string_view key_id, Instant at) = 0;
  virtual Result<std::vector<KeyRecord>> list_keys() = 0;
  virtual Result<std::optional<KeyRecord>> find_key(std::string_view key_id) = 0;

  virtual Result<> add_counts(const std::map<std::string, std::int64_t>& counts) = 0;
  virtual Result<std::map<std::string, std::int64_t>> counters() = 0;

  // Reads, and begins and undoes a write.
  virtual Result<> check_health() = 0;
};

// "sqlite:FILE" (made where it is missing, its tables brought up to date) or "sqlite::memory:" (gone with the Store).
// Error: invalid (another scheme; a schema that is newer than this build), unavailable, corrupt.
Result<std::unique_ptr<Store>> open_store(std::string_view url);

}  // namespace parallax::store
