#include "codec/signature.h"

#include <gtest/gtest.h>

#include "codec/hash.h"

namespace parallax {
namespace {

TEST(Ed25519, AgreesWithRfc8032Test2) {
  const std::string key = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").value();
  const std::string public_key = ed25519_public_key(key).value();
  EXPECT_EQ(to_hex(public_key), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const std::string signature = ed25519_sign(key, "\x72").value();
  EXPECT_EQ(
      to_hex(signature),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
      "b00d291612bb0c00");
  EXPECT_TRUE(ed25519_verify(public_key, "\x72", signature));
  EXPECT_FALSE(ed25519_verify(public_key, "\x73", signature));
}

TEST(Ed25519, RefusesKeysOfTheWrongSize) {
  EXPECT_FALSE(ed25519_sign("short", "x"));
  EXPECT_FALSE(ed25519_verify("short", "x", std::string(64, 'a')));
}

TEST(Ed25519, MakesKeysThatWork) {
  const KeyPair pair = make_ed25519_key_pair().value();
  EXPECT_TRUE(ed25519_verify(pair.public_key, "hello", ed25519_sign(pair.private_key, "hello").value()));
}

TEST(Base64Url, RoundTripsAndHasOneTextPerValue) {
  for (const char* text : {"", "f", "fo", "foo", "foob"}) {
    EXPECT_EQ(from_base64url(to_base64url(text)).value(), text);
  }
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_FALSE(from_base64url("-_9"));  // stray bits
  EXPECT_FALSE(from_base64url("a"));
  EXPECT_FALSE(from_base64url("ab+="));
}

TEST(Hash, AgreesWithPublishedVectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(bytes_of(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
}

}  // namespace
}  // namespace parallax
