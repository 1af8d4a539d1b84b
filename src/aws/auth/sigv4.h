// AWS Signature Version 4, in headers. Pure: the time is an argument.
#pragma once

#include <string>

#include "aws/auth/credentials.h"
#include "http/message.h"

namespace parallax::aws {

struct SigningScope {
  std::string region;   // "eu-west-3"
  std::string service;  // the signing name: "ec2"
};

// Replaces X-Amz-Date, X-Amz-Security-Token and Authorization of `request`. Every header is signed except those that
// proxies change; Host is signed as the client will send it, with its port where that is not the scheme's default.
// Signing again (a retry) drops the earlier signature. Error: invalid for a URL that is none.
Result<> sign(http::Request& request, const SigningScope& scope, const Credentials& credentials, Instant now);

// The canonical form that is hashed; for messages about signatures and for tests. `request` is as for sign(), with its
// X-Amz headers in place.
Result<std::string> canonical_request(const http::Request& request);

}  // namespace parallax::aws
