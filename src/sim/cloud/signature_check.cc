#include "sim/cloud/signature_check.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/hash.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr Micros kClockWindow = Seconds(15 * 60);
constexpr std::size_t kAuthorizationBytesMax = 8192;

struct Authorization {
  std::string key_id;
  std::string date;
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;
  std::string signature;
};

SignatureCheck problem(SignatureProblem kind, std::string message, const Authorization& authorization = {}) {
  return SignatureCheck{kind, std::move(message), authorization.region, authorization.service, authorization.key_id};
}

bool parse_credential(std::string_view value, Authorization& out) {
  const std::vector<std::string_view> parts = split(value, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request") {
    return false;
  }
  out.key_id = parts[0];
  out.date = parts[1];
  out.region = parts[2];
  out.service = parts[3];
  return !out.key_id.empty() && out.date.size() == 8 && !out.region.empty() && !out.service.empty();
}

bool parse_authorization(std::string_view header, Authorization& out) {
  if (header.size() > kAuthorizationBytesMax || !header.starts_with(kAlgorithm)) {
    return false;
  }
  bool credential = false;
  for (std::string_view part : split(header.substr(kAlgorithm.size()), ',')) {
    part = trim(part);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return false;
    }
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    if (name == "Credential") {
      credential = parse_credential(value, out);
    } else if (name == "SignedHeaders") {
      for (const std::string_view signed_name : split(value, ';')) {
        out.signed_headers.emplace_back(signed_name);
      }
    } else if (name == "Signature") {
      out.signature = value;
    } else {
      return false;
    }
  }
  return credential && !out.signed_headers.empty() && out.signature.size() == 64;
}

// "20261122T101112Z"
bool parse_basic_date(const std::string& text, Instant& out) {
  if (text.size() != 16) {
    return false;
  }
  const std::string spread = fmt::format("{}-{}-{}T{}:{}:{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                                         text.substr(9, 2), text.substr(11, 2), text.substr(13));
  const Result<Instant> parsed = parse_iso8601(spread);
  if (!parsed || text[8] != 'T') {
    return false;
  }
  out = *parsed;
  return true;
}

std::string basic_date(Instant instant) {
  std::string text = to_iso8601_seconds(instant);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

// Blanks at the ends go, runs of them become one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c != ' ' || out.empty() || out.back() != ' ') {
      out += c;
    }
  }
  return out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const std::string_view field : split(query, '&')) {
    if (field.empty()) {
      continue;
    }
    const std::size_t equals = field.find('=');
    fields.emplace_back(field.substr(0, equals), equals == std::string_view::npos ? "" : field.substr(equals + 1));
  }
  std::ranges::sort(fields);
  std::string out;
  for (const auto& [name, value] : fields) {
    out += (out.empty() ? "" : "&") + name + "=" + value;
  }
  return out;
}

// Every service but S3 signs the path as it was sent, escaped once more, without "." and "..".
std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out += '/';
    for (const char c : segment) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                         c == '_' || c == '.' || c == '~';
      out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out.empty() || path.ends_with('/') ? out + "/" : out;
}

std::string canonical_request(const http::Request& request, const Authorization& authorization) {
  std::string_view target = request.url;
  if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos) {
    const std::size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  const std::size_t question = target.find('?');
  std::string text =
      fmt::format("{}\n{}\n{}\n", request.method, canonical_path(target.substr(0, question)),
                  question == std::string_view::npos ? "" : canonical_query(target.substr(question + 1)));
  std::string names;
  for (const std::string& name : authorization.signed_headers) {
    std::string values;
    for (const auto& [field, value] : request.headers) {
      if (to_lower(field) == name) {
        values += (values.empty() ? "" : ",") + canonical_value(value);
      }
    }
    text += name + ":" + values + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  return text + "\n" + names + "\n" + sha256_hex(request.body);
}

std::string expected_signature(const std::string& canonical, const Authorization& authorization,
                               const std::string& date, std::string_view secret) {
  const std::string scope =
      fmt::format("{}/{}/{}/aws4_request", authorization.date, authorization.region, authorization.service);
  const std::string text = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope, sha256_hex(canonical));
  Sha256 key = hmac_sha256("AWS4" + std::string(secret), authorization.date);
  for (const std::string_view part : {std::string_view(authorization.region), std::string_view(authorization.service),
                                      std::string_view("aws4_request")}) {
    key = hmac_sha256(bytes_of(key), part);
  }
  return to_hex(bytes_of(hmac_sha256(bytes_of(key), text)));
}

