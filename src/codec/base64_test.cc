#include "codec/base64.h"

#include <gtest/gtest.h>

namespace parallax {
namespace {

// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {std::string_view("\0\xff\xfe", 3), "AP/+"},
};

TEST(Base64, EncodesAndDecodesTheVectorsOfTheStandard) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text).value(), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotStrictlyBase64) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg==Zg==", "Z", "Z===", "Zm9v\n", "Zm9*", "Zh==", "Zm9=", "=", "Zg=a"}) {
    EXPECT_FALSE(base64_decode(text).has_value()) << text;
  }
}

TEST(Base64Decoder, GivesTheSameBytesHoweverTheTextIsCut) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    bytes += static_cast<char>(i * 7 % 251);
  }
  std::string text = base64_encode(bytes);
  for (std::size_t i = 76; i < text.size(); i += 78) {
    text.insert(i, "\r\n");
  }
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5}, std::size_t{77}, text.size()}) {
    Base64Decoder decoder;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += piece) {
      ASSERT_TRUE(decoder.push(std::string_view(text).substr(i, piece), out).has_value());
    }
    EXPECT_TRUE(decoder.finish().has_value());
    EXPECT_EQ(out, bytes) << "pieces of " << piece;
  }
}

TEST(Base64Decoder, NamesTheOffsetOfABadCharacterAndKeepsWhatCameBefore) {
  Base64Decoder decoder;
  std::string out;
  ASSERT_TRUE(decoder.push("Zm9v\nZm", out).has_value());
  const auto result = decoder.push("9v&Zm9v", out);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "base64: character 0x26 at offset 9");
  EXPECT_EQ(result.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(out, "foofoo");
  EXPECT_FALSE(decoder.push("Zm9v", out).has_value());
}

TEST(Base64Decoder, ReportsTextThatEndsInsideAGroup) {
  Base64Decoder decoder;
  std::string out;
  ASSERT_TRUE(decoder.push("Zm9vZm", out).has_value());
  EXPECT_FALSE(decoder.finish().has_value());
}

}  // namespace
}  // namespace parallax
