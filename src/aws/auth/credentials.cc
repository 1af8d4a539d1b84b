#include "aws/auth/credentials.h"

#include <algorithm>

#include <fmt/format.h>

namespace parallax::aws {

namespace {

constexpr std::size_t kKeyBytesMax = 256;
constexpr std::size_t kTokenBytesMax = 64U << 10U;

// What goes into headers must not be able to end one.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

Error denied(std::string message) {
  Error error = make_error(ErrorKind::denied, std::move(message));
  error.code = "no-credentials";
  return error;
}

// One variable; blanks and line ends around it are what copying leaves behind, so they are named, not removed.
Result<std::string> read(const Environment& environment, std::string_view name, std::size_t bytes_max) {
  std::string value = environment(name).value_or("");
  if (value.size() > bytes_max || !is_printable(value)) {
    return denied(
        fmt::format("{} is not usable: it has blanks, control characters or more than {} bytes", name, bytes_max));
  }
  return value;
}

}  // namespace

Result<Credentials> EnvironmentCredentials::credentials(Monotonic /*deadline*/, std::stop_token /*stop*/) {
  Credentials credentials;
  credentials.access_key_id = TRY(read(environment_, "AWS_ACCESS_KEY_ID", kKeyBytesMax));
  credentials.secret_access_key = TRY(read(environment_, "AWS_SECRET_ACCESS_KEY", kKeyBytesMax));
  credentials.session_token = TRY(read(environment_, "AWS_SESSION_TOKEN", kTokenBytesMax));
  const bool has_id = !credentials.access_key_id.empty();
  const bool has_secret = !credentials.secret_access_key.empty();
  if (!has_id && !has_secret) {
    return denied(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary "
        "ones)");
  }
  if (!has_id || !has_secret) {
    return denied(fmt::format("{} is set but {} is not: set both",
                              has_id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                              has_id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"));
  }
  return credentials;
}

Result<Credentials> StaticCredentials::credentials(Monotonic /*deadline*/, std::stop_token /*stop*/) {
  return credentials_;
}

}  // namespace parallax::aws
