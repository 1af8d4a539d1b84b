// Tables that are not VOTables, as TAP services send them when asked: only rows and columns are counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax::vo {

// Records of CSV or tab-separated text; the first one is the header. Thread safety: one thread.
class CsvCounter {
 public:
  void push(std::string_view bytes);
  void finish();

  std::int64_t rows() const { return records_ > 0 ? records_ - 1 : 0; }

  std::int64_t columns() const { return columns_; }

  // Whether it ended inside quotes.
  bool is_cut() const { return quoted_; }

 private:
  void end_record();

  bool quoted_ = false;
  bool in_record_ = false;
  std::int64_t records_ = 0;
  std::int64_t columns_ = 0;
};

// The first binary or ASCII table of a FITS file: its header tells both counts. Thread safety: one thread.
class FitsScanner {
 public:
  void push(std::string_view bytes);
  // An error (corrupt) with code "fits-truncated" if the table is not complete, "fits" if there is none.
  Result<> finish() const;

  std::int64_t rows() const { return rows_; }

  std::int64_t columns() const { return columns_; }

 private:
  enum class Part { header, data, done, broken };

  void take_card(std::string_view card);
  void end_header();

  Part part_ = Part::header;
  std::string card_;
  std::uint64_t position_ = 0;   // bytes of the header so far
  std::uint64_t data_left_ = 0;  // padding included
  bool header_ended_ = false;
  bool is_table_ = false;
  bool has_axes_ = false;
  std::uint64_t element_bytes_ = 0;
  std::uint64_t elements_ = 0;  // product of the axes
  std::uint64_t parameters_ = 0;
  std::uint64_t axis_2_ = 0;
  std::uint64_t fields_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
};

}  // namespace parallax::vo
