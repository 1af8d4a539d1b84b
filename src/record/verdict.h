// The closed list of verdicts over one measurement.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace parallax {

enum class Verdict {
  ok,             // a table came, whole
  overflow,       // a table came, cut at a row limit and said so: a success
  service_error,  // the service's own error mark, at any HTTP status
  http_error,     // any other status >= 400, a POST redirected by 301/302
  not_votable,    // something else came: HTML, JSON, nothing
  truncated,      // the answer ended early
  timeout,        // one of our time limits; the phase is in failed_phase, the limit in limit_us
  network,        // resolve, connect, TLS and certificates, with a code
  throttled,      // 429, or 503 with Retry-After
  refused,  // one of our own limits (size, inflate ratio, depth, redirects, private address), or we ended the query
            // ourselves (codes "interrupted", "probe-killed"); never the service's trouble
};

inline constexpr std::array<std::string_view, 10> kVerdictNames = {
    "ok",        "overflow", "service-error", "http-error", "not-votable",
    "truncated", "timeout",  "network",       "throttled",  "refused"};

constexpr std::string_view to_string(Verdict verdict) {
  return kVerdictNames[static_cast<std::size_t>(verdict)];
}

constexpr std::optional<Verdict> parse_verdict(std::string_view text) {
  for (std::size_t i = 0; i < kVerdictNames.size(); ++i) {
    if (kVerdictNames[i] == text) {
      return static_cast<Verdict>(i);
    }
  }
  return std::nullopt;
}

constexpr bool is_success(Verdict verdict) {
  return verdict == Verdict::ok || verdict == Verdict::overflow;
}

}  // namespace parallax
