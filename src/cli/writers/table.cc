#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/writers/writer.h"

namespace parallax::cli {

namespace {

// One line per query, aligned for people, as they come.
class TableWriter final : public MeasurementWriter {
 public:
  explicit TableWriter(TextSink sink) : sink_(std::move(sink)) {}

  Result<> write(const Measurement& m) override {
    std::string text;
    if (!header_) {
      header_ = true;
      text = fmt::format("{:<28} {:<5} {:>11} {:>10} {:>10} {:>10} {:>7} {:>5}  {}\n", "service", "type", "ra,dec",
                         "total", "first byte", "bytes", "rows", "cols", "verdict");
    }
    const std::string place = m.ra && m.dec ? fmt::format("{:.2f},{:.2f}", *m.ra, *m.dec) : "";
    const std::string why = m.code.empty() && m.message.empty() ? "" : fmt::format(" {} {}", m.code, m.message);
    text +=
        fmt::format("{:<28} {:<5} {:>11} {:>10} {:>10} {:>10} {:>7} {:>5}  {}{}\n", terminal_safe(m.service, 28),
                    m.mode == "async" ? m.mode : m.type, place, to_human(Micros(m.total_us)),
                    m.times.first_byte_us ? to_human(Micros(*m.times.first_byte_us)) : "-",
                    m.bytes_wire ? fmt::format("{}", *m.bytes_wire) : "-", m.rows ? fmt::format("{}", *m.rows) : "-",
                    m.columns ? fmt::format("{}", *m.columns) : "-", to_string(m.verdict), terminal_safe(why, 200));
    return sink_(text);
  }

 private:
  const TextSink sink_;
  bool header_ = false;
};

}  // namespace

std::unique_ptr<MeasurementWriter> make_table_writer(TextSink sink) {
  return std::make_unique<TableWriter>(std::move(sink));
}

}  // namespace parallax::cli
