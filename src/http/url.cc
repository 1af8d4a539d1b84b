#include "http/url.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::http {

namespace {

// Longer ones are refused by most servers anyway; ours are built from a base URL and three numbers.
constexpr std::size_t kUrlBytesMax = 64U << 10U;
constexpr std::size_t kHostBytesMax = 253;
constexpr int kPortMax = 65535;
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

Error invalid(std::string_view text, std::string_view what) {
  return make_error(ErrorKind::invalid, fmt::format("'{}' {}", terminal_safe(text, 200), what));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

bool is_ipv6_text(std::string_view host) {
  return host.size() >= 2 && host.size() <= 45 && host.find(':') != std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
}

bool is_host_text(std::string_view host) {
  return !host.empty() && host.size() <= kHostBytesMax &&
         std::all_of(host.begin(), host.end(), [](char c) { return is_unreserved(c); });
}

Result<int> parse_port(std::string_view url, std::string_view digits, int fallback) {
  if (digits.empty()) {
    return fallback;
  }
  int port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > kPortMax ||
      !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return invalid(url, "has a port that is not a number from 1 to 65535");
  }
  return port;
}

// Fills host and port from "host", "host:port", "[v6]" or "[v6]:port".
Result<> parse_authority(std::string_view url, std::string_view authority, Url& out) {
  if (authority.find('@') != std::string_view::npos) {
    return make_error(ErrorKind::invalid, "a URL with user name or password ('...@') is not accepted");
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return invalid(url, "has '[' without ']'");
    }
    const std::string_view host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    if (!is_ipv6_text(host) || (!rest.empty() && !rest.starts_with(':'))) {
      return invalid(url, "has a malformed IPv6 address");
    }
    out.host = host;
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    const std::string_view host = authority.substr(0, colon);
    if (!is_host_text(host)) {
      return invalid(url, host.empty() ? "has no host" : "has a character in its host that does not belong there");
    }
    out.host = host;
    port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
  }
  out.port = TRY(parse_port(url, port, default_port(out.scheme)));
  return {};
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view input) {
  std::string output;
  const auto drop_last = [&output] {
    const std::size_t slash = output.rfind('/');
    output.resize(slash == std::string::npos ? 0 : slash);
  };
  while (!input.empty()) {
    if (input.starts_with("../")) {
      input.remove_prefix(3);
    } else if (input.starts_with("./") || input.starts_with("/./")) {
      input.remove_prefix(2);
    } else if (input == "/.") {
      input = "/";
    } else if (input.starts_with("/../")) {
      input.remove_prefix(3);
      drop_last();
    } else if (input == "/..") {
      input = "/";
      drop_last();
    } else if (input == "." || input == "..") {
      input = {};
    } else {
      const std::size_t end = input.find('/', input.starts_with('/') ? 1 : 0);
      output.append(input.substr(0, end));
      input.remove_prefix(std::min(end, input.size()));
    }
  }
  return output;
}

// The five components of a reference; absent is not the same as empty (RFC 3986 section 5.3).
struct Reference {
  std::optional<std::string_view> scheme, authority, query, fragment;
  std::string_view path;
};

Reference split_reference(std::string_view text) {
  Reference out;
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    out.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    out.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  const std::size_t colon = text.find(':');
  const auto in_scheme = [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  if (colon != std::string_view::npos && colon > 0 && is_alpha(text[0]) &&
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), in_scheme)) {
    out.scheme = text.substr(0, colon);
    text = text.substr(colon + 1);
  }
  if (text.starts_with("//")) {
    const std::size_t end = text.find('/', 2);
    out.authority = text.substr(2, end == std::string_view::npos ? end : end - 2);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  }
  out.path = text;
  return out;
}

Result<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return invalid(text, "has a '%' that two hexadecimal digits do not follow");
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

std::string Url::authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::string Url::host_header() const {
  if (port != default_port(scheme)) {
    return authority();
  }
  return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

std::string Url::target() const {
  return query.empty() ? path : path + "?" + query;
}

std::string Url::text() const {
  return fmt::format("{}://{}{}", scheme, host_header(), target());
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlBytesMax) {
    return invalid(text, fmt::format("is longer than {} bytes", kUrlBytesMax));
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || c == '\\') {
      return invalid(text, "has a blank, a backslash or a control character in it; write %20 for a blank");
    }
  }
  const Reference parts = split_reference(text);
  Url url;
  url.scheme = to_lower(parts.scheme.value_or(""));
  if (url.scheme != "http" && url.scheme != "https") {
    return invalid(text, "is not an absolute URL that begins with http:// or https://");
  }
  if (!parts.authority) {
    return invalid(text, "has no '//' after its scheme");
  }
  TRY(parse_authority(text, *parts.authority, url));
  url.path = parts.path.empty() ? "/" : parts.path;
  url.query = parts.query.value_or("");
  url.fragment = parts.fragment.value_or("");
  return url;
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  const Reference r = split_reference(reference);
  std::string text;
  const std::string root = fmt::format("{}://{}", base.scheme, base.host_header());
  const std::string own_query = r.query ? fmt::format("?{}", *r.query) : "";
  if (r.scheme && !r.authority) {
    return invalid(reference, "has a scheme but no host");
  }
  if (r.authority) {
    text = fmt::format("{}://{}{}{}", r.scheme.value_or(base.scheme), *r.authority, remove_dot_segments(r.path),
                       own_query);
  } else if (r.path.empty()) {
    text = root + base.path + (r.query ? own_query : base.query.empty() ? "" : "?" + base.query);
  } else if (r.path.starts_with('/')) {
    text = root + remove_dot_segments(r.path) + own_query;
  } else {
    const std::string directory = base.path.substr(0, base.path.rfind('/') + 1);
    text = root + remove_dot_segments(fmt::format("{}{}", directory, r.path)) + own_query;
  }
  if (r.fragment) {
    text += fmt::format("#{}", *r.fragment);
  }
  return parse_url(text);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kUpperHex[byte >> 4U]);
      out.push_back(kUpperHex[byte & 15U]);
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

std::string form_encode(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) {
      out.push_back('&');
    }
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> form_decode(std::string_view text, std::size_t fields_max) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (piece.empty()) {
      continue;
    }
    if (fields.size() == fields_max) {
      return make_error(ErrorKind::refused, fmt::format("the form has more than {} fields", fields_max));
    }
    const std::size_t equals = piece.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : piece.substr(equals + 1);
    fields.emplace_back(TRY(decode(piece.substr(0, equals), true)), TRY(decode(value, true)));
  }
  return fields;
}

}  // namespace parallax::http
