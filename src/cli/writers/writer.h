// Where measurements go as they come: a list of small writers, each in a file of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "record/measurement.h"

namespace parallax::cli {

// Takes text: standard output or a file. An error ends the writer, not the run.
using TextSink = std::function<Result<>(std::string_view text)>;

// Thread safety: one task at a time.
class MeasurementWriter {
 public:
  virtual ~MeasurementWriter() = default;
  // Must not wait for long: it is called between queries. An error says what was not kept.
  virtual Result<> write(const Measurement& measurement) = 0;

  // After the last record, once.
  virtual Result<> finish() { return {}; }
};

struct WriterKind {
  std::string_view name;
  std::string_view help;
  std::unique_ptr<MeasurementWriter> (*make)(TextSink sink);
};

std::unique_ptr<MeasurementWriter> make_table_writer(TextSink sink);
std::unique_ptr<MeasurementWriter> make_ndjson_writer(TextSink sink);
std::unique_ptr<MeasurementWriter> make_csv_writer(TextSink sink);
std::unique_ptr<MeasurementWriter> make_servicemon_csv_writer(TextSink sink);
std::unique_ptr<MeasurementWriter> make_none_writer(TextSink sink);

// All formats that --output knows.
const std::vector<WriterKind>& writer_kinds();
// Error: invalid, listing them.
Result<const WriterKind*> writer_kind(std::string_view name);

}  // namespace parallax::cli
