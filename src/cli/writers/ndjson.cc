#include <utility>

#include "cli/writers/writer.h"

namespace parallax::cli {

namespace {

class NdjsonWriter final : public MeasurementWriter {
 public:
  explicit NdjsonWriter(TextSink sink) : sink_(std::move(sink)) {}

  Result<> write(const Measurement& measurement) override { return sink_(to_json(measurement).dump() + "\n"); }

 private:
  const TextSink sink_;
};

}  // namespace

std::unique_ptr<MeasurementWriter> make_ndjson_writer(TextSink sink) {
  return std::make_unique<NdjsonWriter>(std::move(sink));
}

}  // namespace parallax::cli
