// Result files as commands read them back: our NDJSON, our CSV, servicemon's CSV.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/world.h"
#include "record/measurement.h"

namespace parallax::cli {

enum class ResultFormat { ndjson, csv, servicemon };

struct ResultRow {
  std::size_t line = 0;
  Measurement m;
};

struct UnreadRow {
  std::size_t line = 0;
  std::string why;
};

struct Results {
  ResultFormat format = ResultFormat::ndjson;
  std::vector<ResultRow> rows;
  std::vector<UnreadRow> unread;  // lines that are no record
};

inline constexpr std::size_t kResultBytesMax = 256U << 20U;
inline constexpr std::size_t kResultRowsMax = 1'000'000;

std::string_view to_string(ResultFormat format);  // "ndjson", "csv", "servicemon"
// Error: invalid, listing them. "auto" and "" give nothing.
Result<std::optional<ResultFormat>> result_format(std::string_view name);

// `format` absent: told by the first line. A row of servicemon's becomes a measurement with what servicemon knows: its
// time of start is taken for UTC (the file does not say its zone), a row with an error for a `service-error`, unless it
// is one of ours or its status tells more. Error: invalid (neither form), refused (limits).
Result<Results> parse_results(std::string_view file_name, std::string_view text, std::optional<ResultFormat> format);

// The file of that name, of kResultBytesMax at most.
Result<Results> read_results(World& world, const std::string& path, std::optional<ResultFormat> format);

}  // namespace parallax::cli
