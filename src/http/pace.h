// A Service whose answers take their time without holding a thread, or break HTTP: what a simulated server needs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "http/client.h"

namespace parallax::http {

// An answer of this status cuts the connection: nothing is sent. For any Service behind start_server().
constexpr int kStatusCut = 0;

// The very bytes of an answer, head included, right or wrong, each piece after its wait; then the connection ends.
struct RawAnswer {
  struct Piece {
    Micros wait{0};
    std::string bytes;
  };

  enum class End {
    close,
    reset,
    hold,  // stays silent until the client goes, ten minutes at most
  };

  std::vector<Piece> pieces;
  End end = End::close;
};

// What happens after `wait`: `next` is called, on a handler's thread, or else `raw` or `response` is sent.
struct Pace {
  Micros wait{0};
  std::function<Pace()> next;
  Response response;
  std::shared_ptr<const RawAnswer> raw = {};
};

class PacedService : public Service {
 public:
  // Instead of handle(). `request` lives until the response is sent or the connection is lost.
  virtual Pace begin(const Request& request) = 0;
};

}  // namespace parallax::http
