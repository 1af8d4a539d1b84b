// The content of a STREAM element: base64 text, perhaps gzip inside it, and rows or a FITS file inside that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "codec/base64.h"
#include "codec/gzip.h"
#include "vo/binary_rows.h"
#include "vo/other_bodies.h"

namespace parallax::vo {

enum class StreamPacking { plain, gzip };

// Errors as of the parts, with the codes "bad-base64" and "partial-row" added. Thread safety: one thread.
class TableStream {
 public:
  using Content = std::variant<BinaryRows, FitsScanner>;

  TableStream(Content content, StreamPacking packing, InflateLimits limits);

  Result<> push(std::string_view text);
  Result<> finish();

  const Content& content() const { return content_; }

 private:
  Result<> take(std::string_view bytes);

  Content content_;
  Base64Decoder decoder_;
  std::unique_ptr<Inflater> inflater_;  // null where the stream is plain
  std::string bytes_;                   // decoded from one push; reused
};

}  // namespace parallax::vo
