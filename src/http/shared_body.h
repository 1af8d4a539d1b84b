// Large bodies that many ask for: sent from one copy, piece by piece, whatever the number of clients.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/client.h"

namespace parallax::http {

// A Service that can share a body. Thread safety: as a Service.
class SharedBodyService : public Service {
 public:
  struct Shared {
    Response head;                            // `body` is not looked at
    std::shared_ptr<const std::string> body;  // let go of once its last byte is sent or the client is gone
  };

  // Asked by the server before handle(), which answers where this gives nothing; so handle() can answer the same
  // request, with a copy, for callers that do not know of sharing.
  virtual std::optional<Shared> share(const Request& request) = 0;
};

}  // namespace parallax::http
