// How each protocol says that a request was refused before any operation saw it.
#pragma once

#include <string>

#include "aws/model/model.h"
#include "base/error.h"

namespace parallax::sim {

enum class Refusal {
  no_signature,
  incomplete_signature,
  unknown_key,
  wrong_signature,
  clock,          // the request's date is off
  token_expired,  // the session token's time is over
  region,         // not enabled for this account: AWS uses the words for bad credentials
  throttled,
  internal,
};

// `message` where the service tells what was wrong; the services that never do (EC2's AuthFailure) use their own text.
Error refusal(aws::Protocol protocol, Refusal why, std::string message);

}  // namespace parallax::sim
