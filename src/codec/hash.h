// Hashes and text forms of bytes (OpenSSL and zlib behind hash.cc).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view data);
Sha256 hmac_sha256(std::string_view key, std::string_view data);
std::uint32_t crc32(std::string_view data);

// Lower-case hex.
std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view hex);
std::string sha256_hex(std::string_view data);
// Only for names that others chose by it (the AWS CLI's cache files): SHA-1 secures nothing.
std::string sha1_hex(std::string_view data);
// Only for fingerprints that others show by it (EC2's of an imported RSA key): MD5 secures nothing.
std::string md5_hex(std::string_view data);

std::string_view bytes_of(const Sha256& digest);

// Equal content, in time that does not depend on where they differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace parallax
