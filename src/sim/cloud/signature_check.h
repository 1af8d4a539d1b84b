// Verifies Signature Version 4 from the description in the IAM guide; shares nothing with the signer in src/aws.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace parallax::sim {

enum class SignatureProblem {
  none,
  missing,      // no Authorization header
  incomplete,   // it cannot be read, or lacks a part, or a header that must be signed is not
  unknown_key,  // the access key is not ours
  mismatch,     // another secret, or the request was changed
  expired,      // the request's date is too old
  early,        // or too far ahead
};

struct SignatureCheck {
  SignatureProblem problem = SignatureProblem::none;
  std::string message;  // what is wrong, for a person
  std::string region;   // from the credential scope, also when there is a problem, as far as it could be read
  std::string service;
};

// `now` is the service's clock; dates may be 15 minutes off.
SignatureCheck check_signature(const http::Request& request, std::string_view access_key, std::string_view secret,
                               Instant now);

}  // namespace parallax::sim
