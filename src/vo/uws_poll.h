// When to ask a UWS job for its phase again, and with which WAIT.
//
// A server of UWS 1.1 blocks until the phase changes; one of 1.0 answers at once, and so do some that claim 1.1. So an
// answer that came before its WAIT was over with the phase unchanged makes the next gap longer: 0.25, 0.5, 1, 2, 4, 5
// s. Pure: the caller has the clock.
#pragma once

#include <optional>

#include "base/time.h"
#include "vo/uws.h"

namespace parallax::vo {

struct PollLimits {
  Micros wait_max = Seconds(30);         // WAIT of one poll
  Micros request_timeout = Seconds(60);  // of one request; WAIT stays 5 s below it
  Micros gap_min = Millis(250);
  Micros gap_max = Seconds(5);
  int polls_max = 200;  // for one job
};

struct Poll {
  Micros sleep{0};       // before it is sent
  int wait_seconds = 0;  // WAIT, whole seconds as UWS wants it; 0: send none
};

class PollSchedule {
 public:
  explicit PollSchedule(const PollLimits& limits) : limits_(limits) {}

  // The next poll of a job that was last seen in `phase`, with `remaining` of its whole budget left: sleep and WAIT
  // together stay within it. Empty where the budget or the polls are used up.
  std::optional<Poll> next(UwsPhase phase, Micros remaining);

  // What came of it: how long the request took and the phase it told. A poll that failed tells the phase known before.
  void answered(Micros took, UwsPhase phase);

  int polls() const { return polls_; }

 private:
  PollLimits limits_;
  int polls_ = 0;
  Micros gap_{0};
  Poll last_;
  std::optional<UwsPhase> seen_;
};

}  // namespace parallax::vo
