// Measurements on their way in: each line is stored, a duplicate, a conflict, or refused with a reason.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "collector/lines.h"
#include "http/message.h"
#include "record/token.h"
#include "store/store.h"

namespace parallax::collector {

// How old a run may be whose measurements a vantage still adds; below the raw retention.
inline constexpr Micros kSpoolAgeMax = std::chrono::hours(24 * 30);
// How far a run's time may lie in the future; kClockTolerance comes on top.
inline constexpr Micros kFutureMax = std::chrono::minutes(5);

struct IngestResult {
  http::Response response;
  std::size_t records = 0;  // lines that were looked at
  std::size_t refused = 0;
  std::vector<Measurement> throttled;  // of what is stored now for the first time: answered 429 or 503
};

// POST /api/v1/measurements, after the token was checked. All that is accepted is stored in one transaction. `earlier`
// proves which other runs were issued to which vantage, besides what the store knows.
IngestResult ingest_measurements(store::Store& store, const http::Request& request, const TokenPayload& token,
                                 const std::vector<TokenPayload>& earlier, Instant now, const BodyLimits& limits);

// POST /api/v1/runs, after the token was checked: one JSON object or NDJSON. 422 where every record was refused.
IngestResult ingest_runs(store::Store& store, const http::Request& request, const TokenPayload& token, Instant now,
                         const BodyLimits& limits);

}  // namespace parallax::collector
