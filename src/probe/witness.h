// A client that passes everything on to another one and remembers what went over the wire, for whoever shows a query to
// a person. It looks only: timings, bodies and errors are those of the client behind it.
#pragma once

#include <string>
#include <vector>

#include "http/client.h"

namespace parallax::probe {

struct WitnessedHop {
  http::Request request;
  http::Exchange exchange;  // without the body
  std::string body;         // as it came, before any decoding; its first bytes where it is cut
  bool body_cut = false;    // more came than is kept
  bool streamed = false;    // the body was asked for in pieces: it is the one to be measured
};

// Thread safety: one task.
class Witness final : public http::Client {
 public:
  // Of each answer, up to `body_bytes_max` are kept.
  Witness(http::Client& client, std::size_t body_bytes_max) : client_(client), body_bytes_max_(body_bytes_max) {}

  http::Exchange send(const http::Request& request, const http::SendOptions& options, std::stop_token stop) override;

  const std::vector<WitnessedHop>& hops() const { return hops_; }

 private:
  http::Client& client_;
  const std::size_t body_bytes_max_;
  std::vector<WitnessedHop> hops_;
};

}  // namespace parallax::probe
