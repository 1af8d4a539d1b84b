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

// A binary or ASCII table of a FITS file. Its header tells the columns; rows are counted as their bytes arrive, so that
// a file that was cut never has more of them than it holds. Thread safety: one thread.
class FitsScanner {
 public:
  // The extension whose table counts (VOTable's `extnum`; the primary header is 0); 0 is the first table of all.
  explicit FitsScanner(std::uint64_t extension = 0) : extension_(extension) {}

  void push(std::string_view bytes);
  // An error (corrupt) with code "fits-truncated" if the table is not complete, "fits" if there is none.
  Result<> finish() const;

  std::int64_t rows() const;

  std::int64_t columns() const { return columns_; }

 private:
  enum class Part { header, data, done, broken };

  void take_card(std::string_view card);
  void end_header();

  std::uint64_t extension_;
  std::uint64_t units_ = 0;  // headers with their data that have been passed
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
  std::uint64_t axis_1_ = 0;
  std::uint64_t axis_2_ = 0;
  std::uint64_t fields_ = 0;
  std::int64_t columns_ = 0;
  // Of the table that counts.
  bool found_ = false;
  std::uint64_t row_bytes_ = 0;
  std::uint64_t rows_announced_ = 0;
  std::uint64_t data_taken_ = 0;
};

}  // namespace parallax::vo
