#include "vo/table_stream.h"

#include <utility>

#include <fmt/format.h>

namespace parallax::vo {

TableStream::TableStream(Content content, StreamPacking packing, InflateLimits limits) : content_(std::move(content)) {
  if (packing == StreamPacking::gzip) {
    inflater_ = std::make_unique<Inflater>(InflateFormat::gzip, limits);
  }
}

Result<> TableStream::push(std::string_view text) {
  bytes_.clear();
  Result<> decoded = decoder_.push(text, bytes_);
  // What came before a bad character still counts.
  if (inflater_) {
    TRY(inflater_->push(bytes_, [this](std::string_view piece) { return take(piece); }));
  } else {
    TRY(take(bytes_));
  }
  if (!decoded) {
    Error error = std::move(decoded).error();
    error.code = "bad-base64";
    return error;
  }
  return {};
}

Result<> TableStream::take(std::string_view bytes) {
  if (auto* fits = std::get_if<FitsScanner>(&content_)) {
    fits->push(bytes);
    return {};
  }
  return std::get<BinaryRows>(content_).push(bytes);
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
  if (const auto* fits = std::get_if<FitsScanner>(&content_)) {
    return fits->finish();
  }
  const auto& rows = std::get<BinaryRows>(content_);
  if (!rows.at_row_end()) {
    Error error = make_error(ErrorKind::corrupt, fmt::format("the stream ends inside row {}", rows.rows() + 1));
    error.code = "partial-row";
    return error;
  }
  return {};
}

}  // namespace parallax::vo
