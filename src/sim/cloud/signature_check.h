// Verifies Signature Version 4 from the description in the IAM guide; shares nothing with the signer in src/aws.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace parallax::sim {

enum class SignatureProblem {
  none,
  missing,        // no Authorization header
  incomplete,     // it cannot be read, or lacks a part, or a header that must be signed is not
  unknown_key,    // nobody has that access key, or it does not go with that session token
  mismatch,       // another secret, or the request was changed
  expired,        // the request's date is too old
  early,          // or too far ahead
  token_expired,  // the session is over
};

struct SigningKey {
  std::string secret;
  std::string session_token;       // of temporary credentials; the request must carry it
  std::optional<Instant> expires;  // absent: never
};

// nullopt for an access key that nobody has.
using FindSigningKey = std::function<std::optional<SigningKey>(std::string_view key_id)>;

struct CredentialScope {
  std::string key_id, region, service;  // empty where they cannot be read
};

// What the Authorization header says, unverified.
CredentialScope scope_of(const http::Request& request);

struct SignatureCheck {
  SignatureProblem problem = SignatureProblem::none;
  std::string message;  // what is wrong, for a person
  std::string region;   // from the credential scope, also when there is a problem, as far as it could be read
  std::string service;
  std::string key_id;
};

// `now` is the service's clock; dates may be 15 minutes off.
SignatureCheck check_signature(const http::Request& request, const FindSigningKey& find_key, Instant now);

}  // namespace parallax::sim
