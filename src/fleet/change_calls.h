// The AWS calls of a change: patient with what passes by itself, and short ways to write their parameters.
#pragma once

#include <functional>
#include <initializer_list>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "fleet/observed.h"
#include "fleet/run.h"

namespace parallax::fleet {

// How long a call is repeated, and for which errors beside throttling, outages and lost answers (three minutes of
// these at most).
struct Patience {
  Micros timeout{Seconds(600)};
  std::vector<std::string_view> codes = {};  // "InvalidGroup.NotFound": an id that is not known everywhere yet
  // More errors that pass by themselves; `waited` is the time since the first attempt.
  std::function<bool(const Error& error, Micros waited)> passes = {};
  Micros code_gap{0};  // between attempts after one of `codes`; zero: growing gaps, as after everything else
};

// Thread safety: one task's own.
class ChangeCalls {
 public:
  ChangeCalls(const FleetDeps& deps, std::string region, std::stop_token stop, std::stop_token hard_stop)
      : deps_(deps), region_(std::move(region)), stop_(std::move(stop)), hard_stop_(std::move(hard_stop)) {}

  const std::string& region() const { return region_; }

  // Asked again with growing gaps, so only for what may be repeated. Error: cancelled where a stop was requested
  // between two attempts; one that is under way is finished.
  Result<Json> call(std::string_view service, std::string_view operation, const Json& params,
                    const Patience& patience = {});

  Result<Json> ec2(std::string_view operation, const Json& params, const Patience& patience = {}) {
    return call("ec2", operation, params, patience);
  }

  // One attempt of what must not be repeated blindly. is_unclear() tells whether its effect is unknown.
  Result<Json> once(std::string_view service, std::string_view operation, const Json& params);

  // Whether one of the attempts of the last call() may have taken effect although it failed.
  bool was_unclear() const { return unclear_; }

  // False where a stop was requested first.
  bool pause(Micros duration) { return deps_.clock.sleep_for(duration, token()); }

  Monotonic now() const { return deps_.clock.monotonic(); }

  // What was begun has to be brought to an end: from now on only `hard_stop` ends calls and pauses.
  void set_urgent() { urgent_ = true; }

  bool stopped() const { return token().stop_requested(); }

  // Told with a sentence when a call has kept us waiting for a while.
  void on_wait(std::function<void(const std::string& text)> tell) { tell_ = std::move(tell); }

  void tell(const std::string& text) const {
    if (tell_) {
      tell_(text);
    }
  }

 private:
  const std::stop_token& token() const { return urgent_ ? hard_stop_ : stop_; }

  Result<Json> attempt(std::string_view service, std::string_view operation, const Json& params, Monotonic deadline);

  const FleetDeps& deps_;
  const std::string region_;
  const std::stop_token stop_, hard_stop_;
  bool urgent_ = false;
  bool unclear_ = false;
  std::function<void(const std::string& text)> tell_;
};

// The effect of a call that failed so is unknown.
bool is_unclear(const Error& error);

Error interrupted();

// The gaps between attempts: 1, 2, 4, 8, 15, 15, ... seconds.
class GrowingGap {
 public:
  Micros next();

 private:
  Micros gap_{Seconds(1)};
};

Json text_list(const std::vector<std::string>& texts);
// [{"Key": ..., "Value": ...}]
Json tag_list(const Tags& tags);
// {"ResourceType": ..., "Tags": [...]}
Json tag_specification(std::string_view resource, const Tags& tags);
// [{"Name": ..., "Values": [...]}]
Json filter_list(std::initializer_list<std::pair<std::string, std::vector<std::string>>> filters);
Tags read_tags(const Json& resource);

// At most `size` texts each.
std::vector<std::vector<std::string>> batches(const std::vector<std::string>& texts, std::size_t size);

}  // namespace parallax::fleet
