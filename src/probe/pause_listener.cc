#include "probe/pause_listener.h"

#include <algorithm>
#include <utility>

#include "codec/json.h"

namespace parallax::probe {

namespace {

constexpr Micros kAnswerWithin{Seconds(10)};
constexpr std::size_t kAnswerBytesMax = 1U << 20U;

std::string pauses_url(std::string_view base) {
  while (base.ends_with('/')) {
    base.remove_suffix(1);
  }
  return std::string(base) + "/api/v1/pauses";
}

}  // namespace

PauseListener::PauseListener(SubmitOptions options, Clock& clock, Executor& executor, http::Client& client,
                             OnPause on_pause)
    : options_(std::move(options)), clock_(clock), client_(client), on_pause_(std::move(on_pause)) {
  task_ = executor.spawn("pauses", [this](const std::stop_token& stop) {
    while (ask(stop) && clock_.sleep_until(clock_.monotonic() + kListenEvery, stop)) {
    }
  });
}

bool PauseListener::ask(const std::stop_token& stop) {
  http::Request request;
  request.url = pauses_url(options_.collector);
  request.headers.set("User-Agent", options_.user_agent);
  request.headers.set("Authorization", "Bearer " + options_.token);
  request.headers.set("Accept", "application/json");
  http::SendOptions send;
  send.limits = options_.limits;
  send.limits.total = std::min(send.limits.total, kAnswerWithin);
  send.body_bytes_max = kAnswerBytesMax;
  send.connection = http::ConnectionPolicy::reuse;
  send.ca_file = options_.ca_file;
  send.connect_to = options_.connect_to;
  const http::Exchange exchange = client_.send(request, send, stop);
  if (exchange.ok() && exchange.response.status == 200) {
    take(exchange.response.body);
  }
  const int status = exchange.ok() ? exchange.response.status : 0;
  return status != 401 && status != 403 && status != 404;
}

void PauseListener::take(const std::string& body) {
  const Result<Json> answer = parse_json(body);
  if (!answer) {
    return;
  }
  for (const Json& pause : answer->list("pauses")) {
    const Micros wait = std::clamp(Micros(pause.integer("wait_us", 0)), Micros(0), kPauseMax);
    if (wait > Micros(0)) {
      on_pause_(pause.text("provider"), wait);
    }
  }
}

}  // namespace parallax::probe
