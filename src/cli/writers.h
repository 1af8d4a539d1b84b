// How measurements are written to stdout: a list of small writers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "record/measurement.h"

namespace parallax::cli {

class MeasurementWriter {
 public:
  virtual ~MeasurementWriter() = default;
  virtual void write(const Measurement& measurement) = 0;
};

// "table", "ndjson", "csv", "none". Error: invalid, listing them.
Result<std::unique_ptr<MeasurementWriter>> make_writer(std::string_view name);

}  // namespace parallax::cli
