#include "record/token.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/signature.h"

namespace parallax {

namespace {

constexpr std::array<std::string_view, 4> kRoles = {"vantage", "controller", "read", "admin"};
constexpr std::array<std::string_view, 8> kProblems = {"none",          "missing", "malformed",     "unknown-key",
                                                       "bad-signature", "expired", "not-yet-valid", "retired-key"};
constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::string_view kPrivatePrefix = "parallax-private-key-v1 ";
constexpr std::string_view kPublicPrefix = "parallax-public-key-v1 ";

std::string key_id_of(std::string_view public_key) {
  return sha256_hex(public_key).substr(0, 16);
}

std::optional<TokenPayload> read_payload(std::string_view encoded) {
  const Result<std::string> text = from_base64url(encoded);
  if (!text) {
    return std::nullopt;
  }
  const Result<Json> json = parse_json(*text);
  if (!json) {
    return std::nullopt;
  }
  const std::optional<Role> role = parse_role(json->text("role"));
  const Result<Instant> not_before = parse_iso8601(json->text("nbf"));
  const Result<Instant> expiry = parse_iso8601(json->text("exp"));
  if (!role || !not_before || !expiry) {
    return std::nullopt;
  }
  TokenPayload payload;
  payload.role = *role;
  payload.fleet = json->text("fleet");
  payload.vantage = json->text("vantage");
  payload.run_id = json->text("run_id");
  payload.not_before = *not_before;
  payload.expiry = *expiry;
  return payload;
}

}  // namespace

std::string_view to_string(Role role) {
  return kRoles[static_cast<std::size_t>(role)];
}

std::optional<Role> parse_role(std::string_view text) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i] == text) {
      return static_cast<Role>(i);
    }
  }
  return std::nullopt;
}

std::string_view to_string(TokenProblem problem) {
  return kProblems[static_cast<std::size_t>(problem)];
}

Result<SigningKey> make_signing_key() {
  KeyPair pair = TRY(make_ed25519_key_pair());
  return SigningKey{key_id_of(pair.public_key), std::move(pair.private_key), std::move(pair.public_key)};
}

std::string to_private_text(const SigningKey& key) {
  return fmt::format("{}{}\n", kPrivatePrefix, to_base64url(key.private_key));
}

std::string to_public_text(const SigningKey& key) {
  return fmt::format("{}{} {}\n", kPublicPrefix, key.key_id, to_base64url(key.public_key));
}

Result<SigningKey> signing_key_from_text(std::string_view text) {
  text = trim(text);
  if (!text.starts_with(kPrivatePrefix)) {
    return make_error(ErrorKind::invalid, "not a private key of ours; make one with 'parallax keys create'");
  }
  SigningKey key;
  key.private_key = TRY(from_base64url(text.substr(kPrivatePrefix.size())));
  key.public_key = TRY(ed25519_public_key(key.private_key));
  key.key_id = key_id_of(key.public_key);
  return key;
}

Result<PublicKey> public_key_from_text(std::string_view text) {
  text = trim(text);
  const std::vector<std::string_view> words = split(text, ' ');
  if (!text.starts_with(kPublicPrefix) || words.size() != 3) {
    return make_error(ErrorKind::invalid,
                      "not a public key of ours; 'parallax keys create' writes one beside the private key");
  }
  PublicKey key{std::string(words[1]), TRY(from_base64url(words[2]))};
  if (key.public_key.size() != 32 || key.key_id != key_id_of(key.public_key)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("public key {} is damaged: its id does not fit its bytes", key.key_id));
  }
  return key;
}

Result<std::string> sign_token(const TokenPayload& payload, const SigningKey& key) {
  if (payload.expiry - payload.not_before > kTokenLifetimeMax) {
    return make_error(ErrorKind::invalid, "a token may be valid for 31 days at most");
  }
  Json json = Json::object({{"role", to_string(payload.role)},
                            {"fleet", payload.fleet},
                            {"nbf", to_iso8601(payload.not_before)},
                            {"exp", to_iso8601(payload.expiry)}});
  if (!payload.vantage.empty()) {
    json.set("vantage", payload.vantage);
  }
  if (!payload.run_id.empty()) {
    json.set("run_id", payload.run_id);
  }
  const std::string message = fmt::format("v1.{}.{}", key.key_id, to_base64url(json.dump()));
  return fmt::format("{}.{}", message, to_base64url(TRY(ed25519_sign(key.private_key, message))));
}

TokenCheck check_issued(std::string_view token,
                        const std::function<std::optional<KeyRecord>(std::string_view)>& find_key) {
  TokenCheck check;
  const auto refuse = [&](TokenProblem problem) {
    check.problem = problem;
    return check;
  };
  if (token.empty()) {
    return refuse(TokenProblem::missing);
  }
  const std::vector<std::string_view> parts = split(token.substr(0, kTokenBytesMax), '.');
  if (token.size() > kTokenBytesMax || parts.size() != 4 || parts[0] != "v1") {
    return refuse(TokenProblem::malformed);
  }
  check.key_id = std::string(parts[1].substr(0, 64));
  const std::optional<KeyRecord> key = find_key(check.key_id);
  if (!key) {
    return refuse(TokenProblem::unknown_key);
  }
  const Result<std::string> signature = from_base64url(parts[3]);
  const std::string_view message = token.substr(0, token.rfind('.'));
  if (!signature || !ed25519_verify(key->public_key, message, *signature)) {
    return refuse(TokenProblem::bad_signature);
  }
  const std::optional<TokenPayload> payload = read_payload(parts[2]);
  if (!payload || payload->expiry - payload->not_before > kTokenLifetimeMax) {
    return refuse(TokenProblem::malformed);
  }
  check.payload = *payload;
  if (key->retired_at && payload->not_before > *key->retired_at) {
    return refuse(TokenProblem::retired_key);
  }
  return check;
}

TokenCheck check_token(std::string_view token, Instant now,
                       const std::function<std::optional<KeyRecord>(std::string_view)>& find_key) {
  TokenCheck check = check_issued(token, find_key);
  if (check.problem != TokenProblem::none && check.problem != TokenProblem::retired_key) {
    return check;
  }
  // Told before a retired key: an expired token stays expired.
  if (now > check.payload.expiry + kClockTolerance) {
    check.problem = TokenProblem::expired;
  } else if (check.problem == TokenProblem::none && now + kClockTolerance < check.payload.not_before) {
    check.problem = TokenProblem::not_yet_valid;
  }
  return check;
}

}  // namespace parallax
