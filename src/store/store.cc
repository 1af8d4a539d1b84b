#include "store/store.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/sqlite_store.h"

namespace parallax::store {

namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::array<std::string_view, 3> kOutcomes = {"stored", "duplicate", "conflict"};

}  // namespace

std::string_view to_string(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

Result<std::unique_ptr<Store>> open_store(std::string_view url) {
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) {
    return open_sqlite_store(std::string(url.substr(kSqlite.size())));
  }
  if (url.starts_with("postgresql:") || url.starts_with("postgres:")) {
    // The URL may hold a password: it is not repeated.
    return make_error(ErrorKind::invalid, "PostgreSQL is not in this build yet; use sqlite:FILE");
  }
  return make_error(ErrorKind::invalid, fmt::format("'{}' names no database: use sqlite:FILE or sqlite::memory:",
                                                    terminal_safe(url.substr(0, url.find("//")), 100)));
}

}  // namespace parallax::store
