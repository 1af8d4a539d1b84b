// Tokens: who may write or read what. "v1.KEYID.PAYLOAD.SIGNATURE", Ed25519 over "v1.KEYID.PAYLOAD".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace parallax {

enum class Role { vantage, controller, read, admin };

std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

struct TokenPayload {
  Role role = Role::vantage;
  std::string fleet;
  std::string vantage;  // of role vantage
  std::string run_id;   // of role vantage; empty: any run of that vantage (a host of one's own, run from cron)
  Instant not_before;
  Instant expiry;
};

// 5 minutes: how wrong a clock may be before a token is refused.
inline constexpr Micros kClockTolerance = std::chrono::minutes(5);
// No token is valid for longer, so that a retired key dies within this time.
inline constexpr Micros kTokenLifetimeMax = std::chrono::hours(24 * 31);

// A signing key of the controller.
struct SigningKey {
  std::string key_id;                   // the first 16 hex digits of the public key's SHA-256
  std::string private_key, public_key;  // raw Ed25519 bytes
};

Result<SigningKey> make_signing_key();
// The text form that stands in a key file (mode 0600): "parallax-private-key-v1 BASE64URL\n"; and its public half.
std::string to_private_text(const SigningKey& key);
Result<SigningKey> signing_key_from_text(std::string_view text);
std::string to_public_text(const SigningKey& key);  // "parallax-public-key-v1 KEYID BASE64URL\n"

struct PublicKey {
  std::string key_id, public_key;
};

Result<PublicKey> public_key_from_text(std::string_view text);

Result<std::string> sign_token(const TokenPayload& payload, const SigningKey& key);

// What a collector knows about a key.
struct KeyRecord {
  std::string key_id, public_key;
  std::optional<Instant> retired_at;  // tokens that begin later are refused; earlier ones live until they expire
};

// Why a token was refused; also the name under which it is counted.
enum class TokenProblem { none, missing, malformed, unknown_key, bad_signature, expired, not_yet_valid, retired_key };

std::string_view to_string(TokenProblem problem);

struct TokenCheck {
  TokenProblem problem = TokenProblem::none;
  TokenPayload payload;  // valid only without a problem
  std::string key_id;
};

// `find_key` gives the record of a key id, or nothing.
TokenCheck check_token(std::string_view token, Instant now,
                       const std::function<std::optional<KeyRecord>(std::string_view key_id)>& find_key);

// Whether the token was ever issued: its form and signature alone, whatever time it is. An expired token gives no
// right, but it proves that its run was issued to its vantage.
TokenCheck check_issued(std::string_view token,
                        const std::function<std::optional<KeyRecord>(std::string_view key_id)>& find_key);

// A request header with earlier tokens of the same vantage, separated by blanks: the proof for measurements of earlier
// runs that a collector does not know, because it was away when they were issued.
inline constexpr std::string_view kEarlierTokensHeader = "Parallax-Earlier-Tokens";
inline constexpr std::size_t kEarlierTokensMax = 32;

}  // namespace parallax
