// Inflating and deflating (zlib): whole strings, and an inflater for bytes that arrive in pieces. What is inflated
// comes from outside, so both its size and its ratio to the compressed size are limited.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax {

enum class InflateFormat {
  gzip,     // RFC 1952, one member or several
  zlib,     // RFC 1950
  raw,      // RFC 1951 without a wrapper
  deflate,  // zlib or raw, told by the first bytes: what servers send as Content-Encoding: deflate
};

struct InflateLimits {
  std::uint64_t bytes_max = std::uint64_t{1} << 30;  // inflated
  std::uint64_t ratio_max = 200;                     // inflated to compressed, once over `ratio_free_bytes`
  std::uint64_t ratio_free_bytes = std::uint64_t{1} << 20;
};

// Errors: `corrupt` with code "inflate-corrupt" or "inflate-truncated"; `refused` with code "inflate-size" or
// "inflate-ratio" (our limits). Thread safety: one thread.
class Inflater {
 public:
  // Takes inflated bytes, at most 64 KiB a call; an error stops the inflater and is handed on.
  using Sink = std::function<Result<>(std::string_view bytes)>;

  explicit Inflater(InflateFormat format, InflateLimits limits = {});
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Result<> push(std::string_view bytes, const Sink& sink);

  // An error if the compressed stream is not complete.
  Result<> finish() const;

  // Bytes after the end that are neither another gzip member nor zero padding: ignored, but worth a remark.
  bool has_trailing_garbage() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string gzip_compress(std::string_view bytes, int level = 6);
Result<std::string> gzip_decompress(std::string_view bytes, InflateLimits limits = {});

// Whether `bytes` begin as gzip does; three bytes are needed for a yes.
bool looks_like_gzip(std::string_view bytes);

}  // namespace parallax
