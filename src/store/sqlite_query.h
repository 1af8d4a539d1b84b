// Reading measurements out of SQLite: pages of records, and summaries.
#pragma once

#include "store/sqlite_connection.h"
#include "store/store.h"

namespace parallax::store::sqlite {

Result<MeasurementPage> query_measurements(Connection& connection, const MeasurementFilter& filter);
Result<Summary> summary(Connection& connection, const SummaryFilter& filter);
Result<Latest> latest(Connection& connection, std::string_view fleet);

}  // namespace parallax::store::sqlite
