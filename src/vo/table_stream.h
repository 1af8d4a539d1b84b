// The content of a STREAM element: base64 text, perhaps gzip inside it, and rows inside that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/base64.h"
#include "codec/gzip.h"
#include "vo/binary_rows.h"

namespace parallax::vo {

enum class StreamPacking { plain, gzip };

// Errors as of the parts, with the codes "bad-base64" and "partial-row" added. Thread safety: one thread.
class TableStream {
 public:
  TableStream(BinaryRows rows, StreamPacking packing, InflateLimits limits);

  Result<> push(std::string_view text);
  Result<> finish();

  const BinaryRows& rows() const { return rows_; }

 private:
  BinaryRows rows_;
  Base64Decoder decoder_;
  std::unique_ptr<Inflater> inflater_;  // null where the stream is plain
  std::string bytes_;                   // decoded from one push; reused
};

}  // namespace parallax::vo
