#include "collector/gate.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "collector/answer.h"

namespace parallax::collector {

namespace {

constexpr Micros kFlushEvery = Seconds(1);
constexpr Micros kKeyRemembered = Seconds(5);
constexpr std::size_t kKeysRememberedMax = 1000;
constexpr std::size_t kBucketsMax = 10'000;
constexpr std::string_view kBearer = "Bearer ";

std::string_view bearer_of(const http::Request& head) {
  const std::string* field = head.headers.find("Authorization");
  if (field == nullptr || field->size() < kBearer.size() ||
      !equals_ignore_case(std::string_view(*field).substr(0, kBearer.size()), kBearer)) {
    return {};
  }
  return trim(std::string_view(*field).substr(kBearer.size()));
}

std::string_view advice(TokenProblem problem) {
  switch (problem) {
    case TokenProblem::missing:
      return "this needs a token: Authorization: Bearer TOKEN";
    case TokenProblem::malformed:
      return "this is not a token of ours";
    case TokenProblem::unknown_key:
      return "the token's key is not known here; 'parallax keys add' adds it";
    case TokenProblem::bad_signature:
      return "the token's signature is wrong";
    case TokenProblem::expired:
      return "the token has expired";
    case TokenProblem::not_yet_valid:
      return "the token is not valid yet; compare the clocks";
    case TokenProblem::retired_key:
      return "the token's key was retired before the token began";
    case TokenProblem::none:
      break;
  }
  return "";
}

http::Response unauthorized(TokenProblem problem) {
  http::Response response = error_answer(401, fmt::format("token.{}", to_string(problem)), advice(problem));
  // RFC 6750: no error code where no token was sent.
  response.headers.set("WWW-Authenticate",
                       problem == TokenProblem::missing
                           ? std::string("Bearer realm=\"parallax\"")
                           : fmt::format("Bearer realm=\"parallax\", error=\"invalid_token\", error_description=\"{}\"",
                                         to_string(problem)));
  return response;
}

}  // namespace

void Counts::add(std::string_view name, std::int64_t n) {
  if (n > 0) {
    const MutexLock lock(mutex_);
    pending_[std::string(name)] += n;
  }
}

void Counts::flush_if_due() {
  {
    const MutexLock lock(mutex_);
    if (pending_.empty() || clock_.monotonic() - flushed_ < kFlushEvery) {
      return;
    }
  }
  ignore(flush(), "what could not be written stays for the next time");
}

Result<> Counts::flush() {
  std::map<std::string, std::int64_t> taken;
  {
    const MutexLock lock(mutex_);
    flushed_ = clock_.monotonic();
    taken.swap(pending_);
  }
  if (taken.empty()) {
    return {};
  }
  Result<> written = store_.add_counts(taken);
  if (!written) {
    const MutexLock lock(mutex_);
    for (const auto& [name, n] : taken) {
      pending_[name] += n;
    }
  }
  return written;
}

RateLimiter::Bucket& RateLimiter::bucket(const std::string& key, Monotonic now) {
  if (buckets_.size() >= kBucketsMax && !buckets_.contains(key)) {
    // Those that have long been full again say nothing; should all be busy, the first one starts anew.
    const double seconds_to_full = options_.burst / options_.records_per_second;
    std::erase_if(buckets_, [&](const auto& entry) {
      return std::chrono::duration<double>(now - entry.second.at).count() > seconds_to_full;
    });
    if (buckets_.size() >= kBucketsMax) {
      buckets_.erase(buckets_.begin());
    }
  }
  Bucket& found = buckets_.try_emplace(key, Bucket{options_.burst, now}).first->second;
  const double seconds = std::max(0.0, std::chrono::duration<double>(now - found.at).count());
  found.level = std::min(options_.burst, found.level + seconds * options_.records_per_second);
  found.at = now;
  return found;
}

Micros RateLimiter::wait(const std::string& key, Monotonic now) {
  const MutexLock lock(mutex_);
  const double level = bucket(key, now).level;
  if (level > 0) {
    return Micros(0);
  }
  return Micros(static_cast<std::int64_t>((1 - level) / options_.records_per_second * 1e6) + 1);
}

void RateLimiter::charge(const std::string& key, double records, Monotonic now) {
  const MutexLock lock(mutex_);
  bucket(key, now).level -= records;
}

std::vector<TokenPayload> Gate::earlier_tokens(const http::Request& request) {
  std::vector<TokenPayload> earlier;
  const std::string header = request.headers.get(kEarlierTokensHeader);
  for (const std::string_view token : split(header, ' ')) {
    if (token.empty() || earlier.size() >= kEarlierTokensMax) {
      continue;
    }
    const TokenCheck check = check_issued(token, [this](std::string_view key_id) {
      const Result<std::optional<KeyRecord>> key = find_key(key_id);
      return key ? *key : std::nullopt;
    });
    if (check.problem == TokenProblem::none && check.payload.role == Role::vantage && !check.payload.run_id.empty()) {
      earlier.push_back(check.payload);
    }
  }
  return earlier;
}

Result<std::optional<KeyRecord>> Gate::find_key(std::string_view key_id) {
  const Monotonic now = clock_.monotonic();
  {
    const MutexLock lock(mutex_);
    const auto found = keys_.find(key_id);
    if (found != keys_.end() && now < found->second.until) {
      return std::optional<KeyRecord>(found->second.key);
    }
  }
  std::optional<KeyRecord> key = TRY(store_.find_key(key_id));
  const MutexLock lock(mutex_);
  if (keys_.size() >= kKeysRememberedMax) {
    keys_.clear();
  }
  if (key) {
    keys_.insert_or_assign(std::string(key_id), Known{*key, now + kKeyRemembered});
  }
  return key;
}

Admitted Gate::check(const http::Request& head, const std::vector<Role>& roles, Counting counting) {
  std::optional<Error> trouble;
  const TokenCheck check = check_token(bearer_of(head), clock_.now(), [&](std::string_view key_id) {
    Result<std::optional<KeyRecord>> found = find_key(key_id);
    if (!found) {
      trouble = found.error();
      return std::optional<KeyRecord>();
    }
    return std::move(found).value();
  });
  Admitted admitted;
  if (trouble) {
    admitted.answer = store_answer(*trouble);
    return admitted;
  }
  if (check.problem != TokenProblem::none) {
    if (counting == Counting::yes) {
      counts_.add(fmt::format("token.{}", to_string(check.problem)));
    }
    admitted.answer = unauthorized(check.problem);
    return admitted;
  }
  if (std::find(roles.begin(), roles.end(), check.payload.role) == roles.end()) {
    if (counting == Counting::yes) {
      counts_.add("token.wrong-role");
    }
    admitted.answer = error_answer(403, "token.wrong-role",
                                   fmt::format("a token of role '{}' may not do this", to_string(check.payload.role)));
    return admitted;
  }
  admitted.token = check.payload;
  return admitted;
}

namespace {

bool is_loopback_address(std::string_view host) {
  const std::vector<std::string_view> parts = split(host, '.');
  return parts.size() == 4 && parts[0] == "127" && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           unsigned number = 0;
           const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
           return error == std::errc() && end == part.data() + part.size() && part.size() <= 3 && number <= 255;
         });
}

// "host:port" or "[v6]:port" without the port; nothing where the port is no number.
std::optional<std::string_view> without_port(std::string_view header) {
  const std::size_t bracket = header.rfind(']');
  const std::size_t colon = header.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) {
    return header;
  }
  const std::string_view port = header.substr(colon + 1);
  const bool digits = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && port.size() <= 5 ? std::optional(header.substr(0, colon)) : std::nullopt;
}

}  // namespace

bool is_allowed_host(std::string_view host_header, const std::vector<std::string>& allowed) {
  const std::optional<std::string_view> host = without_port(trim(host_header));
  if (!host) {
    return false;
  }
  return equals_ignore_case(*host, "localhost") || *host == "[::1]" || is_loopback_address(*host) ||
         std::any_of(allowed.begin(), allowed.end(),
                     [&](const std::string& name) { return equals_ignore_case(*host, name); });
}

}  // namespace parallax::collector
