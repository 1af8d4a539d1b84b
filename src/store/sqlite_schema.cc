#include "store/sqlite_schema.h"

#include <array>
#include <string>

#include <fmt/format.h>

namespace parallax::store::sqlite {

namespace {

// One entry per version, never changed once released. `arrival` numbers the measurements as they came; it is the cursor
// of paging. `json` holds the record as it came, canonical; the other columns are copies of what we search by.
constexpr std::array<const char*, 1> kMigrations = {R"sql(
CREATE TABLE measurements (
  arrival INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  fleet TEXT NOT NULL,
  vantage TEXT NOT NULL,
  provider TEXT NOT NULL,
  service TEXT NOT NULL,
  type TEXT NOT NULL,
  mode TEXT NOT NULL,
  connection TEXT NOT NULL,
  definition TEXT NOT NULL,
  round_id TEXT NOT NULL,
  started_at_us INTEGER NOT NULL,
  total_us INTEGER NOT NULL,
  first_byte_us INTEGER,
  rows INTEGER,
  verdict TEXT NOT NULL,
  code TEXT NOT NULL,
  path TEXT NOT NULL,
  received_at_us INTEGER NOT NULL,
  hash BLOB NOT NULL,
  json TEXT NOT NULL,
  UNIQUE (run_id, sequence)
) STRICT;
CREATE INDEX measurements_round ON measurements (round_id);
CREATE INDEX measurements_service ON measurements (service, provider);
-- The latest failures of a fleet, without looking through all that went well.
CREATE INDEX measurements_failures ON measurements (fleet) WHERE verdict NOT IN ('ok', 'overflow');
-- Holds all that a summary reads, so that the records themselves are not touched.
CREATE INDEX measurements_summary ON measurements (started_at_us, fleet, vantage, provider, service, type, mode,
  connection, definition, round_id, verdict, total_us, first_byte_us, rows, path);

CREATE TABLE conflicts (
  run_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  received_at_us INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (run_id, sequence, hash)
) STRICT;

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  fleet TEXT NOT NULL,
  vantage TEXT NOT NULL,
  round_id TEXT NOT NULL,
  state TEXT NOT NULL,
  updated_at_us INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX runs_fleet ON runs (fleet, vantage, run_id);
CREATE INDEX runs_round ON runs (round_id, run_id);

CREATE TABLE keys (
  key_id TEXT PRIMARY KEY,
  public_key BLOB NOT NULL,
  added_at_us INTEGER NOT NULL,
  retired_at_us INTEGER
) STRICT;

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;
)sql"};

constexpr auto kNewest = static_cast<std::int64_t>(kMigrations.size());

Result<std::int64_t> version_of(Connection& connection) {
  Statement statement = TRY(connection.prepare("SELECT coalesce(max(version), 0) FROM schema_version"));
  TRY(statement.step());
  return statement.integer_at(0);
}

// A slip of the file's name must not put our tables among another program's.
Result<> refuse_foreign(Connection& connection, std::string_view name) {
  Statement statement = TRY(connection.prepare(
      "SELECT count(*), coalesce(sum(name = 'schema_version'), 0) FROM sqlite_master WHERE type = 'table'"));
  TRY(statement.step());
  if (statement.integer_at(0) == 0 || statement.integer_at(1) > 0) {
    return {};
  }
  return make_error(
      ErrorKind::invalid,
      fmt::format("database {} holds another program's tables. They were not touched; name another file", name));
}

}  // namespace

Result<> migrate(Connection& connection, std::string_view name) {
  // Two processes may open a new database at once: what is there is looked at inside the transaction.
  Transaction transaction = TRY(Transaction::begin(connection));
  TRY(refuse_foreign(connection, name));
  TRY(connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY) STRICT"));
  std::int64_t version = TRY(version_of(connection));
  if (version > kNewest) {
    return make_error(ErrorKind::invalid,
                      fmt::format("database {} has schema version {}; this build knows versions up to {}. "
                                  "Nothing was changed; use the newer parallax that made it.",
                                  name, version, kNewest));
  }
  for (; version < kNewest; ++version) {
    TRY(connection.execute(kMigrations[static_cast<std::size_t>(version)]));
    TRY(connection.execute(fmt::format("INSERT INTO schema_version (version) VALUES ({})", version + 1)));
  }
  return transaction.commit();
}

}  // namespace parallax::store::sqlite
