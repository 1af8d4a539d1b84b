// Ed25519 keys and signatures (RFC 8032) with OpenSSL.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace parallax {

// Raw keys as bytes: 32 for either half. The private half is the seed.
struct KeyPair {
  std::string private_key;
  std::string public_key;
};

Result<KeyPair> make_ed25519_key_pair();
Result<std::string> ed25519_public_key(std::string_view private_key);
// 64 bytes. Error: invalid (key of the wrong size).
Result<std::string> ed25519_sign(std::string_view private_key, std::string_view message);
bool ed25519_verify(std::string_view public_key, std::string_view message, std::string_view signature);

// Base64 with '-' and '_' and no padding (RFC 4648 section 5), as tokens use it.
std::string to_base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);

}  // namespace parallax
