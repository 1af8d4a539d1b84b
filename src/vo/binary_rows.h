// Walks the decoded bytes of a BINARY or BINARY2 stream row by row, without keeping them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "vo/datatype.h"
#include "vo/votable_summary.h"

namespace parallax::vo {

enum class NullMask { none, before_each_row };  // BINARY; BINARY2

struct BinaryLimits {
  std::uint64_t cell_bytes_max = 0;
  std::uint64_t rows_max = 0;
};

// Thread safety: one thread.
class BinaryRows {
 public:
  // Errors: `refused` with code "cell-size" for a fixed field larger than a cell may be; `corrupt` with code
  // "unknown-datatype", "bad-arraysize" or "empty-rows" for fields whose rows cannot be told apart.
  static Result<BinaryRows> make(const std::vector<Field>& fields, NullMask mask, BinaryLimits limits);

  // Errors: `refused` with code "cell-size" or "rows"; `corrupt` with code "binary-count". Nothing is ever allocated
  // for a count that the stream claims.
  Result<> push(std::string_view bytes);

  // Whether the bytes so far end where a row ends.
  bool at_row_end() const { return step_ == Step::row_start && held_ == 0; }

  std::uint64_t rows() const { return rows_; }

  std::uint64_t cells() const { return cells_; }

  std::uint64_t null_cells() const { return null_cells_; }

 private:
  enum class NullRule { never, empty, equal, not_a_number_4, not_a_number_8, unknown_truth, text, wide_text };
  enum class Step { row_start, cell_start, scalar, skip };

  struct Column {
    std::uint64_t element_bytes = 0;  // 0: bits
    std::uint64_t fixed_bytes = 0;
    bool is_variable = false;
    bool is_checked_scalar = false;  // short enough to be looked at as a whole
    NullRule rule = NullRule::never;
    std::array<char, 8> null_bytes{};  // of `equal`
    std::string null_text;             // of `text`
  };

  static Result<Column> plan(const Field& field, std::uint64_t cell_bytes_max);
  static void plan_null(const Field& field, Datatype type, Column& column);

  bool gather(std::string_view& bytes, std::size_t wanted, const char*& found);
  bool is_null_array() const;
  bool needs_no_bytes() const;
  void start_row(const char* mask);
  Result<> start_variable(const char* count_bytes);
  void skip(std::string_view& bytes);
  void look_at_text(std::string_view piece);
  Result<> end_cell(bool is_null);
  static bool is_null_scalar(const Column& column, const char* value);

  std::vector<Column> columns_;
  std::size_t mask_bytes_ = 0;
  BinaryLimits limits_;

  Step step_ = Step::row_start;
  std::size_t column_ = 0;
  std::vector<char> mask_;
  std::vector<char> carry_;  // the start of something that the last piece cut: a mask, a count or a scalar
  std::size_t held_ = 0;     // bytes in carry_
  std::uint64_t skip_left_ = 0;
  std::uint64_t cell_bytes_ = 0;
  // Of a text cell: what is known of it while its bytes pass.
  std::uint64_t text_seen_ = 0;
  std::size_t text_matched_ = 0;
  bool text_ended_ = false;
  bool text_differs_ = false;

  std::uint64_t rows_ = 0;
  std::uint64_t cells_ = 0;
  std::uint64_t null_cells_ = 0;
};

}  // namespace parallax::vo
