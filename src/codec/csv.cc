#include "codec/csv.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax {

namespace {

class Reader {
 public:
  Reader(std::string_view file, std::string_view text, const CsvLimits& limits)
      : file_(file), text_(text), limits_(limits) {}

  Result<std::vector<CsvRecord>> read() {
    std::vector<CsvRecord> records;
    if (text_.starts_with("\xEF\xBB\xBF")) {
      at_ = line_start_ = 3;
    }
    while (at_ < text_.size()) {
      if (take_line_end()) {
        continue;
      }
      records.push_back(TRY(read_record()));
      if (records.size() > limits_.records_max) {
        return error(at_, fmt::format("more records than the limit of {}", limits_.records_max), ErrorKind::refused);
      }
    }
    return records;
  }

 private:
  Place place(std::size_t offset) const { return {line_, offset - line_start_ + 1}; }

  Error error(std::size_t offset, std::string_view message, ErrorKind kind = ErrorKind::invalid) const {
    return error(place(offset), message, kind);
  }

  Error error(Place where, std::string_view message, ErrorKind kind = ErrorKind::invalid) const {
    return make_error(kind, point_at(file_, text_, where.line, where.column, message));
  }

  bool take_line_end() {
    if (text_.substr(at_).starts_with("\r\n")) {
      ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '\n') {
      ++at_;
      ++line_;
      line_start_ = at_;
      return true;
    }
    return false;
  }

  Result<CsvRecord> read_record() {
    CsvRecord record;
    for (;;) {
      if (record.size() == limits_.fields_max) {
        return error(at_, fmt::format("more fields than the limit of {}", limits_.fields_max), ErrorKind::refused);
      }
      record.push_back(TRY(read_field()));
      if (at_ == text_.size() || take_line_end()) {
        return record;
      }
      if (text_[at_] != ',') {
        return error(at_, "',' or the end of the line expected after the closing quote");
      }
      ++at_;
    }
  }

  Result<CsvField> read_field() {
    CsvField field;
    field.place = place(at_);
    if (at_ == text_.size() || text_[at_] != '"') {
      const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
      field.text = text_.substr(at_, end - at_);
      at_ = end;
      if (at_ < text_.size() && text_[at_] == '\n' && field.text.ends_with('\r')) {
        field.text.pop_back();
      }
      return field;
    }
    ++at_;
    for (;; ++at_) {
      if (at_ == text_.size()) {
        return error(field.place, "this quote is never closed");
      }
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (at_ == text_.size() || text_[at_] != '"') {
          return field;
        }
      } else if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
      field.text += c;
    }
  }

  const std::string_view file_;
  const std::string_view text_;
  const CsvLimits limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
};

}  // namespace

Result<std::vector<CsvRecord>> parse_csv(std::string_view file_name, std::string_view text, const CsvLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return make_error(ErrorKind::refused,
                      fmt::format("{}: larger than the limit of {} bytes", file_name, limits.bytes_max));
  }
  return Reader(file_name, text, limits).read();
}

void CsvLine::put(std::string_view cell) {
  if (has_cells_) {
    line_ += ',';
  }
  has_cells_ = true;
  if (cell.find_first_of("\",\r\n") == std::string_view::npos) {
    line_ += cell;
    return;
  }
  line_ += '"';
  for (const char c : cell) {
    line_ += c;
    if (c == '"') {
      line_ += c;
    }
  }
  line_ += '"';
}

CsvLine& CsvLine::text(std::string_view cell) {
  if (!cell.empty() && std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos) {
    put("'" + std::string(cell));
  } else {
    put(cell);
  }
  return *this;
}

CsvLine& CsvLine::number(std::string_view cell) {
  put(cell);
  return *this;
}

std::string CsvLine::take() {
  has_cells_ = false;
  std::string line = std::move(line_);
  line_.clear();
  line += '\n';
  return line;
}

}  // namespace parallax
