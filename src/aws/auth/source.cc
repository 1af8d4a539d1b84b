#include "aws/auth/source.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/json.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kTokenBytesMax = 64U << 10U;
constexpr std::size_t kMessageBytesMax = 600;

Error coded(ErrorKind kind, std::string_view code, std::string message) {
  Error error = make_error(kind, std::move(message));
  error.code = code;
  return error;
}

// What goes into headers must not be able to end one.
bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

// "+02:00", "-0530": the offset in minutes, and the text before it.
struct Offset {
  std::string_view rest;
  int minutes = 0;
};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Offset split_offset(std::string_view text) {
  const std::size_t sign = text.find_last_of("+-");
  if (sign == std::string_view::npos || sign < std::string_view("2026-01-01T").size()) {
    return {text, 0};
  }
  std::string digits(text.substr(sign + 1));
  std::erase(digits, ':');
  if ((digits.size() != 2 && digits.size() != 4) || !all_digits(digits)) {
    return {text, 0};
  }
  digits.resize(4, '0');
  const int hours = (digits[0] - '0') * 10 + (digits[1] - '0');
  const int minutes = (digits[2] - '0') * 10 + (digits[3] - '0');
  return {text.substr(0, sign), (text[sign] == '-' ? -1 : 1) * (hours * 60 + minutes)};
}

}  // namespace

const ConfigSection& ChainContext::profile(std::string_view name) const {
  static const ConfigSection kEmpty;
  const ConfigSection* found = settings.configuration->profile(name);
  return found == nullptr ? kEmpty : *found;
}

Error no_credentials(std::string message) {
  return coded(ErrorKind::denied, "no-credentials", std::move(message));
}

Error broken_configuration(std::string message) {
  return coded(ErrorKind::invalid, "credentials-configuration", std::move(message));
}

Error failed_retrieval(std::string message) {
  return coded(ErrorKind::unavailable, "credentials-unavailable", std::move(message));
}

Error deadline_passed(std::string_view what) {
  return coded(ErrorKind::timeout, "deadline", fmt::format("the deadline passed while {}", what));
}

Result<Found> checked(Found found) {
  const Credentials& keys = found.credentials;

  struct Row {
    std::string_view name;
    const std::string& value;
    std::size_t bytes_max;
    bool required;
  };

  for (const Row& row : {Row{"access key id", keys.access_key_id, kKeyBytesMax, true},
                         Row{"secret access key", keys.secret_access_key, kKeyBytesMax, true},
                         Row{"session token", keys.session_token, kTokenBytesMax, false}}) {
    if (row.value.empty() && row.required) {
      return broken_configuration(fmt::format("{}: the {} is empty", found.source, row.name));
    }
    if (row.value.size() > row.bytes_max || !is_header_text(row.value)) {
      return broken_configuration(
          fmt::format("{}: the {} is not usable: it has blanks, control characters or more than {} bytes", found.source,
                      row.name, row.bytes_max));
    }
  }
  return found;
}

Result<Instant> parse_expiration(std::string_view text) {
  text = trim(text);
  if (text.ends_with("UTC")) {
    text.remove_suffix(3);
    text = trim(text);
  }
  const Offset offset = split_offset(text);
  return TRY(parse_iso8601(offset.rest)) - std::chrono::minutes(offset.minutes);
}

Result<Credentials> credentials_from(const Json& document, const KeyNames& names, std::string_view where) {
  for (const std::string_view name : {names.id, names.secret}) {
    const Json* value = document.find(name);
    if (value == nullptr || value->string() == nullptr) {
      return failed_retrieval(fmt::format("{}: the answer has no {}", where, name));
    }
  }
  Credentials credentials;
  credentials.access_key_id = document.text(names.id);
  credentials.secret_access_key = document.text(names.secret);
  credentials.session_token = document.text(names.token);
  const Json* expiration = document.find(names.expiration);
  if (expiration != nullptr && expiration->string() != nullptr) {
    const Result<Instant> instant = parse_expiration(*expiration->string());
    if (!instant) {
      return failed_retrieval(fmt::format("{}: {} is no instant in ISO 8601", where, names.expiration));
    }
    credentials.expires = *instant;
  }
  return credentials;
}

std::string redacted(std::string message, const std::vector<std::string_view>& secrets) {
  for (const std::string_view secret : secrets) {
    for (std::size_t at = 0; !secret.empty() && (at = message.find(secret, at)) != std::string::npos;) {
      message.replace(at, secret.size(), "[...]");
    }
  }
  return terminal_safe(message, kMessageBytesMax);
}

}  // namespace parallax::aws
