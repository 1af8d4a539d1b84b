#include "sim/world/network.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "http/url.h"

namespace parallax::sim {

namespace {

using http::Phase;

constexpr std::size_t kPieceBytes = 16U << 10U;
constexpr double kJitter = 0.1;
constexpr Micros kResolveTime{Millis(3)};

// What client and server side of one exchange share.
struct Conversation {
  bool answered = false;
  bool reset = false;
  http::Response response;
};

// Tells the client that nothing more will come, also when the server dies in the middle or before it began.
struct Farewell {
  Farewell(std::shared_ptr<Conversation> shared, std::shared_ptr<Event> event)
      : conversation(std::move(shared)), answered(std::move(event)) {}

  ~Farewell() {
    if (!silent) {
      conversation->reset = !conversation->answered;
      answered->notify();
    }
  }

  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;

  const std::shared_ptr<Conversation> conversation;
  const std::shared_ptr<Event> answered;
  bool silent = false;
};

Error network_error(ErrorKind kind, std::string code, std::string message) {
  Error error = make_error(kind, std::move(message));
  error.code = std::move(code);
  return error;
}

struct Draw {
  NetworkFaultKind kind = NetworkFaultKind::none;
  bool silent = false;
  Micros delay{0};
  double jitter = 1;
  double cut_at = 1;
};

Draw draw_faults(const NetworkFaults& faults, Rng& rng) {
  Draw draw;
  // Every number is drawn, needed or not, so that one probability does not shift the others.
  double kind = rng.unit();
  draw.silent = rng.chance(faults.silent);
  const double slow = rng.unit();
  const double delay = rng.unit();
  draw.jitter = 1 + kJitter * rng.unit();
  draw.cut_at = rng.unit();
  if (slow < faults.slow) {
    draw.delay = Micros(static_cast<std::int64_t>(delay * static_cast<double>(faults.slow_max.count())));
  }
  const std::pair<double, NetworkFaultKind> table[] = {{faults.connect_refused, NetworkFaultKind::connect_refused},
                                                       {faults.request_lost, NetworkFaultKind::request_lost},
                                                       {faults.answer_lost, NetworkFaultKind::answer_lost},
                                                       {faults.server_error, NetworkFaultKind::server_error},
                                                       {faults.body_cut, NetworkFaultKind::body_cut}};
  for (const auto& [probability, fault] : table) {
    if (kind < probability) {
      draw.kind = fault;
      break;
    }
    kind -= probability;
  }
  return draw;
}

}  // namespace

// One exchange on the client's task: the phases in order, each within its limit.
class SimulatedClient final : public http::Client {
 public:
  SimulatedClient(Network& network, Process& process) : network_(network), process_(process) {}

  http::Exchange send(const http::Request& request, const http::SendOptions& options, std::stop_token stop) override {
    if (!process_.enter()) {
      http::Exchange exchange;
      exchange.error = network_error(ErrorKind::unavailable, "connection-reset", "the process is dead");
      return exchange;
    }
    Attempt attempt(*this, request, options, std::move(stop));
    attempt.go();
    VirtualWorld& world = network_.world_;
    world.note("answer", attempt.exchange.error ? attempt.exchange.error->code
                                                : std::to_string(attempt.exchange.response.status));
    process_.leave();
    return std::move(attempt.exchange);
  }

 private:
  class Attempt {
   public:
    Attempt(SimulatedClient& client, const http::Request& request, const http::SendOptions& options,
            std::stop_token stop)
        : network_(client.network_),
          process_(client.process_),
          world_(client.network_.world_),
          request_(request),
          options_(options),
          stop_(std::move(stop)),
          end_(world_.now() + options.limits.total) {}

    void go() {
      const Result<http::Url> url = http::parse_url(request_.url);
      if (!url) {
        fail(Phase::none, network_error(ErrorKind::invalid, "bad-url", url.error().message));
        return;
      }
      const std::string named = fmt::format("{}:{}", url->host, url->port);
      const auto redirected = options_.connect_to.find(named);
      authority_ = redirected == options_.connect_to.end() ? named : redirected->second;
      world_.note("request", fmt::format("{} {} {}", process_.host(), request_.method, request_.url.substr(0, 120)));
      const auto faults = network_.faults_.find(authority_);
      Rng& rng = world_.rng("network " + process_.host() + " " + authority_);
      draw_ = draw_faults(faults == network_.faults_.end() ? NetworkFaults{} : faults->second, rng);
      if (network_.hook_ != nullptr) {
        const NetworkFaultKind chosen = network_.hook_(process_.host(), request_);
        draw_.kind = chosen == NetworkFaultKind::none ? draw_.kind : chosen;
      }
      round_trip_ = scaled(network_.round_trip(process_.host(), authority_), draw_.jitter);
      if (connect(url->scheme == "https") && exchange_request(*url)) {
        receive();
      }
    }

    http::Exchange exchange;

   private:
    static Micros scaled(Micros time, double factor) {
      return Micros(static_cast<std::int64_t>(static_cast<double>(time.count()) * factor));
    }

