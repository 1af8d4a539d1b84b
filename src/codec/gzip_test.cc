#include "codec/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace parallax {
namespace {

std::string some_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += std::to_string(i * 7919 % 100'003);
    text += i % 16 == 15 ? '\n' : ' ';
  }
  return text;
}

struct Inflated {
  std::string bytes;
  Result<> result;
  bool garbage = false;
};

Inflated inflate_in_pieces(InflateFormat format, std::string_view bytes, std::size_t piece, InflateLimits limits = {}) {
  Inflater inflater(format, limits);
  Inflated inflated;
  const Inflater::Sink sink = [&](std::string_view out) -> Result<> {
    inflated.bytes += out;
    return {};
  };
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    inflated.result = inflater.push(bytes.substr(i, piece), sink);
    if (!inflated.result) {
      return inflated;
    }
  }
  inflated.result = inflater.finish();
  inflated.garbage = inflater.has_trailing_garbage();
  return inflated;
}

std::string deflate_with_zlib(std::string_view bytes, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

TEST(Gzip, GivesBackWhatItCompressed) {
  const std::string text = some_text();
  const std::string small = gzip_compress(text);
  EXPECT_LT(small.size(), text.size() / 2);
  EXPECT_EQ(gzip_decompress(small).value(), text);
  EXPECT_EQ(gzip_decompress(gzip_compress("")).value(), "");
}

TEST(Inflater, ReadsEveryFormatHoweverTheBytesAreCut) {
  const std::string text = some_text();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
    EXPECT_EQ(inflate_in_pieces(InflateFormat::gzip, gzip_compress(text), piece).bytes, text);
    EXPECT_EQ(inflate_in_pieces(InflateFormat::zlib, deflate_with_zlib(text, 15), piece).bytes, text);
    EXPECT_EQ(inflate_in_pieces(InflateFormat::raw, deflate_with_zlib(text, -15), piece).bytes, text);
    EXPECT_EQ(inflate_in_pieces(InflateFormat::deflate, deflate_with_zlib(text, 15), piece).bytes, text);
    EXPECT_EQ(inflate_in_pieces(InflateFormat::deflate, deflate_with_zlib(text, -15), piece).bytes, text);
  }
}

TEST(Inflater, JoinsMembersAndIgnoresPadding) {
  const std::string bytes = gzip_compress("one ") + gzip_compress("two") + std::string(7, '\0');
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, bytes.size()}) {
    const Inflated inflated = inflate_in_pieces(InflateFormat::gzip, bytes, piece);
    EXPECT_TRUE(inflated.result.has_value());
    EXPECT_EQ(inflated.bytes, "one two");
    EXPECT_FALSE(inflated.garbage);
  }
}

TEST(Inflater, RemarksOnGarbageAfterTheEnd) {
  const Inflated inflated = inflate_in_pieces(InflateFormat::gzip, gzip_compress("one") + "\x1fnonsense", 4);
  EXPECT_TRUE(inflated.result.has_value());
  EXPECT_EQ(inflated.bytes, "one");
  EXPECT_TRUE(inflated.garbage);
}

TEST(Inflater, TellsDamageFromAnEarlyEnd) {
  std::string bytes = gzip_compress(some_text());
  const Inflated cut =
      inflate_in_pieces(InflateFormat::gzip, std::string_view(bytes).substr(0, bytes.size() / 2), 1000);
  EXPECT_EQ(cut.result.error().code, "inflate-truncated");
  bytes[bytes.size() / 2] ^= 0x55;
  const Inflated damaged = inflate_in_pieces(InflateFormat::gzip, bytes, 1000);
  EXPECT_EQ(damaged.result.error().code, "inflate-corrupt");
  EXPECT_EQ(inflate_in_pieces(InflateFormat::gzip, "<html>", 6).result.error().code, "inflate-corrupt");
  EXPECT_EQ(inflate_in_pieces(InflateFormat::gzip, "", 1).result.error().code, "inflate-truncated");
}

TEST(Inflater, HandsOnWhatCameBeforeTheDamage) {
  std::string bytes = gzip_compress("all of this is fine");
  bytes[bytes.size() - 8] ^= 0x55;  // in the checksum
  const Inflated inflated = inflate_in_pieces(InflateFormat::gzip, bytes, bytes.size());
  EXPECT_EQ(inflated.result.error().code, "inflate-corrupt");
  EXPECT_EQ(inflated.bytes, "all of this is fine");
}

TEST(Inflater, RefusesABombBeforeItGrows) {
  const std::string bomb = gzip_compress(std::string(std::size_t{64} << 20, '\0'), 9);
  const Inflated inflated = inflate_in_pieces(InflateFormat::gzip, bomb, bomb.size());
  EXPECT_EQ(inflated.result.error().code, "inflate-ratio");
  EXPECT_EQ(inflated.result.error().kind, ErrorKind::refused);
  EXPECT_LE(inflated.bytes.size(), std::size_t{2} << 20);
}

TEST(Inflater, RefusesMoreThanTheLimitAndTakesExactlyTheLimit) {
  const std::string text = some_text();
  const std::string small = gzip_compress(text);
  EXPECT_TRUE(gzip_decompress(small, {.bytes_max = text.size()}).has_value());
  EXPECT_EQ(gzip_decompress(small, {.bytes_max = text.size() - 1}).error().code, "inflate-size");
}

TEST(Inflater, HandsOnTheErrorOfItsSink) {
  Inflater inflater(InflateFormat::gzip);
  const auto result = inflater.push(
      gzip_compress("x"), [](std::string_view) -> Result<> { return make_error(ErrorKind::cancelled, "enough"); });
  EXPECT_EQ(result.error().message, "enough");
}

}  // namespace
}  // namespace parallax
