// SQLite as this module needs it: connections with cached statements, and transactions that undo themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace parallax::store::sqlite {

// One use of a prepared statement; the destructor makes it ready for the next one. Text that was bound must live that
// long. Parameters and columns are taken in order.
class Statement {
 public:
  enum class Owner { cache, self };

  Statement(sqlite3* database, sqlite3_stmt* statement, Owner owner)
      : database_(database), statement_(statement), owner_(owner) {}

  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& text(std::string_view value);
  Statement& blob(std::string_view value);
  Statement& integer(std::int64_t value);
  Statement& null();

  template <typename Integer>
  Statement& integer(const std::optional<Integer>& value) {
    return value ? integer(static_cast<std::int64_t>(*value)) : null();
  }

  // True: a row is there to be read. False: done.
  Result<bool> step();
  // For statements that give no rows.
  Result<> run();

  // Columns of the current row; views live until the next step.
  std::string_view text_at(int column) const;
  std::string_view blob_at(int column) const;
  std::int64_t integer_at(int column) const;
  std::optional<std::int64_t> optional_at(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  Owner owner_;  // self: prepared for this one use
  int parameter_ = 0;
  int status_ = 0;  // of the first bind that failed
};

enum class Access { write, read };

// Thread safety: one thread at a time.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `sql` is prepared once for as long as the connection lives, so it must come from a small set.
  Result<Statement> prepare(std::string_view sql);
  // For statements that are put together from parts, such as filters.
  Result<Statement> prepare_once(std::string_view sql);
  // One or several statements without parameters; rows are dropped.
  Result<> execute(const std::string& sql);

  std::int64_t changes() const;  // rows that the last statement changed

  sqlite3* raw() { return database_; }

 private:
  explicit Connection(sqlite3* database) : database_(database) {}

  Result<sqlite3_stmt*> compile(std::string_view sql, unsigned flags);

  sqlite3* database_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

// BEGIN IMMEDIATE; rolls back unless commit() succeeded.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Result<> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  Connection* connection_;  // null once committed
};

}  // namespace parallax::store::sqlite
