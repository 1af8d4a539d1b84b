// How many calls of one operation a region still takes from us.
#pragma once

#include "base/time.h"

namespace parallax::fleet {

// A bucket of calls: so many at once, so many a second from then on.
class CallBudget {
 public:
  CallBudget(double capacity, double a_second) : capacity_(capacity), a_second_(a_second), left_(capacity) {}

  bool take(Monotonic now);
  // Throttled all the same: somebody else uses them too.
  void empty(Monotonic now);

 private:
  void refill(Monotonic now);

  const double capacity_, a_second_;
  double left_;
  Monotonic last_;
};

}  // namespace parallax::fleet
