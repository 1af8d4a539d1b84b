#include "codec/signature.h"

#include <array>
#include <cstdint>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace parallax {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* unsigned_bytes(std::string_view data) {
  return reinterpret_cast<const unsigned char*>(
      data.data());  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): C API
}

Key private_key_of(std::string_view bytes) {
  return {bytes.size() == kKeyBytes
              ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, unsigned_bytes(bytes), bytes.size())
              : nullptr,
          &EVP_PKEY_free};
}

Error bad_key() {
  return make_error(ErrorKind::invalid, fmt::format("an Ed25519 private key has {} bytes", kKeyBytes));
}

std::string text_of(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes),
          size};  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): bytes as text
}

}  // namespace

Result<KeyPair> make_ed25519_key_pair() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  std::array<unsigned char, kKeyBytes> seed{};
  std::size_t length = seed.size();
  if (key == nullptr || EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &length) != 1) {
    return make_error(ErrorKind::internal, "OpenSSL could not make an Ed25519 key");
  }
  KeyPair pair;
  pair.private_key = text_of(seed.data(), length);
  pair.public_key = TRY(ed25519_public_key(pair.private_key));
  return pair;
}

Result<std::string> ed25519_public_key(std::string_view private_key) {
  const Key key = private_key_of(private_key);
  std::array<unsigned char, kKeyBytes> bytes{};
  std::size_t length = bytes.size();
  if (key == nullptr || EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &length) != 1) {
    return bad_key();
  }
  return text_of(bytes.data(), length);
}

Result<std::string> ed25519_sign(std::string_view private_key, std::string_view message) {
  const Key key = private_key_of(private_key);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, kSignatureBytes> signature{};
  std::size_t length = signature.size();
  if (key == nullptr || context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, unsigned_bytes(message), message.size()) != 1) {
    return bad_key();
  }
  return text_of(signature.data(), length);
}

bool ed25519_verify(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (public_key.size() != kKeyBytes || signature.size() != kSignatureBytes) {
    return false;
  }
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, unsigned_bytes(public_key), public_key.size()),
                &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return key != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), unsigned_bytes(signature), signature.size(), unsigned_bytes(message),
                          message.size()) == 1;
}

std::string to_base64url(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kLetters[(bits >> count) & 63U];
    }
  }
  if (count > 0) {
    text += kLetters[(bits << (6 - count)) & 63U];
  }
  return text;
}

Result<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t value = kLetters.find(c);
    if (value == std::string_view::npos) {
      return make_error(ErrorKind::invalid, "not base64url text");
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 255U);
    }
  }
  // Left-over bits must be zero and fewer than six, so that each value has one text only.
  if (count >= 6 || (bits & ((1U << count) - 1U)) != 0) {
    return make_error(ErrorKind::invalid, "base64url text that is cut or has stray bits");
  }
  return bytes;
}

}  // namespace parallax
