// Real SSH keys for the simulated key pairs: made from the injected Rng, read from what users import, with EC2's
// fingerprints (OpenSSL behind key_material.cc).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/rng.h"

namespace parallax::sim {

struct PublicKey {
  std::string type;  // "rsa", "ed25519"
  std::string blob;  // as SSH sends it
  // EC2's fingerprint of an imported key: RSA the MD5 of the DER SubjectPublicKeyInfo, ED25519 the SHA-256 of `blob`.
  std::string fingerprint;

  std::string line(std::string_view comment) const;  // "ssh-rsa AAAA... comment"
};

// An OpenSSH line, an RFC 4716 block or base64 of a DER SubjectPublicKeyInfo (PEM too). RSA of 1024, 2048 or 4096 bits
// and ED25519. Error: invalid.
Result<PublicKey> read_public_key(std::string_view text);

struct MadeKey {
  PublicKey public_key;
  std::string private_pem;  // RSA: PKCS#1; ED25519: OpenSSH's own format
  std::string fingerprint;  // of a key that EC2 made: RSA the SHA-1 of the DER PKCS#8 private key
};

// Keys for tests: as random as `rng`.
Result<MadeKey> make_rsa_key(Rng& rng);
Result<MadeKey> make_ed25519_key(Rng& rng);

}  // namespace parallax::sim
