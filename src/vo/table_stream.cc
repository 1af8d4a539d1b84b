#include "vo/table_stream.h"

#include <utility>

#include <fmt/format.h>

namespace parallax::vo {

TableStream::TableStream(BinaryRows rows, StreamPacking packing, InflateLimits limits) : rows_(std::move(rows)) {
  if (packing == StreamPacking::gzip) {
    inflater_ = std::make_unique<Inflater>(InflateFormat::gzip, limits);
  }
}

Result<> TableStream::push(std::string_view text) {
  bytes_.clear();
  Result<> decoded = decoder_.push(text, bytes_);
  // What came before a bad character still counts.
  if (inflater_) {
    TRY(inflater_->push(bytes_, [this](std::string_view piece) { return rows_.push(piece); }));
  } else {
    TRY(rows_.push(bytes_));
  }
  if (!decoded) {
    Error error = std::move(decoded).error();
    error.code = "bad-base64";
    return error;
  }
  return {};
}

Result<> TableStream::finish() {
  Result<> decoded = decoder_.finish();
  if (!decoded) {
    Error error = std::move(decoded).error();
    error.code = "bad-base64";
    return error;
  }
  if (inflater_) {
    TRY(inflater_->finish());
  }
  if (!rows_.at_row_end()) {
    Error error = make_error(ErrorKind::corrupt, fmt::format("the stream ends inside row {}", rows_.rows() + 1));
    error.code = "partial-row";
    return error;
  }
  return {};
}

}  // namespace parallax::vo
