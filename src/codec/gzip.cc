#include "codec/gzip.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <zlib.h>

#include "base/check.h"

namespace parallax {

namespace {

constexpr std::size_t kOutputBytes = std::size_t{64} * 1024;
constexpr std::size_t kInputBytesMax = std::size_t{1} << 30;  // zlib counts in unsigned int
constexpr int kGzipWindow = MAX_WBITS + 16;

Error inflate_error(ErrorKind kind, std::string code, std::string message) {
  Error error = make_error(kind, std::move(message));
  error.code = std::move(code);
  return error;
}

int window_bits(InflateFormat format) {
  switch (format) {
    case InflateFormat::gzip:
      return kGzipWindow;
    case InflateFormat::raw:
      return -MAX_WBITS;
    case InflateFormat::zlib:
    case InflateFormat::deflate:
      break;
  }
  return MAX_WBITS;
}

// zlib's interface predates const.
Bytef* as_input(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // NOLINT: zlib only reads next_in
}

}  // namespace

struct Inflater::State {
  InflateFormat format;
  InflateLimits limits;
  z_stream stream{};
  bool between_members = false;  // a stream is complete: what follows is a new member, padding or garbage
  bool started = false;
  bool garbage = false;
  std::string member_start;  // first bytes of what may be another member, until there are enough to tell
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::array<char, kOutputBytes> output{};
  std::unique_ptr<Error> failed;

  Result<> inflate_all(std::string_view bytes, const Sink& sink);
  Result<std::size_t> inflate_some(std::string_view bytes, const Sink& sink);
  std::string_view next_member(std::string_view bytes);
  Result<> account(std::size_t produced);

  Error fail(Error error) {
    failed = std::make_unique<Error>(error);
    return error;
  }
};

Inflater::Inflater(InflateFormat format, InflateLimits limits) : state_(std::make_unique<State>()) {
  state_->format = format;
  state_->limits = limits;
  CHECK(inflateInit2(&state_->stream, window_bits(format)) == Z_OK, "zlib cannot start");
}

Inflater::~Inflater() {
  inflateEnd(&state_->stream);
}

bool Inflater::has_trailing_garbage() const {
  return state_->garbage;
}

Result<> Inflater::push(std::string_view bytes, const Sink& sink) {
  if (state_->failed) {
    return Error(*state_->failed);
  }
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kInputBytesMax);
    bytes.remove_prefix(piece.size());
    auto result = state_->inflate_all(piece, sink);
    if (!result) {
      return state_->fail(std::move(result).error());
    }
  }
  return {};
}

Result<> Inflater::State::inflate_all(std::string_view bytes, const Sink& sink) {
  if (!started && !bytes.empty()) {
    started = true;
    // A zlib header has compression method 8 in its low four bits; raw deflate never starts with a block of that kind
    // in practice, which is how browsers tell the two apart.
    if (format == InflateFormat::deflate && (static_cast<unsigned char>(bytes[0]) & 0x0FU) != 8) {
      inflateReset2(&stream, -MAX_WBITS);
    }
  }
  while (!bytes.empty() && !garbage) {
    if (between_members) {
      bytes = next_member(bytes);
      if (between_members) {
        break;
      }
      if (!member_start.empty()) {
        const std::string held = std::move(member_start);
        member_start.clear();
        TRY(inflate_some(held, sink));
        continue;
      }
    }
    bytes.remove_prefix(TRY(inflate_some(bytes, sink)));
  }
  return {};
}

// Decides what follows a complete stream: sets between_members to false where another gzip member begins, whose first
// two bytes are then in member_start, and returns the bytes after them.
std::string_view Inflater::State::next_member(std::string_view bytes) {
  while (!bytes.empty()) {
    if (member_start.empty() && bytes.front() == '\0') {
      bytes.remove_prefix(1);
      continue;
    }
    member_start += bytes.front();
    bytes.remove_prefix(1);
    const std::string_view magic = "\x1f\x8b";
    if (format != InflateFormat::gzip || magic.substr(0, member_start.size()) != member_start) {
      garbage = true;
      return {};
    }
    if (member_start.size() == magic.size()) {
      inflateReset(&stream);
      between_members = false;
      return bytes;
    }
  }
  return bytes;
}

// Inflates until the input is used up or the stream has ended; returns how many bytes it took.
Result<std::size_t> Inflater::State::inflate_some(std::string_view bytes, const Sink& sink) {
  stream.next_in = as_input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  int code = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(output.data());
    stream.avail_out = static_cast<uInt>(output.size());
    const uInt before = stream.avail_in;
    code = ::inflate(&stream, Z_NO_FLUSH);
    bytes_in += before - stream.avail_in;
    // What came out before the damage is handed on first: the result must not depend on how the input was cut.
    const std::size_t produced = output.size() - stream.avail_out;
    if (produced > 0) {
      TRY(account(produced));
      TRY(sink(std::string_view(output.data(), produced)));
    }
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return inflate_error(ErrorKind::corrupt, "inflate-corrupt",
                           fmt::format("compressed data are damaged after {} bytes: {}", bytes_in,
                                       stream.msg != nullptr ? stream.msg : "unknown"));
    }
  } while (code == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
  between_members = code == Z_STREAM_END;
  return bytes.size() - stream.avail_in;
}

Result<> Inflater::State::account(std::size_t produced) {
  bytes_out += produced;
  if (bytes_out > limits.bytes_max) {
    return inflate_error(ErrorKind::refused, "inflate-size",
                         fmt::format("inflated data exceed the limit of {} bytes", limits.bytes_max));
  }
  if (bytes_out > limits.ratio_free_bytes && bytes_out / std::max<std::uint64_t>(bytes_in, 1) >= limits.ratio_max) {
    return inflate_error(
        ErrorKind::refused, "inflate-ratio",
        fmt::format("data inflate more than {} times: {} bytes from {}", limits.ratio_max, bytes_out, bytes_in));
  }
  return {};
}

Result<> Inflater::finish() const {
  if (state_->failed) {
    return Error(*state_->failed);
  }
  if (!state_->between_members) {
    return inflate_error(ErrorKind::corrupt, "inflate-truncated",
                         fmt::format("compressed data end early, after {} bytes", state_->bytes_in));
  }
  return {};
}

std::string gzip_compress(std::string_view bytes, int level) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib cannot start");
  std::string out;
  std::array<char, kOutputBytes> buffer;
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    const std::string_view piece = bytes.substr(0, kInputBytesMax);
    bytes.remove_prefix(piece.size());
    stream.next_in = as_input(piece);
    stream.avail_in = static_cast<uInt>(piece.size());
    const int flush = bytes.empty() ? Z_FINISH : Z_NO_FLUSH;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      code = deflate(&stream, flush);
      CHECK(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "zlib cannot deflate");
      out.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

Result<std::string> gzip_decompress(std::string_view bytes, InflateLimits limits) {
  std::string out;
  Inflater inflater(InflateFormat::gzip, limits);
  TRY(inflater.push(bytes, [&out](std::string_view piece) -> Result<> {
    out += piece;
    return {};
  }));
  TRY(inflater.finish());
  return out;
}

bool looks_like_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b\x08");
}

}  // namespace parallax
