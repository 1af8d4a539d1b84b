#include "store/sqlite_store.h"

#include <utility>

#include <fmt/format.h>

#include "base/mutex.h"
#include "store/run_merge.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_query.h"
#include "store/sqlite_schema.h"

namespace parallax::store {

namespace {

using sqlite::Access;
using sqlite::Connection;
using sqlite::Statement;
using sqlite::Transaction;

constexpr std::size_t kIdleReadersMax = 8;

std::int64_t micros_of(Instant instant) {
  return instant.time_since_epoch().count();
}

Result<Run> read_run(std::string_view json) {
  Result<Run> run = make_error(ErrorKind::corrupt, "");
  if (const Result<Json> parsed = parse_json(json)) {
    run = run_from_json(*parsed);
  }
  if (!run) {
    return make_error(ErrorKind::corrupt, "database: a run's record cannot be read");
  }
  return run;
}

KeyRecord key_at(const Statement& row) {
  KeyRecord key{std::string(row.text_at(0)), std::string(row.blob_at(1)), std::nullopt};
  if (const std::optional<std::int64_t> retired = row.optional_at(2)) {
    key.retired_at = Instant(Micros(*retired));
  }
  return key;
}

Result<> add_count(Connection& db, std::string_view name, std::int64_t n) {
  if (n == 0) {
    return {};
  }
  Statement statement =
      TRY(db.prepare("INSERT INTO counters (name, value) VALUES (?, ?) "
                     "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"));
  return statement.text(name).integer(n).run();
}

// What one record came to; `fresh` tells a conflict that was not seen before.
struct Stored {
  Outcome outcome = Outcome::stored;
  bool fresh = true;
};

Result<Stored> keep_apart(Connection& db, const NewMeasurement& record, Instant received_at) {
  const Measurement& m = record.measurement;
  {
    Statement known = TRY(db.prepare("SELECT hash FROM measurements WHERE run_id = ? AND sequence = ?"));
    known.text(m.run_id).integer(m.sequence);
    if (!TRY(known.step())) {
      return make_error(ErrorKind::internal, "database: a measurement was there and is gone");
    }
    if (known.blob_at(0) == record.hash) {
      return Stored{Outcome::duplicate, false};
    }
  }
  Statement insert =
      TRY(db.prepare("INSERT INTO conflicts (run_id, sequence, hash, received_at_us, json) "
                     "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"));
  TRY(insert.text(m.run_id)
          .integer(m.sequence)
          .blob(record.hash)
          .integer(micros_of(received_at))
          .text(record.json)
          .run());
  return Stored{Outcome::conflict, db.changes() > 0};
}

Result<Stored> add_measurement(Connection& db, const NewMeasurement& record, Instant received_at) {
  const Measurement& m = record.measurement;
  {
    Statement insert = TRY(db.prepare(
        "INSERT INTO measurements (run_id, sequence, fleet, vantage, provider, service, type, mode, connection, "
        "definition, round_id, started_at_us, total_us, first_byte_us, rows, verdict, code, path, received_at_us, "
        "hash, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run_id, sequence) DO NOTHING"));
    insert.text(m.run_id).integer(m.sequence).text(m.fleet).text(m.vantage).text(m.provider).text(m.service);
    insert.text(m.type).text(m.mode).text(m.connection).text(m.definition).text(m.round_id);
    insert.integer(micros_of(m.started_at.value_or(Instant()))).integer(m.total_us).integer(m.times.first_byte_us);
    insert.integer(m.rows).text(to_string(m.verdict)).text(m.code).text(m.path).integer(micros_of(received_at));
    TRY(insert.blob(record.hash).text(record.json).run());
  }
  if (db.changes() > 0) {
    return Stored{};
  }
  return keep_apart(db, record, received_at);
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<Connection> writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  Result<std::vector<Outcome>> ingest(const std::vector<NewMeasurement>& batch, Instant received_at) override {
    const MutexLock lock(mutex_);
    Transaction transaction = TRY(Transaction::begin(*writer_));
    std::vector<Outcome> outcomes;
    outcomes.reserve(batch.size());
    std::array<std::int64_t, 3> counts{};
    for (const NewMeasurement& record : batch) {
      const Stored stored = TRY(add_measurement(*writer_, record, received_at));
      outcomes.push_back(stored.outcome);
      counts[static_cast<std::size_t>(stored.outcome)] += stored.fresh || stored.outcome == Outcome::duplicate ? 1 : 0;
    }
    TRY(add_count(*writer_, "ingest.stored", counts[0]));
    TRY(add_count(*writer_, "ingest.duplicate", counts[1]));
    TRY(add_count(*writer_, "ingest.conflict", counts[2]));
    TRY(transaction.commit());
    return outcomes;
  }

  Result<> upsert_run(const Run& run, Instant received_at) override {
    const MutexLock lock(mutex_);
    Transaction transaction = TRY(Transaction::begin(*writer_));
    const std::optional<Run> known = TRY(find_run_in(*writer_, run.run_id));
    if (known && (known->fleet != run.fleet || known->vantage != run.vantage)) {
      return make_error(ErrorKind::conflict, fmt::format("run {} belongs to another fleet or vantage", run.run_id));
    }
    const Run merged = known ? merge_run(*known, run) : run;
    const std::string json = to_json(merged).dump();
    {
      Statement statement = TRY(
          writer_->prepare("INSERT INTO runs (run_id, fleet, vantage, round_id, state, updated_at_us, json) VALUES (?, "
                           "?, ?, ?, ?, ?, ?) "
                           "ON CONFLICT (run_id) DO UPDATE SET round_id = excluded.round_id, state = excluded.state, "
                           "updated_at_us = excluded.updated_at_us, json = excluded.json"));
      statement.text(merged.run_id).text(merged.fleet).text(merged.vantage).text(merged.round_id);
      TRY(statement.text(to_string(merged.state)).integer(micros_of(received_at)).text(json).run());
    }
    return transaction.commit();
  }

  Result<std::optional<Run>> find_run(std::string_view run_id) override {
    return read([&](Connection& db) { return find_run_in(db, run_id); });
  }

  Result<std::optional<RunOwner>> find_owner(std::string_view run_id) override {
    return read([&](Connection& db) { return find_owner_in(db, run_id); });
  }

  Result<std::vector<Run>> list_runs(const RunFilter& filter) override {
    return read([&](Connection& db) { return list_runs_in(db, filter); });
  }

  Result<MeasurementPage> query_measurements(const MeasurementFilter& filter) override {
    return read([&](Connection& db) { return sqlite::query_measurements(db, filter); });
  }

  Result<Summary> summary(const SummaryFilter& filter) override {
    return read([&](Connection& db) { return sqlite::summary(db, filter); });
  }

  Result<Latest> latest(std::string_view fleet) override {
    return read([&](Connection& db) { return sqlite::latest(db, fleet); });
  }

  Result<std::vector<std::string>> conflicts(std::size_t limit) override {
    return read([&](Connection& db) -> Result<std::vector<std::string>> {
      Statement row = TRY(db.prepare("SELECT json FROM conflicts ORDER BY received_at_us, run_id, sequence LIMIT ?"));
      row.integer(static_cast<std::int64_t>(limit));
      std::vector<std::string> found;
      while (TRY(row.step())) {
        found.emplace_back(row.text_at(0));
      }
      return found;
    });
  }

  Result<> add_key(const KeyRecord& key, Instant added_at) override {
    const MutexLock lock(mutex_);
    const std::optional<KeyRecord> known = TRY(find_key_in(*writer_, key.key_id));
    if (known) {
      return known->public_key == key.public_key
                 ? Result<>()
                 : make_error(ErrorKind::conflict, fmt::format("another key has the id {} already", key.key_id));
    }
    Statement insert =
        TRY(writer_->prepare("INSERT INTO keys (key_id, public_key, added_at_us, retired_at_us) VALUES (?, ?, ?, ?)"));
    insert.text(key.key_id).blob(key.public_key).integer(micros_of(added_at));
    return (key.retired_at ? insert.integer(micros_of(*key.retired_at)) : insert.null()).run();
  }

  Result<> retire_key(std::string_view key_id, Instant at) override {
    const MutexLock lock(mutex_);
    Statement update =
        TRY(writer_->prepare("UPDATE keys SET retired_at_us = coalesce(retired_at_us, ?) WHERE key_id = ?"));
    TRY(update.integer(micros_of(at)).text(key_id).run());
    if (writer_->changes() == 0) {
      return make_error(ErrorKind::not_found, fmt::format("no key has the id '{}'", key_id));
    }
    return {};
  }

  Result<std::vector<KeyRecord>> list_keys() override {
    return read([](Connection& db) -> Result<std::vector<KeyRecord>> {
      Statement row =
          TRY(db.prepare("SELECT key_id, public_key, retired_at_us FROM keys ORDER BY added_at_us, key_id"));
      std::vector<KeyRecord> found;
      while (TRY(row.step())) {
        found.push_back(key_at(row));
      }
      return found;
    });
  }

  Result<std::optional<KeyRecord>> find_key(std::string_view key_id) override {
    return read([&](Connection& db) { return find_key_in(db, key_id); });
  }

  Result<> add_counts(const std::map<std::string, std::int64_t>& counts) override {
    const MutexLock lock(mutex_);
    Transaction transaction = TRY(Transaction::begin(*writer_));
    for (const auto& [name, n] : counts) {
      TRY(add_count(*writer_, name, n));
    }
    return transaction.commit();
  }

  Result<std::map<std::string, std::int64_t>> counters() override {
    return read([](Connection& db) -> Result<std::map<std::string, std::int64_t>> {
      Statement row = TRY(db.prepare("SELECT name, value FROM counters"));
      std::map<std::string, std::int64_t> found;
      while (TRY(row.step())) {
        found.emplace(row.text_at(0), row.integer_at(1));
      }
      return found;
    });
  }

  Result<> check_health() override {
    const MutexLock lock(mutex_);
    // Undone by the destructor: the page is changed in memory only, but a read-only or locked database shows.
    const Transaction transaction = TRY(Transaction::begin(*writer_));
    return add_count(*writer_, "health", 1);
  }

 private:
  static Result<std::optional<Run>> find_run_in(Connection& db, std::string_view run_id) {
    Statement row = TRY(db.prepare("SELECT json FROM runs WHERE run_id = ?"));
    row.text(run_id);
    if (!TRY(row.step())) {
      return std::optional<Run>();
    }
    return std::optional<Run>(TRY(read_run(row.text_at(0))));
  }

  static Result<std::optional<RunOwner>> find_owner_in(Connection& db, std::string_view run_id) {
    Statement row =
        TRY(db.prepare("SELECT fleet, vantage, 1 FROM runs WHERE run_id = ?1 UNION ALL "
                       "SELECT * FROM (SELECT fleet, vantage, 0 FROM measurements WHERE run_id = ?1 LIMIT 1) LIMIT 1"));
    row.text(run_id);
    if (!TRY(row.step())) {
      return std::optional<RunOwner>();
    }
    return std::optional<RunOwner>(
        RunOwner{std::string(row.text_at(0)), std::string(row.text_at(1)), row.integer_at(2) == 1});
  }

  static Result<std::vector<Run>> list_runs_in(Connection& db, const RunFilter& filter) {
    Statement row =
        TRY(db.prepare("SELECT json FROM runs WHERE (?1 = '' OR fleet = ?1) AND (?2 = '' OR vantage = ?2) AND "
                       "(?3 = '' OR round_id = ?3) ORDER BY run_id DESC LIMIT ?4"));
    row.text(filter.fleet).text(filter.vantage).text(filter.round_id);
    row.integer(static_cast<std::int64_t>(std::min(filter.limit, kQueryLimitMax)));
    std::vector<Run> found;
    std::size_t bytes = 0;
    while (bytes <= kQueryBytesMax && TRY(row.step())) {
      bytes += row.text_at(0).size();
      found.push_back(TRY(read_run(row.text_at(0))));
    }
    return found;
  }

  static Result<std::optional<KeyRecord>> find_key_in(Connection& db, std::string_view key_id) {
    Statement row = TRY(db.prepare("SELECT key_id, public_key, retired_at_us FROM keys WHERE key_id = ?"));
    row.text(key_id);
    return TRY(row.step()) ? std::optional<KeyRecord>(key_at(row)) : std::nullopt;
  }

  // Runs `body` on a connection that nobody else uses meanwhile.
  template <typename Body>
  auto read(Body body) -> decltype(body(std::declval<Connection&>())) {
    if (path_ == ":memory:") {
      const MutexLock lock(mutex_);
      return body(*writer_);
    }
    std::unique_ptr<Connection> reader;
    {
      const MutexLock lock(readers_mutex_);
      if (!idle_readers_.empty()) {
        reader = std::move(idle_readers_.back());
        idle_readers_.pop_back();
      }
    }
    if (reader == nullptr) {
      reader = TRY(Connection::open(path_, Access::read));
    }
    auto result = body(*reader);
    const MutexLock lock(readers_mutex_);
    if (result.has_value() && idle_readers_.size() < kIdleReadersMax) {
      idle_readers_.push_back(std::move(reader));
    }
    return result;
  }

  const std::string path_;
  Mutex mutex_;
  std::unique_ptr<Connection> writer_;  // used with mutex_ held
  Mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> idle_readers_ GUARDED_BY(readers_mutex_);
};

}  // namespace

namespace {

Result<std::unique_ptr<Store>> open_store(const std::string& path, const SqliteOptions& options) {
  std::unique_ptr<Connection> writer = TRY(Connection::open(path, Access::write));
  TRY(sqlite::migrate(*writer, path));
  if (options.pages_max > 0) {
    TRY(writer->execute(fmt::format("PRAGMA max_page_count = {}", options.pages_max)));
  }
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(path, std::move(writer)));
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path, const SqliteOptions& options) {
  Result<std::unique_ptr<Store>> store = open_store(path, options);
  // SQLite's own words ("file is not a database") name no file.
  const bool named = store || store.error().text().find(path) != std::string::npos;
  return named ? std::move(store) : std::move(store).with_context(fmt::format("opening database {}", path));
}

}  // namespace parallax::store
