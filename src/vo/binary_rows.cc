#include "vo/binary_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "vo/cell_text.h"

namespace parallax::vo {

namespace {

constexpr std::size_t kCountBytes = 4;

Error row_error(ErrorKind kind, std::string code, std::string message) {
  Error error = make_error(kind, std::move(message));
  error.code = std::move(code);
  return error;
}

std::uint64_t big_endian(const char* bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

Error too_large(std::uint64_t bytes, std::uint64_t bytes_max) {
  return row_error(ErrorKind::refused, "cell-size",
                   fmt::format("an array of {} bytes is over the limit of {} for a cell", bytes, bytes_max));
}

}  // namespace

Result<BinaryRows> BinaryRows::make(const std::vector<Field>& fields, NullMask mask, BinaryLimits limits) {
  BinaryRows rows;
  rows.limits_ = limits;
  bool takes_bytes = false;
  for (const Field& field : fields) {
    rows.columns_.push_back(TRY(plan(field, limits.cell_bytes_max)));
    takes_bytes = takes_bytes || rows.columns_.back().is_variable || rows.columns_.back().fixed_bytes > 0;
  }
  if (mask == NullMask::before_each_row) {
    rows.mask_bytes_ = (fields.size() + 7) / 8;
  }
  if (!takes_bytes && rows.mask_bytes_ == 0) {
    return row_error(ErrorKind::corrupt, "empty-rows", "rows take no bytes: they cannot be counted");
  }
  rows.mask_.resize(rows.mask_bytes_);
  rows.carry_.resize(std::max<std::size_t>(rows.mask_bytes_, 16));
  return rows;
}

Result<BinaryRows::Column> BinaryRows::plan(const Field& field, std::uint64_t cell_bytes_max) {
  const Datatype type = parse_datatype(field.datatype);
  if (type == Datatype::unknown) {
    return row_error(ErrorKind::corrupt, "unknown-datatype",
                     fmt::format("field '{}' has the unknown datatype '{}': its rows cannot be told apart",
                                 terminal_safe(field.name, 80), terminal_safe(field.datatype, 40)));
  }
  const ArrayShape shape = parse_arraysize(field.arraysize);
  if (!shape.valid) {
    return row_error(ErrorKind::corrupt, "bad-arraysize",
                     fmt::format("field '{}' has the arraysize '{}': its rows cannot be told apart",
                                 terminal_safe(field.name, 80), terminal_safe(field.arraysize, 40)));
  }
  Column column;
  column.element_bytes = element_bytes(type);
  column.is_variable = shape.is_variable;
  column.fixed_bytes = shape.is_variable ? 0 : fixed_bytes(type, shape.count);
  if (column.fixed_bytes > cell_bytes_max) {
    return too_large(column.fixed_bytes, cell_bytes_max);
  }
  column.is_checked_scalar = !shape.is_variable && shape.count == 1 && !is_text(type);
  plan_null(field, type, column);
  return column;
}

void BinaryRows::plan_null(const Field& field, Datatype type, Column& column) {
  if (is_text(type)) {
    column.rule = type == Datatype::character ? NullRule::text : NullRule::wide_text;
    column.null_text = field.null_value;
  } else if (column.is_variable) {
    column.rule = NullRule::empty;
  } else if (!column.is_checked_scalar) {
    column.rule = NullRule::never;
  } else if (is_integer(type) && field.has_null_value) {
    if (const auto value = parse_integer(field.null_value)) {
      column.rule = NullRule::equal;
      for (std::size_t i = 0; i < column.fixed_bytes; ++i) {
        const std::size_t shift = 8 * (static_cast<std::size_t>(column.fixed_bytes) - 1 - i);
        column.null_bytes[i] = static_cast<char>(static_cast<std::uint64_t>(*value) >> shift & 0xFFU);
      }
    }
  } else if (type == Datatype::float_number) {
    column.rule = NullRule::not_a_number_4;
  } else if (type == Datatype::double_number) {
    column.rule = NullRule::not_a_number_8;
  } else if (type == Datatype::boolean) {
    column.rule = NullRule::unknown_truth;
  }
}

// Finds `wanted` bytes in one piece: in `bytes` itself, or in carry_ where an earlier push cut them. False: not yet.
bool BinaryRows::gather(std::string_view& bytes, std::size_t wanted, const char*& found) {
  if (held_ == 0 && bytes.size() >= wanted) {
    found = bytes.data();
    bytes.remove_prefix(wanted);
    return true;
  }
  const std::size_t taken = std::min(wanted - held_, bytes.size());
  std::copy_n(bytes.begin(), taken, carry_.begin() + static_cast<std::ptrdiff_t>(held_));
  held_ += taken;
  bytes.remove_prefix(taken);
  if (held_ < wanted) {
    return false;
  }
  found = carry_.data();
  held_ = 0;
  return true;
}

Result<> BinaryRows::push(std::string_view bytes) {
  const char* found = nullptr;
  while (!bytes.empty() || needs_no_bytes()) {
    switch (step_) {
      case Step::row_start:
        if (!gather(bytes, mask_bytes_, found)) {
          return {};
        }
        start_row(found);
        break;
      case Step::cell_start:
        if (columns_[column_].is_variable) {
          if (!gather(bytes, kCountBytes, found)) {
            return {};
          }
          TRY(start_variable(found));
        } else {
          cell_bytes_ = skip_left_ = columns_[column_].fixed_bytes;
          step_ = columns_[column_].is_checked_scalar ? Step::scalar : Step::skip;
        }
        break;
      case Step::scalar:
        if (!gather(bytes, static_cast<std::size_t>(cell_bytes_), found)) {
          return {};
        }
        TRY(end_cell(is_null_scalar(columns_[column_], found)));
        break;
      case Step::skip:
        skip(bytes);
        if (skip_left_ == 0) {
          TRY(end_cell(is_null_array()));
        }
        break;
    }
  }
  return {};
}

// Of a cell that was skipped over to its end: by its rule, an empty one, or a text that is empty or the null value.
bool BinaryRows::is_null_array() const {
  const Column& column = columns_[column_];
  if (column.rule == NullRule::text || column.rule == NullRule::wide_text) {
    return !text_differs_ && (text_matched_ == 0 || text_matched_ == column.null_text.size());
  }
  return column.rule == NullRule::empty && cell_bytes_ == 0;
}

// Whether the next step can be done without input: an array of no elements at the end of what has arrived.
bool BinaryRows::needs_no_bytes() const {
  if (step_ == Step::skip) {
    return skip_left_ == 0;
  }
  return step_ == Step::cell_start && !columns_[column_].is_variable && columns_[column_].fixed_bytes == 0;
}

void BinaryRows::start_row(const char* mask) {
  std::copy_n(mask, mask_bytes_, mask_.begin());
  column_ = 0;
  step_ = Step::cell_start;
}

Result<> BinaryRows::start_variable(const char* count_bytes) {
  const std::uint64_t count = big_endian(count_bytes, kCountBytes);
  if (count > 0x7FFFFFFFU) {
    return row_error(ErrorKind::corrupt, "binary-count",
                     fmt::format("row {}, column {}: an array with a negative count", rows_ + 1, column_ + 1));
  }
  const std::uint64_t element = columns_[column_].element_bytes;
  const std::uint64_t size = element == 0 ? (count + 7) / 8 : count * element;
  if (size > limits_.cell_bytes_max) {
    return too_large(size, limits_.cell_bytes_max);
  }
  cell_bytes_ = skip_left_ = size;
  step_ = Step::skip;
  return {};
}

void BinaryRows::skip(std::string_view& bytes) {
  const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(skip_left_, bytes.size()));
  const NullRule rule = columns_[column_].rule;
  if ((rule == NullRule::text || rule == NullRule::wide_text) && !text_differs_ && !text_ended_) {
    look_at_text(bytes.substr(0, taken));
  }
  skip_left_ -= taken;
  bytes.remove_prefix(taken);
}

// Text in a binary cell ends at the first NUL. Stops looking as soon as the cell is known to hold a value.
void BinaryRows::look_at_text(std::string_view piece) {
  const Column& column = columns_[column_];
  for (const char byte : piece) {
    if (column.rule == NullRule::wide_text) {
      text_differs_ = byte != '\0';
      text_ended_ = ++text_seen_ == 2;
    } else if (byte == '\0') {
      text_ended_ = true;
    } else if (text_matched_ < column.null_text.size() && byte == column.null_text[text_matched_]) {
      ++text_matched_;
    } else {
      text_differs_ = true;
    }
    if (text_differs_ || text_ended_) {
      return;
    }
  }
}

bool BinaryRows::is_null_scalar(const Column& column, const char* value) {
  switch (column.rule) {
    case NullRule::equal:
      return std::memcmp(value, column.null_bytes.data(), static_cast<std::size_t>(column.fixed_bytes)) == 0;
    case NullRule::not_a_number_4:
      return (big_endian(value, 4) & 0x7FFFFFFFU) > 0x7F800000U;
    case NullRule::not_a_number_8:
      return (big_endian(value, 8) & 0x7FFFFFFFFFFFFFFFU) > 0x7FF0000000000000U;
    case NullRule::unknown_truth:
      return *value == '?' || *value == ' ' || *value == '\0';
    case NullRule::never:
    case NullRule::empty:
    case NullRule::text:
    case NullRule::wide_text:
      break;
  }
  return false;
}

Result<> BinaryRows::end_cell(bool is_null) {
  ++cells_;
  const bool is_masked =
      mask_bytes_ > 0 &&
      (static_cast<unsigned>(static_cast<unsigned char>(mask_[column_ / 8])) >> (7 - column_ % 8) & 1U) != 0;
  null_cells_ += is_null || is_masked ? 1 : 0;
  text_seen_ = 0;
  text_matched_ = 0;
  text_ended_ = false;
  text_differs_ = false;
  step_ = Step::cell_start;
  if (++column_ < columns_.size()) {
    return {};
  }
  step_ = Step::row_start;
  if (++rows_ > limits_.rows_max) {
    return row_error(ErrorKind::refused, "rows", fmt::format("more than {} rows", limits_.rows_max));
  }
  return {};
}

}  // namespace parallax::vo
