// Who may come in: tokens, the Host header, the rate of writes, and the counts of what was turned away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/message.h"
#include "record/token.h"
#include "store/store.h"

namespace parallax::collector {

// Counts that reach the store at most once a second, so that refusing costs no disk write each. A crash loses at most
// what was counted since. Thread safety: any task.
class Counts {
 public:
  Counts(store::Store& store, Clock& clock) : store_(store), clock_(clock), flushed_(clock.monotonic()) {}

  void add(std::string_view name, std::int64_t n = 1);
  // Writes if a second has passed since the last time.
  void flush_if_due();
  Result<> flush();

 private:
  store::Store& store_;
  Clock& clock_;
  Mutex mutex_;
  std::map<std::string, std::int64_t> pending_ GUARDED_BY(mutex_);
  Monotonic flushed_ GUARDED_BY(mutex_);
};

struct RateOptions {
  double records_per_second = 20'000;  // of one token's run (or vantage, or controller)
  double burst = 200'000;
};

// One bucket for each key. Thread safety: any task.
class RateLimiter {
 public:
  explicit RateLimiter(const RateOptions& options) : options_(options) {}

  // Zero: go ahead; else how long until there is room again.
  Micros wait(const std::string& key, Monotonic now);
  // Takes `records` out, below zero too: what came in has been counted only after it came.
  void charge(const std::string& key, double records, Monotonic now);

 private:
  struct Bucket {
    double level = 0;
    Monotonic at;
  };

  Bucket& bucket(const std::string& key, Monotonic now) REQUIRES(mutex_);

  const RateOptions options_;
  Mutex mutex_;
  std::map<std::string, Bucket> buckets_ GUARDED_BY(mutex_);
};

// Either an answer that ends the request, or whose token it carries.
struct Admitted {
  std::optional<http::Response> answer;
  TokenPayload token;
};

enum class Counting { yes, no };

// Checks bearer tokens against the store's keys, which it remembers for some seconds: a key that was retired goes on
// to work that long. Thread safety: any task.
class Gate {
 public:
  Gate(store::Store& store, Clock& clock, Counts& counts) : store_(store), clock_(clock), counts_(counts) {}

  // 401 names the problem; 403 where the role is none of `roles`. Problems are counted as token.PROBLEM, wrong roles as
  // token.wrong-role.
  Admitted check(const http::Request& head, const std::vector<Role>& roles, Counting counting);

  // The vantage tokens in the header of earlier tokens (record/token.h) that were issued, expired or not. What else
  // stands there is left out.
  std::vector<TokenPayload> earlier_tokens(const http::Request& request);

 private:
  struct Known {
    KeyRecord key;
    Monotonic until;
  };

  Result<std::optional<KeyRecord>> find_key(std::string_view key_id);

  store::Store& store_;
  Clock& clock_;
  Counts& counts_;
  Mutex mutex_;
  std::map<std::string, Known, std::less<>> keys_ GUARDED_BY(mutex_);
};

// Whether a Host header names this machine's loopback ("localhost", "127.0.0.1:8321", "[::1]") or one of `allowed`
// (without port). A page on another site whose name was made to resolve to 127.0.0.1 fails this.
bool is_allowed_host(std::string_view host_header, const std::vector<std::string>& allowed);

}  // namespace parallax::collector
