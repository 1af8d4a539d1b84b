// What an error code of a service means for us.
#pragma once

#include <string_view>

#include "base/error.h"

namespace parallax::aws {

// The kind by code; by status where the code says nothing to us.
ErrorKind kind_of(std::string_view code, int status);

// AWS lacks the capacity that was asked for. Kind unavailable, but never worth a retry within seconds.
bool is_capacity(std::string_view code);

// The service could not answer now, whatever the status says.
bool is_transient(std::string_view code);

// The session token is too old. EC2's RequestExpired may also mean the request's date, that is our clock.
bool is_expired_token(std::string_view code);

// What to do about an error, in addition to what the service says; empty where there is nothing to add.
std::string_view advice_on(std::string_view code);

// Codes that may mean that our clock is off. The answer's Date header tells.
bool may_be_clock_skew(std::string_view code);

// DryRunOperation: "the request would have succeeded".
inline constexpr std::string_view kDryRunCode = "DryRunOperation";

}  // namespace parallax::aws
