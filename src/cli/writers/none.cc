#include "cli/writers/writer.h"

namespace parallax::cli {

namespace {

class NoneWriter final : public MeasurementWriter {
 public:
  Result<> write(const Measurement& /*measurement*/) override { return {}; }
};

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): every writer of the list is made from a sink of its own
std::unique_ptr<MeasurementWriter> make_none_writer(TextSink /*sink*/) {
  return std::make_unique<NoneWriter>();
}

}  // namespace parallax::cli
