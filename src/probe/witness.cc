#include "probe/witness.h"

#include <algorithm>
#include <utility>

namespace parallax::probe {

http::Exchange Witness::send(const http::Request& request, const http::SendOptions& options, std::stop_token stop) {
  WitnessedHop hop;
  hop.request = request;
  hop.streamed = static_cast<bool>(options.on_body);
  const auto keep = [&](std::string_view piece) {
    const std::size_t room = body_bytes_max_ - hop.body.size();
    hop.body += piece.substr(0, room);
    hop.body_cut = hop.body_cut || piece.size() > room;
  };
  http::SendOptions watched = options;
  if (options.on_body) {
    watched.on_body = [&](std::string_view piece) {
      keep(piece);
      return options.on_body(piece);
    };
  }
  http::Exchange exchange = client_.send(request, watched, std::move(stop));
  if (!options.on_body) {
    keep(exchange.response.body);
  }
  hop.exchange.error = exchange.error;
  hop.exchange.failed_phase = exchange.failed_phase;
  hop.exchange.response.status = exchange.response.status;
  hop.exchange.response.headers = exchange.response.headers;
  hop.exchange.transport = exchange.transport;
  hops_.push_back(std::move(hop));
  return exchange;
}

}  // namespace parallax::probe
