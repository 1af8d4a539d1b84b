#include "codec/hash.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

namespace parallax {

namespace {

const unsigned char* unsigned_bytes(std::string_view data) {
  return reinterpret_cast<const unsigned char*>(
      data.data());  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): C API
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

Sha256 sha256(std::string_view data) {
  Sha256 digest{};
  unsigned length = 0;
  CHECK(EVP_Digest(data.data(), data.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1, "SHA-256 failed");
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view data) {
  Sha256 digest{};
  unsigned length = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), unsigned_bytes(data), data.size(), digest.data(),
             &length) != nullptr,
        "HMAC failed");
  return digest;
}

std::uint32_t crc32(std::string_view data) {
  return static_cast<std::uint32_t>(::crc32_z(0, unsigned_bytes(data), data.size()));
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

Result<std::string> from_hex(std::string_view hex) {
  std::string bytes;
  if (hex.size() % 2 != 0) {
    return make_error(ErrorKind::invalid, "hex text of odd length");
  }
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]);
    const int low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) {
      return make_error(ErrorKind::invalid, fmt::format("not hex at character {}", i + 1));
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

namespace {

std::string digest_hex(const EVP_MD* kind, std::string_view data) {
  std::string digest(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  unsigned length = 0;
  CHECK(EVP_Digest(data.data(), data.size(),
                   reinterpret_cast<unsigned char*>(  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): C API
                       digest.data()),
                   &length, kind, nullptr) == 1,
        "a digest failed");
  return to_hex(digest);
}

}  // namespace

std::string sha1_hex(std::string_view data) {
  return digest_hex(EVP_sha1(), data);
}

std::string md5_hex(std::string_view data) {
  return digest_hex(EVP_md5(), data);
}

std::string_view bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()),
          digest.size()};  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): bytes as text
}

std::string sha256_hex(std::string_view data) {
  return to_hex(bytes_of(sha256(data)));
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace parallax
