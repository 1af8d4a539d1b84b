#include "cli/writers.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/world.h"
#include "codec/csv.h"

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

class NoneWriter final : public MeasurementWriter {
 public:
  void write(const Measurement& /*measurement*/) override {}
};

class NdjsonWriter final : public MeasurementWriter {
 public:
  void write(const Measurement& measurement) override { print(to_json(measurement).dump() + "\n"); }
};

// One line per query, aligned for people, as they come.
class TableWriter final : public MeasurementWriter {
 public:
  void write(const Measurement& m) override {
    if (!header_) {
      header_ = true;
      print(fmt::format("{:<28} {:<5} {:>11} {:>10} {:>10} {:>10} {:>7} {:>5}  {}\n", "service", "type", "ra,dec",
                        "total", "first byte", "bytes", "rows", "cols", "verdict"));
    }
    const std::string place = m.ra && m.dec ? fmt::format("{:.2f},{:.2f}", *m.ra, *m.dec) : "";
    const std::string why = m.code.empty() && m.message.empty() ? "" : fmt::format(" {} {}", m.code, m.message);
    print(fmt::format("{:<28} {:<5} {:>11} {:>10} {:>10} {:>10} {:>7} {:>5}  {}{}\n", terminal_safe(m.service, 28),
                      m.type, place, to_human(Micros(m.total_us)),
                      m.times.first_byte_us ? to_human(Micros(*m.times.first_byte_us)) : "-",
                      m.bytes_wire ? fmt::format("{}", *m.bytes_wire) : "-", m.rows ? fmt::format("{}", *m.rows) : "-",
                      m.columns ? fmt::format("{}", *m.columns) : "-", to_string(m.verdict), terminal_safe(why, 200)));
  }

 private:
  bool header_ = false;
};

class CsvMeasurementWriter final : public MeasurementWriter {
 public:
  void write(const Measurement& measurement) override {
    const Json json = to_json(measurement);
    CsvLine line;
    if (!header_) {
      header_ = true;
      for (const auto& [name, value] : *json.members()) {
        line.text(name);
      }
      print(line.take());
    }
    for (const auto& [name, value] : *json.members()) {
      if (value.is_number()) {
        line.number(value.dump());
      } else if (const std::string* text = value.string()) {
        line.text(printable(*text));
      } else {
        line.text(value.is_null() ? "" : value.dump());
      }
    }
    print(line.take());
  }

 private:
  bool header_ = false;
};

}  // namespace

Result<std::unique_ptr<MeasurementWriter>> make_writer(std::string_view name) {
  if (name == "table") {
    return std::unique_ptr<MeasurementWriter>(std::make_unique<TableWriter>());
  }
  if (name == "ndjson") {
    return std::unique_ptr<MeasurementWriter>(std::make_unique<NdjsonWriter>());
  }
  if (name == "csv") {
    return std::unique_ptr<MeasurementWriter>(std::make_unique<CsvMeasurementWriter>());
  }
  if (name == "none") {
    return std::unique_ptr<MeasurementWriter>(std::make_unique<NoneWriter>());
  }
  return make_error(ErrorKind::invalid, fmt::format("--output: '{}' is not table, ndjson, csv or none", name));
}

}  // namespace parallax::cli
