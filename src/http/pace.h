// A Service whose answers take their time without holding a thread: what a simulated server far away needs.
#pragma once

#include <functional>

#include "base/time.h"
#include "http/client.h"

namespace parallax::http {

// An answer of this status cuts the connection: nothing is sent. For any Service behind start_server().
constexpr int kStatusCut = 0;

// What happens after `wait`: `next` is called, on a handler's thread, or else `response` is sent.
struct Pace {
  Micros wait{0};
  std::function<Pace()> next;
  Response response;
};

class PacedService : public Service {
 public:
  // Instead of handle(). `request` lives until the response is sent or the connection is lost.
  virtual Pace begin(const Request& request) = 0;
};

}  // namespace parallax::http
