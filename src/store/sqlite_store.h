// The Store in SQLite: one writer connection, readers with connections of their own (WAL), synchronous=FULL.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace parallax::store {

struct SqliteOptions {
  std::int64_t pages_max = 0;  // of 4 KiB: how large the database may grow; 0: as large as the disk
};

// `path` may be ":memory:": one connection that serves everybody in turn.
Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path, const SqliteOptions& options = {});

}  // namespace parallax::store
