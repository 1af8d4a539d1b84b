// The tables in SQLite and how older ones become newer ones.
#pragma once

#include <string_view>

#include "store/sqlite_connection.h"

namespace parallax::store::sqlite {

// Brings the database up to date in one transaction. `name` is for messages. Error: invalid when
// the schema is newer than this build.
Result<> migrate(Connection& connection, std::string_view name);

}  // namespace parallax::store::sqlite
