#include "aws/auth/sigv4.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/hash.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

bool is_left_out(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames{"authorization",     "connection", "content-length", "expect",
                                                   "transfer-encoding", "user-agent", "x-amzn-trace-id"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Without blanks at the ends, runs of blanks as one.
std::string squeeze(std::string_view value) {
  std::string out;
  bool blank = false;
  for (const char c : trim(value)) {
    if (c == ' ' || c == '\t') {
      blank = true;
      continue;
    }
    if (blank) {
      out += ' ';
      blank = false;
    }
    out += c;
  }
  return out;
}

// Dot segments and double slashes resolved, then escaped once more: a path of "/a%20b" is signed as "/a%2520b".
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
    out += "/" + http::percent_encode(segment);
  }
  if (out.empty() || path.ends_with('/')) {
    out += '/';
  }
  return out;
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) {
    return {};
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view part : split(query, '&')) {
    const std::size_t equals = part.find('=');
    pairs.emplace_back(part.substr(0, equals),
                       equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += (out.empty() ? "" : "&") + name + "=" + value;
  }
  return out;
}

using CanonicalHeaders = std::map<std::string, std::string>;  // lower-case name -> value

CanonicalHeaders headers_to_sign(const http::Request& request, const http::Url& url) {
  CanonicalHeaders out;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = to_lower(trim(name));
    if (!is_left_out(lower)) {
      auto [at, is_new] = out.try_emplace(lower, squeeze(value));
      if (!is_new) {
        at->second += "," + squeeze(value);
      }
    }
  }
  out.try_emplace("host", url.host_header());
  return out;
}

std::string names_of(const CanonicalHeaders& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    out += (out.empty() ? "" : ";") + name;
  }
  return out;
}

std::string canonical_text(const http::Request& request, const http::Url& url, const CanonicalHeaders& headers) {
  std::string lines;
  for (const auto& [name, value] : headers) {
    lines += name + ":" + value + "\n";
  }
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, canonical_path(url.path), canonical_query(url.query),
                     lines, names_of(headers), sha256_hex(request.body));
}

// "20261122T100000Z"
std::string compact_time(Instant now) {
  std::string text = to_iso8601_seconds(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string signature_of(const SigningScope& scope, const std::string& secret, std::string_view date,
                         std::string_view text) {
  Sha256 key = hmac_sha256("AWS4" + secret, date);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = hmac_sha256(bytes_of(key), part);
  }
  return to_hex(bytes_of(hmac_sha256(bytes_of(key), text)));
}

}  // namespace

Result<std::string> canonical_request(const http::Request& request) {
  const http::Url url = TRY(http::parse_url(request.url));
  return canonical_text(request, url, headers_to_sign(request, url));
}

Result<> sign(http::Request& request, const SigningScope& scope, const Credentials& credentials, Instant now) {
  const http::Url url = TRY(http::parse_url(request.url));
  const std::string time = compact_time(now);
  const std::string date = time.substr(0, 8);
  request.headers.remove("Authorization");
  request.headers.set("X-Amz-Date", time);
  request.headers.remove("X-Amz-Security-Token");
  if (!credentials.session_token.empty()) {
    request.headers.set("X-Amz-Security-Token", credentials.session_token);
  }
  const CanonicalHeaders headers = headers_to_sign(request, url);
  const std::string scope_text = fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope_text, sha256_hex(canonical_text(request, url, headers)));
  request.headers.set("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                                   credentials.access_key_id, scope_text, names_of(headers),
                                                   signature_of(scope, credentials.secret_access_key, date, text)));
  return {};
}

}  // namespace parallax::aws
