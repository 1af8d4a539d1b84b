// CSV as of RFC 4180, read and written. Cells that a spreadsheet would take for a formula are defused when written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/located.h"

namespace parallax {

struct CsvField {
  std::string text;
  Place place;
};

using CsvRecord = std::vector<CsvField>;

struct CsvLimits {
  std::size_t bytes_max = 64U << 20U;
  std::size_t records_max = 1'000'000;
  std::size_t fields_max = 1000;  // in a record
};

// Empty lines are left out. Error: invalid, its message being "file:line:column: ..." with the line and a caret;
// refused for limits.
Result<std::vector<CsvRecord>> parse_csv(std::string_view file_name, std::string_view text,
                                         const CsvLimits& limits = {});

// One line of CSV.
//   CsvLine line; line.text(name).number("0.25"); out += line.take();
class CsvLine {
 public:
  // Foreign text: one that begins with = + - @ tab or CR gets a leading apostrophe, so that no spreadsheet runs it.
  CsvLine& text(std::string_view cell);
  // Written by us, such as a number: as it is.
  CsvLine& number(std::string_view cell);
  // The line with its LF; the object is empty again.
  std::string take();

 private:
  void put(std::string_view cell);

  std::string line_;
  bool has_cells_ = false;
};

}  // namespace parallax
