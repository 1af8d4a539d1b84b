// What keeps us from one AWS service in one region, as a person is to hear of it: once when it has lasted a while,
// again when it changes its kind, and once when it is over. Not once per attempt.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace parallax::fleet {

// What a Trouble needs to know of a call that has ended.
struct CallTimes {
  Monotonic began;
  Monotonic ended;
  Instant ended_at;   // `ended` as an instant
  Monotonic give_up;  // until when the caller goes on trying
};

// Thread safety: one task's own.
class Trouble {
 public:
  // Shorter than this it is not worth a line: the client's own attempts bridge it.
  static constexpr Micros kToldAfter{Seconds(5)};

  // `service` as a person calls it: "EC2", "SSM".
  explicit Trouble(std::string service) : service_(std::move(service)) {}

  // A call failed. The sentence to tell, where there is something new:
  //   "EC2 cannot be reached since 12:01:40, trying until 12:06:40 UTC: connection refused (calling ...)"
  // An error that is the service's plain answer to this one call (not found, conflict, ...) is no trouble, nor is a
  // cancelled call.
  std::optional<std::string> failed(const Error& error, const CallTimes& times);

  // A call went well. "EC2 answers again after 43.0 s", where a trouble had been told.
  std::optional<std::string> answered(const CallTimes& times);

  // What lasts is told once more at its next failure: the caller goes on in another way, or with another deadline.
  void tell_anew() { told_.clear(); }

 private:
  const std::string service_;
  std::optional<Monotonic> since_;  // when the first of the failed calls began
  std::string told_;                // what kind of trouble has been told; empty: none
};

// "12:06:40", of an instant in UTC.
std::string time_of_day(Instant instant);

}  // namespace parallax::fleet
