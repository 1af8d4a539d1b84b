// The journal on a vantage's disk that holds measurements until the collector has confirmed them.
//
//   lock                     held while a probe or a sender works here
//   RUN_ID.journal           the run's token, intents, records, end of run; only ever appended to; mode 0600
//   RUN_ID.acked             what the collector has answered for; only ever appended to
//   RUN_ID.settled           left of a run that has been delivered: what was asked, with its verdict, for age_max
//   ballast                  room for the answers of queries under way when the disk fills up
//   rejected/RUN_ID.ndjson   what the collector refused, with its reason, for a person to look at
//
// An intent is written before a query is sent: a whole measurement as it stands if the process dies (refused,
// "probe-killed"), so that a query that was asked always has a record. A run's journal is removed once it has ended and
// everything in it is answered for; the same order started again then asks only what was not asked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/mutex.h"
#include "record/measurement.h"

namespace parallax {

struct SpoolLimits {
  std::size_t journal_bytes_max = 64U << 20U;  // of one run
  std::size_t loaded_bytes_max = 256U << 20U;  // of all journals; runs beyond wait for the next time
  std::size_t record_bytes_max = (1U << 20U) - 64;
  Micros sync_interval = Millis(200);  // at most so much is lost by a power cut; nothing by the death of the process
  Micros age_max = Seconds(30 * 86400);
};

enum class Delivery { stored, duplicate, conflict, refused };

std::string_view to_string(Delivery delivery);
std::optional<Delivery> parse_delivery(std::string_view text);

struct SpoolCounts {
  std::array<std::int64_t, 4> by_delivery{};  // answered since this spool was opened
  std::int64_t pending = 0;                   // records that nobody has answered for
  std::int64_t torn = 0;                      // lines that were damaged by a crash, left out
  std::int64_t recovered = 0;                 // intents of a dead process that became records
  std::int64_t left_out = 0;                  // runs that were not loaded (limits, unreadable)
  std::int64_t old = 0;                       // pending records older than age_max
};

// A record that waits: `line` is its JSON, as it goes over the wire.
struct SpooledRecord {
  std::string run_id;
  std::int64_t sequence = 0;
  std::string id;
  std::string line;
};

// Thread safety: every method may be called from any task.
class Spool {
 public:
  // Takes the lock, cuts torn tails, turns intents of dead processes into records. `resumed_run` (may be empty) will be
  // begun again: it is kept even where everything in it is answered for. Error: conflict (another process works here),
  // and those of Files.
  static Result<std::unique_ptr<Spool>> open(Files& files, Clock& clock, std::string directory,
                                             const std::string& resumed_run, SpoolLimits limits = {});

  // A spool in memory alone, for a probe without a directory: nothing survives the process.
  static std::unique_ptr<Spool> in_memory(Clock& clock, SpoolLimits limits = {});

  ~Spool();

  // The run whose measurements follow; resumes its journal if there is one. `token` (may be empty) is kept with the
  // run: when it has expired it still proves to a collector that the run was issued to this vantage.
  Result<> begin_run(const std::string& run_id, const std::string& token);
  // The verdict of a sequence number that this run has a record of.
  std::optional<Verdict> done(std::int64_t sequence) const;

  // An error means that the measurement is not on disk: nothing more must be asked.
  Result<> intent(const Measurement& skeleton);
  // The record is kept in memory also where writing it fails.
  Result<> record(const Measurement& measurement);
  // What was appended so far survives a power cut.
  Result<> sync();
  Result<> end_run();

  // Up to so many records and bytes (at least one record), oldest run first.
  std::vector<SpooledRecord> batch(std::size_t records_max, std::size_t bytes_max) const;
  // The tokens of the runs in a batch, `current` left out.
  std::vector<std::string> earlier_tokens(const std::vector<SpooledRecord>& batch, std::string_view current) const;
  // The collector's answer for one record; `refused` moves it to rejected/. An error says that the answer could not be
  // written down; in memory it counts all the same, and a later repeat does no harm.
  Result<> settle(const SpooledRecord& record, Delivery delivery, std::string_view reason);

  SpoolCounts counts() const;

 private:
  struct Run;

  Spool(Files* files, Clock& clock, std::string directory, SpoolLimits limits);
  Result<> load(const std::string& resumed_run);
  Result<> load_run(const std::string& run_id, bool is_resumed);
  Result<std::map<std::int64_t, Verdict>> read_settled(const std::string& run_id) const;
  std::string path(std::string_view run_id, std::string_view suffix) const;
  Result<> append(Run& run, std::string_view text) REQUIRES(mutex_);
  Result<> sync_locked() REQUIRES(mutex_);
  Result<> reject(const SpooledRecord& record, std::string_view reason) REQUIRES(mutex_);
  Result<> note_answer(Run& run, const SpooledRecord& record, Delivery delivery) REQUIRES(mutex_);
  // False: there was none.
  bool drop_ballast() REQUIRES(mutex_);
  void keep(Run& run, std::int64_t sequence, Verdict verdict, std::string line) REQUIRES(mutex_);
  Result<> remove_if_settled(const std::string& run_id) REQUIRES(mutex_);

  Files* const files_;  // null: in memory
  Clock& clock_;
  const std::string directory_;
  const SpoolLimits limits_;
  std::unique_ptr<FileLock> lock_;

  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Run>> runs_ GUARDED_BY(mutex_);
  Run* current_ GUARDED_BY(mutex_) = nullptr;
  Monotonic synced_at_ GUARDED_BY(mutex_);
  SpoolCounts counts_ GUARDED_BY(mutex_);
  bool has_ballast_ GUARDED_BY(mutex_) = false;
  std::optional<Error> full_ GUARDED_BY(mutex_);  // why no intent is taken any more
};

// What waits in a directory, without taking the lock or changing anything.
struct SpooledRun {
  std::string run_id;
  std::int64_t records = 0, pending = 0, intents = 0, rejected = 0, torn = 0;
  bool ended = false;
};

// Error: those of Files; an absent directory is an empty spool.
Result<std::vector<SpooledRun>> spool_status(Files& files, const std::string& directory);

}  // namespace parallax