    std::optional<Micros>& timing(Phase phase) {
      http::Timings& timings = exchange.transport.timings;
      switch (phase) {
        case Phase::resolve:
          return timings.resolve;
        case Phase::connect:
          return timings.connect;
        case Phase::tls:
          return timings.tls;
        case Phase::send:
          return timings.send;
        case Phase::first_byte:
          return timings.first_byte;
        default:
          return timings.transfer;
      }
    }

    void book(Phase phase, Micros time) {
      std::optional<Micros>& slot = timing(phase);
      slot = slot.value_or(Micros(0)) + time;
      exchange.transport.timings.total += time;
    }

    bool fail(Phase phase, Error error) {
      exchange.failed_phase = phase;
      exchange.error = std::move(error);
      return false;
    }

    // Lets `time` pass in `phase`; false where `limit`, the total or the stop token ends the exchange before.
    bool spend(Phase phase, Micros time, Micros limit) {
      const Monotonic begin = world_.now();
      const Monotonic limit_at = limit >= Micros::max() / 2 ? end_ : std::min(end_, begin + limit);
      const Monotonic ready = time == Micros::max() ? Monotonic::max() : begin + time;
      const bool slept = process_.clock().sleep_until(std::min(ready, limit_at), stop_);
      book(phase, world_.now() - begin);
      if (!slept) {
        return cancelled(phase);
      }
      return ready <= limit_at || timed_out(phase);
    }

    bool cancelled(Phase phase) {
      return fail(phase, network_error(ErrorKind::cancelled, "cancelled", "the exchange was cancelled"));
    }

    bool timed_out(Phase phase) {
      return fail(phase, network_error(
                             ErrorKind::timeout, "timeout",
                             fmt::format("{}: no answer within the limit of phase {}", authority_, to_string(phase))));
    }

    bool connect(bool with_tls) {
      if (!spend(Phase::resolve, kResolveTime, options_.limits.resolve)) {
        return false;
      }
      const auto endpoint = network_.endpoints_.find(authority_);
      const auto cut_off = network_.cut_off_.find(process_.host());
      if (cut_off != network_.cut_off_.end() && cut_off->second) {
        return spend(Phase::connect, Micros::max(), options_.limits.connect);
      }
      if (!spend(Phase::connect, round_trip_, options_.limits.connect)) {
        return false;
      }
      if (draw_.kind == NetworkFaultKind::connect_refused || endpoint == network_.endpoints_.end() ||
          !endpoint->second.server->alive()) {
        return fail(Phase::connect,
                    network_error(ErrorKind::unavailable, "connect-refused", authority_ + ": connection refused"));
      }
      exchange.transport.peer = authority_;
      exchange.transport.http_version = "1.1";
      if (with_tls) {
        exchange.transport.tls_version = "TLSv1.3";
      }
      return spend(Phase::tls, with_tls ? 2 * round_trip_ : Micros(0), options_.limits.tls);
    }

    // The request travels, is handled by a task of the server, and the answer travels back.
    bool exchange_request(const http::Url& url) {
      const double upload = static_cast<double>(request_.body.size()) / network_.links_.bytes_per_second;
      if (!spend(Phase::send, Micros(static_cast<std::int64_t>(upload * 1e6)), options_.limits.total)) {
        return false;
      }
      const Monotonic begin = world_.now();
      conversation_ = std::make_shared<Conversation>();
      const std::shared_ptr<Event> answered(world_.make_event());
      const std::uint64_t seen = answered->ticket();
      hand_over(url, answered);
      const Monotonic limit_at = std::min(end_, begin + options_.limits.first_byte);
      bool came = answered->wait_until(seen, limit_at, stop_);
      if (came) {
        const Monotonic arrival = world_.now() + round_trip_ / 2;
        process_.clock().sleep_until(std::min(arrival, limit_at), stop_);
        came = arrival <= limit_at;
      }
      book(Phase::first_byte, world_.now() - begin);
      if (stop_.stop_requested()) {
        return cancelled(Phase::first_byte);
      }
      if (!came) {
        return timed_out(Phase::first_byte);
      }
      if (conversation_->reset) {
        return reset(Phase::first_byte);
      }
      if (draw_.kind == NetworkFaultKind::answer_lost) {
        return draw_.silent ? spend(Phase::first_byte, Micros::max(), limit_at - world_.now())
                            : reset(Phase::first_byte);
      }
      return true;
    }

    bool reset(Phase phase) {
      return fail(phase,
                  network_error(ErrorKind::unavailable, "connection-reset", authority_ + ": connection reset by peer"));
    }