// The name of a header that must be signed and is not; empty when all is well.
std::string unsigned_header(const http::Request& request, const std::vector<std::string>& signed_names) {
  const auto is_signed = [&](std::string_view name) {
    return std::ranges::find(signed_names, name) != signed_names.end();
  };
  if (!is_signed("host")) {
    return "host";
  }
  for (const auto& [field, value] : request.headers) {
    std::string name = to_lower(field);
    if (name.starts_with("x-amz-") && !is_signed(name)) {
      return name;
    }
  }
  return "";
}

}  // namespace

CredentialScope scope_of(const http::Request& request) {
  Authorization authorization;
  const std::string* header = request.headers.find("Authorization");
  if (header == nullptr || !parse_authorization(*header, authorization)) {
    return {};
  }
  return {authorization.key_id, authorization.region, authorization.service};
}

SignatureCheck check_signature(const http::Request& request, const FindSigningKey& find_key, Instant now) {
  using enum SignatureProblem;
  const std::string* header = request.headers.find("Authorization");
  if (header == nullptr) {
    return problem(missing, "Request is missing Authentication Token");
  }
  Authorization authorization;
  if (!parse_authorization(*header, authorization)) {
    return problem(incomplete, "Authorization header requires Credential, SignedHeaders and Signature.", authorization);
  }
  const std::string date = request.headers.get("X-Amz-Date");
  Instant signed_at;
  if (!parse_basic_date(date, signed_at) || date.substr(0, 8) != authorization.date) {
    return problem(incomplete, "X-Amz-Date is missing, malformed or not of the credential's day.", authorization);
  }
  if (!std::ranges::is_sorted(authorization.signed_headers)) {
    return problem(incomplete, "SignedHeaders must be sorted and in lower case.", authorization);
  }
  if (const std::string name = unsigned_header(request, authorization.signed_headers); !name.empty()) {
    return problem(incomplete, fmt::format("Header {} must be a SignedHeader.", name), authorization);
  }
  if (const std::string* hash = request.headers.find("X-Amz-Content-Sha256");
      hash != nullptr && *hash != sha256_hex(request.body)) {
    return problem(mismatch, "The provided x-amz-content-sha256 header does not match what was computed.",
                   authorization);
  }
  const std::optional<SigningKey> key = find_key(authorization.key_id);
  if (!key || !equal_constant_time(key->session_token, request.headers.get("X-Amz-Security-Token"))) {
    return problem(unknown_key, "The security token included in the request is invalid.", authorization);
  }
  const std::string expected =
      expected_signature(canonical_request(request, authorization), authorization, date, key->secret);
  if (!equal_constant_time(expected, authorization.signature)) {
    return problem(mismatch,
                   "The request signature we calculated does not match the signature you provided. Check your AWS "
                   "Secret Access Key and signing method. Consult the service documentation for details.",
                   authorization);
  }
  if (now - signed_at > kClockWindow) {
    return problem(expired,
                   fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)", date,
                               basic_date(now - kClockWindow), basic_date(now)),
                   authorization);
  }
  if (signed_at - now > kClockWindow) {
    return problem(early,
                   fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)", date,
                               basic_date(now + kClockWindow), basic_date(now)),
                   authorization);
  }
  if (key->expires && now >= *key->expires) {
    return problem(token_expired, "The security token included in the request is expired", authorization);
  }
  return problem(none, "", authorization);
}

}  // namespace parallax::sim
