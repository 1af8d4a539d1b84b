#include "codec/csv.h"

#include <utility>

#include "base/text.h"
#include "cli/writers/writer.h"

namespace parallax::cli {

namespace {

// Foreign text whose control characters would act on a terminal; the lines of a query stay lines.
std::string printable(std::string_view text) {
  std::string result;
  for (const std::string_view line : split(text, '\n')) {
    result += terminal_safe(line, text.size() * 4) + '\n';
  }
  result.pop_back();
  return result;
}

class CsvMeasurementWriter final : public MeasurementWriter {
 public:
  explicit CsvMeasurementWriter(TextSink sink) : sink_(std::move(sink)) {}

  Result<> write(const Measurement& measurement) override {
    const Json json = to_json(measurement);
    std::string text;
    CsvLine line;
    if (!header_) {
      header_ = true;
      for (const auto& [name, value] : *json.members()) {
        line.text(name);
      }
      text = line.take();
    }
    for (const auto& [name, value] : *json.members()) {
      if (value.is_number()) {
        line.number(value.dump());
      } else if (const std::string* string = value.string()) {
        line.text(printable(*string));
      } else {
        line.text(value.is_null() ? "" : value.dump());
      }
    }
    return sink_(text + line.take());
  }

 private:
  const TextSink sink_;
  bool header_ = false;
};

}  // namespace

std::unique_ptr<MeasurementWriter> make_csv_writer(TextSink sink) {
  return std::make_unique<CsvMeasurementWriter>(std::move(sink));
}

}  // namespace parallax::cli