    void hand_over(const http::Url& url, const std::shared_ptr<Event>& answered) {
      const auto endpoint = network_.endpoints_.find(authority_);
      // The server may have died since the connection was made; then nobody is there to run a task.
      if (endpoint == network_.endpoints_.end() || !endpoint->second.server->alive()) {
        conversation_->reset = true;
        answered->notify();
        return;
      }
      http::Request request = request_;
      request.url = url.target();
      if (request.headers.find("Host") == nullptr) {
        request.headers.add("Host", url.host_header());
      }
      request.peer = process_.host() + ":40000";
      http::Service* service = endpoint->second.service;
      Process* server = endpoint->second.server;
      const auto farewell = std::make_shared<Farewell>(conversation_, answered);
      server->start(authority_, [&world = world_, farewell, request = std::move(request), draw = draw_,
                                 way = round_trip_ / 2, service, server](const std::stop_token& /*stop*/) {
        world.clock().sleep_for(way, {});
        if (draw.kind == NetworkFaultKind::request_lost) {
          farewell->silent = draw.silent;
          return;
        }
        handle(*farewell->conversation, request, draw, *service, *server);
      });
    }

    static void handle(Conversation& conversation, const http::Request& request, const Draw& draw,
                       http::Service& service, Process& server) {
      if (draw.kind == NetworkFaultKind::server_error) {
        conversation.response.status = 503;
        conversation.response.body = "<html><body>503 Service Unavailable</body></html>";
        conversation.response.headers.set("Content-Type", "text/html");
      } else {
        http::Request head = request;
        head.body.clear();
        http::Service::Admission admission = service.admit(head);
        if (admission.answer) {
          conversation.response = std::move(*admission.answer);
        } else if (request.body.size() > admission.body_bytes_max) {
          conversation.response.status = 413;
        } else {
          conversation.response = service.handle(request);
        }
      }
      if (draw.delay > Micros(0)) {
        server.clock().sleep_for(draw.delay, {});
      }
      server.leave();  // a kill here comes after the effect and before the answer
      // A service that answers with no status has cut the connection itself.
      conversation.answered = conversation.response.status != 0;
    }

    void receive() {
      http::Response& answer = conversation_->response;
      exchange.response.status = answer.status;
      exchange.response.headers = answer.headers;
      const std::size_t size = answer.body.size();
      if (exchange.response.headers.find("Content-Length") == nullptr) {
        exchange.response.headers.add("Content-Length", std::to_string(size));
      }
      const bool cut = draw_.kind == NetworkFaultKind::body_cut && size > 0;
      const auto whole = cut ? static_cast<std::size_t>(draw_.cut_at * static_cast<double>(size)) : size;
      std::string_view rest = std::string_view(answer.body).substr(0, whole);
      do {
        const std::string_view piece = rest.substr(0, kPieceBytes);
        rest.remove_prefix(piece.size());
        const double seconds = static_cast<double>(piece.size()) / network_.links_.bytes_per_second;
        if (!spend(Phase::transfer, Micros(static_cast<std::int64_t>(seconds * 1e6)), options_.limits.idle) ||
            !deliver(piece)) {
          return;
        }
      } while (!rest.empty());
      if (cut) {
        fail(Phase::transfer, network_error(ErrorKind::unavailable, "cut", authority_ + ": the body ended early"));
      }
    }

    bool deliver(std::string_view piece) {
      if (exchange.transport.bytes_wire == 0 && !piece.empty() && options_.on_head) {
        options_.on_head(exchange.response);
      }
      exchange.transport.bytes_wire += piece.size();
      if (exchange.transport.bytes_wire > options_.body_bytes_max) {
        return fail(Phase::transfer,
                    network_error(ErrorKind::refused, "body-too-large",
                                  fmt::format("the body is larger than {} bytes", options_.body_bytes_max)));
      }
      if (options_.on_body == nullptr) {
        exchange.response.body += piece;
        return true;
      }
      return piece.empty() || options_.on_body(piece) ||
             fail(Phase::transfer, network_error(ErrorKind::refused, "body-refused", "the reader refused the body"));
    }

    Network& network_;
    Process& process_;
    VirtualWorld& world_;
    const http::Request& request_;
    const http::SendOptions& options_;
    const std::stop_token stop_;
    const Monotonic end_;
    std::string authority_;
    Micros round_trip_{0};
    Draw draw_;
    std::shared_ptr<Conversation> conversation_;
  };

  Network& network_;
  Process& process_;
};

void Network::serve(const std::string& authority, http::Service& service, Process& server) {
  endpoints_[authority] = {&service, &server};
}

void Network::close(const std::string& authority) {
  endpoints_.erase(authority);
}

std::unique_ptr<http::Client> Network::client(Process& process) {
  return std::make_unique<SimulatedClient>(*this, process);
}

void Network::set_faults(const std::string& authority, const NetworkFaults& faults) {
  faults_[authority] = faults;
}

Micros Network::round_trip(const std::string& host, const std::string& authority) {
  const auto [found, inserted] = round_trips_.try_emplace({host, authority}, Micros(0));
  if (inserted) {
    const auto span = static_cast<double>((links_.round_trip_max - links_.round_trip_min).count());
    const double share = world_.rng("distance " + host + " " + authority).unit();
    found->second = links_.round_trip_min + Micros(static_cast<std::int64_t>(share * share * span));
  }
  return found->second;
}

}  // namespace parallax::sim
