#include "vo/other_bodies.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::vo {

namespace {

constexpr std::size_t kCardBytes = 80;
constexpr std::uint64_t kBlockBytes = 2880;
constexpr std::uint64_t kHeaderBytesMax = std::uint64_t{4} << 20;
constexpr std::uint64_t kFitsNumberMax = std::uint64_t{1} << 40;

// Saturates: the numbers come from the file.
std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b ? std::numeric_limits<std::uint64_t>::max()
                                                                     : a * b;
}

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a + std::min(b, std::numeric_limits<std::uint64_t>::max() - a);
}

std::uint64_t card_number(std::string_view card) {
  std::string_view text = trim(card.substr(10));
  if (text.starts_with('-')) {
    text.remove_prefix(1);  // BITPIX is negative for floats; only its size matters here
  }
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::min(value, kFitsNumberMax);
}

Error fits_error(std::string code, std::string message) {
  Error error = make_error(ErrorKind::corrupt, std::move(message));
  error.code = std::move(code);
  return error;
}

}  // namespace

void CsvCounter::push(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '"') {
      quoted_ = !quoted_;
      in_record_ = true;
    } else if (quoted_) {
      continue;
    } else if (c == '\n') {
      end_record();
    } else if (c != '\r') {
      in_record_ = true;
      if (records_ == 0 && (c == ',' || c == '\t')) {
        ++columns_;
      }
    }
  }
}

void CsvCounter::end_record() {
  if (in_record_) {  // blank lines are no records
    columns_ += records_ == 0 ? 1 : 0;
    ++records_;
  }
  in_record_ = false;
}

void CsvCounter::finish() {
  end_record();
}

void FitsScanner::push(std::string_view bytes) {
  while (!bytes.empty() && part_ != Part::done && part_ != Part::broken) {
    if (part_ == Part::data) {
      const std::uint64_t taken = std::min<std::uint64_t>(data_left_, bytes.size());
      data_left_ -= taken;
      data_taken_ += found_ ? taken : 0;
      bytes.remove_prefix(static_cast<std::size_t>(taken));
    } else {
      const std::size_t taken = std::min(kCardBytes - card_.size(), bytes.size());
      card_ += bytes.substr(0, taken);
      bytes.remove_prefix(taken);
      if (card_.size() == kCardBytes) {
        take_card(card_);
        card_.clear();
      }
    }
    if (part_ == Part::data && data_left_ == 0) {
      part_ = found_ ? Part::done : Part::header;
      ++units_;
      position_ = elements_ = parameters_ = axis_1_ = axis_2_ = fields_ = 0;
      has_axes_ = header_ended_ = is_table_ = false;
    }
  }
}

void FitsScanner::take_card(std::string_view card) {
  position_ += kCardBytes;
  const bool is_strange = units_ == 0 && position_ == kCardBytes && !card.starts_with("SIMPLE  =");
  if (is_strange || position_ > kHeaderBytesMax) {
    part_ = Part::broken;
    return;
  }
  if (!header_ended_) {
    const std::string_view key = trim(card.substr(0, 8));
    if (key == "XTENSION") {
      is_table_ = card.find("BINTABLE") != std::string_view::npos || card.find("'TABLE") != std::string_view::npos;
    } else if (key == "BITPIX") {
      element_bytes_ = card_number(card) / 8;
    } else if (key == "PCOUNT") {
      parameters_ = card_number(card);
    } else if (key == "TFIELDS") {
      fields_ = card_number(card);
    } else if (key.starts_with("NAXIS") && key.size() > 5) {
      const std::uint64_t axis = card_number(card);
      elements_ = has_axes_ ? multiply(elements_, axis) : axis;
      has_axes_ = true;
      axis_1_ = key == "NAXIS1" ? axis : axis_1_;
      axis_2_ = key == "NAXIS2" ? axis : axis_2_;
    } else if (key == "END") {
      header_ended_ = true;
    }
  }
  if (header_ended_ && position_ % kBlockBytes == 0) {
    end_header();
  }
}

void FitsScanner::end_header() {
  if (is_table_ && (extension_ == 0 || extension_ == units_)) {
    found_ = true;
    row_bytes_ = axis_1_;
    rows_announced_ = axis_2_;
    columns_ = static_cast<std::int64_t>(fields_);
  }
  const std::uint64_t size = std::min(multiply(add(elements_, parameters_), element_bytes_),
                                      std::numeric_limits<std::uint64_t>::max() - kBlockBytes);
  data_left_ = (size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  part_ = Part::data;
}

// Rows without bytes are not believed: nothing bounds their number.
std::int64_t FitsScanner::rows() const {
  return row_bytes_ == 0 ? 0 : static_cast<std::int64_t>(std::min(rows_announced_, data_taken_ / row_bytes_));
}

Result<> FitsScanner::finish() const {
  if (part_ == Part::done) {
    return {};
  }
  if (part_ == Part::data || !card_.empty() || (part_ == Part::header && position_ > 0)) {
    return fits_error("fits-truncated", "the FITS file ends early");
  }
  return extension_ == 0 ? fits_error("fits", "the FITS file has no table")
                         : fits_error("fits", fmt::format("the FITS file has no table in extension {}", extension_));
}

}  // namespace parallax::vo
