#include "cli/secrets.h"

#include <algorithm>
#include <array>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::cli {

namespace {

constexpr std::size_t kSecretBytesMax = 65536;
constexpr std::string_view kHidden = "[hidden]";

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool speaks_of_secret(std::string_view name) {
  constexpr std::array<std::string_view, 11> kWords = {"token",   "password",  "passwd",    "secret",
                                                       "apikey",  "api_key",   "api-key",   "accesskey",
                                                       "session", "signature", "credential"};
  constexpr std::array<std::string_view, 6> kNames = {"key", "sig", "auth", "pwd", "pass", "jwt"};
  const std::string lower = to_lower(name);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; }) ||
         std::find(kNames.begin(), kNames.end(), lower) != kNames.end();
}

// "//user:password@host" loses what stands before the @.
std::string without_user_info(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t slashes = text.find("://", at);
    if (slashes == std::string_view::npos) {
      return out + std::string(text.substr(at));
    }
    const std::size_t start = slashes + 3;
    const std::size_t end = std::min(text.find_first_of("/?# \t\r\n\"'<>", start), text.size());
    const std::size_t sign = text.substr(start, end - start).rfind('@');
    out += text.substr(at, start - at);
    if (sign != std::string_view::npos) {
      out += kHidden;
      out += text.substr(start + sign, end - start - sign);
    } else {
      out += text.substr(start, end - start);
    }
    at = end;
  }
  return out;
}

}  // namespace

Result<std::string> read_secret_file(World& world, const std::string& path) {
  struct stat status {};

  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077U) != 0) {
    return make_error(ErrorKind::invalid, fmt::format("{}: mode {:04o} lets others read a secret; run: chmod 600 {}",
                                                      path, status.st_mode & 07777U, path));
  }
  Result<std::string> text = world.files.read(path, kSecretBytesMax);
  if (!text) {
    Error error = text.error();
    error.kind = ErrorKind::invalid;
    return error;
  }
  return text;
}

Result<SigningKey> read_signing_key(World& world, const std::string& path) {
  const std::string text = TRY(read_secret_file(world, path));
  return signing_key_from_text(text).with_context("reading " + path);
}

std::string without_secrets(std::string_view text) {
  const std::string safe = without_user_info(text);
  std::string out;
  std::size_t copied = 0;
  for (std::size_t equals = safe.find('='); equals != std::string::npos; equals = safe.find('=', equals + 1)) {
    std::size_t name = equals;
    while (name > 0 && is_name_char(safe[name - 1])) {
      --name;
    }
    if (equals < copied || !speaks_of_secret(std::string_view(safe).substr(name, equals - name))) {
      continue;
    }
    const std::size_t end = std::min(safe.find_first_of("&;# \t\r\n\"'<>", equals + 1), safe.size());
    out += safe.substr(copied, equals + 1 - copied);
    out += end > equals + 1 ? kHidden : "";
    copied = end;
  }
  return out + safe.substr(copied);
}

std::string shown_header(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 4> kSecret = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
  const std::string lower = to_lower(name);
  const bool secret = std::find(kSecret.begin(), kSecret.end(), lower) != kSecret.end() || speaks_of_secret(lower);
  return secret ? std::string(kHidden) : without_secrets(value);
}

}  // namespace parallax::cli
