// Asks the collector, beside the querying, which providers have asked the other vantages of the fleet for peace.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "http/client.h"
#include "probe/submit.h"

namespace parallax::probe {

// GET COLLECTOR/api/v1/pauses at once and every kListenEvery, until it is destroyed. Best effort: no answer means no
// pause, a collector that does not know the path or the token is not asked again.
class PauseListener {
 public:
  // Called by the listener's task: the provider, and for how long from now it is not to be asked.
  using OnPause = std::function<void(const std::string& provider, Micros wait)>;

  // `options`: collector, token, user agent, certificates.
  PauseListener(SubmitOptions options, Clock& clock, Executor& executor, http::Client& client, OnPause on_pause);
  ~PauseListener() = default;
  PauseListener(const PauseListener&) = delete;
  PauseListener& operator=(const PauseListener&) = delete;

  static constexpr Micros kListenEvery{Seconds(15)};
  static constexpr Micros kPauseMax = std::chrono::hours(1);

 private:
  // False: no use in asking again.
  bool ask(const std::stop_token& stop);
  void take(const std::string& body);

  const SubmitOptions options_;
  Clock& clock_;
  http::Client& client_;
  const OnPause on_pause_;
  std::unique_ptr<Task> task_;  // the last member: it uses the others
};

}  // namespace parallax::probe
