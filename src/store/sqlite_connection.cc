#include "store/sqlite_connection.h"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace parallax::store::sqlite {

namespace {

// How long a statement waits for another process, such as `parallax keys`, to finish its write.
constexpr int kBusyTimeoutMs = 5000;
constexpr std::size_t kStatementsMax = 100;

ErrorKind kind_of(int status) {
  switch (status & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return ErrorKind::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::corrupt;
    default:
      return ErrorKind::internal;
  }
}

Error sqlite_error(sqlite3* database, int status) {
  Error error =
      make_error(kind_of(status),
                 fmt::format("database: {}", database == nullptr ? sqlite3_errstr(status) : sqlite3_errmsg(database)));
  error.code = sqlite3_errstr(status);
  return error;
}

}  // namespace

Statement::~Statement() {
  if (owner_ == Owner::self) {
    sqlite3_finalize(statement_);
  } else if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      owner_(other.owner_),
      parameter_(other.parameter_),
      status_(other.status_) {}

Statement& Statement::text(std::string_view value) {
  // A null pointer would bind NULL; our columns are NOT NULL.
  const char* data = value.data() == nullptr ? "" : value.data();
  const int status =
      sqlite3_bind_text64(statement_, ++parameter_, data, value.size(), nullptr /* SQLITE_STATIC */, SQLITE_UTF8);
  status_ = status_ == SQLITE_OK ? status : status_;
  return *this;
}

Statement& Statement::blob(std::string_view value) {
  const int status = sqlite3_bind_blob64(statement_, ++parameter_, value.data(), value.size(), nullptr);
  status_ = status_ == SQLITE_OK ? status : status_;
  return *this;
}

Statement& Statement::integer(std::int64_t value) {
  const int status = sqlite3_bind_int64(statement_, ++parameter_, value);
  status_ = status_ == SQLITE_OK ? status : status_;
  return *this;
}

Statement& Statement::null() {
  const int status = sqlite3_bind_null(statement_, ++parameter_);
  status_ = status_ == SQLITE_OK ? status : status_;
  return *this;
}

Result<bool> Statement::step() {
  if (status_ != SQLITE_OK) {
    return sqlite_error(nullptr, status_);
  }
  const int status = sqlite3_step(statement_);
  if (status != SQLITE_ROW && status != SQLITE_DONE) {
    return sqlite_error(database_, status);
  }
  return status == SQLITE_ROW;
}

Result<> Statement::run() {
  while (TRY(step())) {
  }
  return {};
}

std::string_view Statement::text_at(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const int bytes = sqlite3_column_bytes(statement_, column);
  return text == nullptr ? std::string_view() : std::string_view(text, static_cast<std::size_t>(bytes));
}

std::string_view Statement::blob_at(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int bytes = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<std::size_t>(bytes));
}

std::int64_t Statement::integer_at(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> Statement::optional_at(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) {
    return std::nullopt;
  }
  return integer_at(column);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access) {
  sqlite3* database = nullptr;
  // Readers too open for reading and writing: in WAL mode they take part in the shared memory file.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (access == Access::write ? SQLITE_OPEN_CREATE : 0);
  const int status = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database));
  if (status != SQLITE_OK) {
    return Result<std::unique_ptr<Connection>>(sqlite_error(database, status))
        .with_context(fmt::format("opening database {}", path));
  }
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  TRY(connection->execute("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"));
  if (access == Access::write) {
    TRY(connection->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"));
  } else {
    TRY(connection->execute("PRAGMA query_only = ON;"));
  }
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(database_);
}

Result<sqlite3_stmt*> Connection::compile(std::string_view sql, unsigned flags) {
  sqlite3_stmt* statement = nullptr;
  const int status =
      sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr);
  if (status != SQLITE_OK) {
    return sqlite_error(database_, status);
  }
  return statement;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  std::string key(sql);
  const auto found = statements_.find(key);
  if (found != statements_.end()) {
    return Statement(database_, found->second, Statement::Owner::cache);
  }
  CHECK(statements_.size() < kStatementsMax, "statements must come from a small set");
  sqlite3_stmt* statement = TRY(compile(sql, SQLITE_PREPARE_PERSISTENT));
  statements_.emplace(std::move(key), statement);
  return Statement(database_, statement, Statement::Owner::cache);
}

Result<Statement> Connection::prepare_once(std::string_view sql) {
  return Statement(database_, TRY(compile(sql, 0)), Statement::Owner::self);
}

Result<> Connection::execute(const std::string& sql) {
  const int status = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) {
    return sqlite_error(database_, status);
  }
  return {};
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(database_);
}

Result<Transaction> Transaction::begin(Connection& connection) {
  Statement statement = TRY(connection.prepare("BEGIN IMMEDIATE"));
  TRY(statement.run());
  return Transaction(connection);
}

Transaction::Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  // After some errors (disk full) SQLite has rolled back by itself.
  if (connection_ != nullptr && sqlite3_get_autocommit(connection_->raw()) == 0) {
    ignore(connection_->execute("ROLLBACK"), "what stays open is undone when the connection closes");
  }
}

Result<> Transaction::commit() {
  Statement statement = TRY(connection_->prepare("COMMIT"));
  TRY(statement.run());
  connection_ = nullptr;
  return {};
}

}  // namespace parallax::store::sqlite
