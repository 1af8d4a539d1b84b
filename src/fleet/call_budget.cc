#include "fleet/call_budget.h"

#include <algorithm>
#include <chrono>

namespace parallax::fleet {

void CallBudget::refill(Monotonic now) {
  if (last_ != Monotonic() && now > last_) {
    left_ = std::min(capacity_, left_ + a_second_ * std::chrono::duration<double>(now - last_).count());
  }
  last_ = now;
}

bool CallBudget::take(Monotonic now) {
  refill(now);
  if (left_ < 1) {
    return false;
  }
  left_ -= 1;
  return true;
}

void CallBudget::empty(Monotonic now) {
  refill(now);
  left_ = 0;
}

}  // namespace parallax::fleet
