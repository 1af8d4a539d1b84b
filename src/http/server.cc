// Built on Boost.Beast, which is slow to compile: it is included here and nowhere else.
#include "http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "http/pace.h"
#include "http/server_message.h"
#include "http/shared_body.h"

namespace parallax::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kReadBytes = 16U << 10U;
constexpr std::size_t kSharedPieceBytes = 256U << 10U;
constexpr std::size_t kPipelinedBytesMax = 64U << 10U;  // read ahead of the request in hand
constexpr Micros kHoldMax = Seconds(600);               // of a connection that a raw answer leaves open
constexpr Micros kStopMax = Seconds(5);                 // answers that are on their way may still arrive
constexpr Micros kAcceptRetry = Millis(50);             // after running out of file descriptors
constexpr std::size_t kHandlerThreadsMax = 256;
// Closing with bytes unread resets the connection, and the reset can overtake our answer. So we read on a little.
constexpr Micros kLingerMax = Seconds(2);
constexpr std::size_t kLingerBytesMax = 8U << 20U;

class ConnectionBase {
 public:
  virtual ~ConnectionBase() = default;
  virtual void start() = 0;
  virtual void stop_when_idle() = 0;
  virtual void abort() = 0;
};

// What all connections share. Touched by the I/O thread only, except where it says otherwise.
struct Core {
  Core(const ServerOptions& given, Service& the_service)
      : options(given),
        service(the_service),
        paced(dynamic_cast<PacedService*>(&the_service)),
        sharing(dynamic_cast<SharedBodyService*>(&the_service)),
        handlers(std::clamp<std::size_t>(static_cast<std::size_t>(std::max(given.handler_threads, 1)), 1,
                                         kHandlerThreadsMax)) {}

  const ServerOptions options;
  Service& service;
  PacedService* const paced;         // the same, if it is one
  SharedBodyService* const sharing;  // the same, if it is one
  asio::io_context io{1};
  asio::thread_pool handlers;  // any thread may post
  std::optional<asio::ssl::context> tls;
  std::unordered_set<ConnectionBase*> connections;
  std::atomic<bool> stopping = false;

  // The Date header, made anew once a second.
  const std::string& date() {
    const Instant now = std::chrono::floor<Seconds>(clock_->now());
    if (now != date_at_) {
      date_at_ = now;
      date_ = to_http_date(now);
    }
    return date_;
  }

 private:
  const std::unique_ptr<Clock> clock_ = make_system_clock();
  Instant date_at_{};
  std::string date_;
};

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

template <typename Function>
auto guarded(Function function, std::string_view target) -> decltype(function()) {
  try {
    return function();
  } catch (const std::exception& failure) {
    log::error(fmt::format("answering {}: {}", terminal_safe(target, 200), terminal_safe(failure.what())));
  } catch (...) {
    log::error(fmt::format("answering {}: unknown exception", terminal_safe(target, 200)));
  }
  Response response = plain_response(500, "The server failed on this request.\n");
  if constexpr (std::is_same_v<decltype(function()), Response>) {
    return response;
  } else {
    return {std::move(response)};
  }
}

// One client. Callbacks hold the shared_ptr; when none is left the connection is closed.
template <typename Stream>
class Connection final : public ConnectionBase, public std::enable_shared_from_this<Connection<Stream>> {
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

 public:
  template <typename... Arguments>
  Connection(Core& core, std::string peer, Arguments&&... arguments)
      : core_(core),
        stream_(std::forward<Arguments>(arguments)...),
        pause_(core.io),
        buffer_(core.options.header_bytes_max + kPipelinedBytesMax),
        peer_(std::move(peer)) {
    core_.connections.insert(this);
  }

  ~Connection() override { core_.connections.erase(this); }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() override {
    if constexpr (kTls) {
      set_deadline(core_.options.header_deadline);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code failure) {
        if (!failure) {
          self->next_request(self->core_.options.header_deadline);
        }
      });
    } else {
      next_request(core_.options.header_deadline);
    }
  }

  void stop_when_idle() override {
    if (idle_ || pausing_) {
      pause_.cancel();
      abort();
    }
  }

  void abort() override { beast::get_lowest_layer(stream_).close(); }

 private:
  using Parser = beast::http::request_parser<beast::http::string_body>;

  std::shared_ptr<Connection> self() { return this->shared_from_this(); }

  void set_deadline(Micros duration) { beast::get_lowest_layer(stream_).expires_after(duration); }

  // Waits for the first byte apart from the rest: between requests a client may rest longer than within one.
  void next_request(Micros wait) {
    if (core_.stopping) {
      return;
    }
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(core_.options.header_bytes_max));
    // boost::none would refuse every length (Beast 1.74); the real limit comes with the admission.
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
    request_ = {};
    if (buffer_.size() > 0) {
      read_header();
      return;
    }
    idle_ = true;
    set_deadline(wait);
    stream_.async_read_some(buffer_.prepare(kReadBytes), [self = self()](error_code failure, std::size_t bytes) {
      self->idle_ = false;
      if (!failure) {
        self->buffer_.commit(bytes);
        self->read_header();
      }
    });
  }

  void read_header() {
    set_deadline(core_.options.header_deadline);
    beast::http::async_read_header(stream_, buffer_, *parser_, [self = self()](error_code failure, std::size_t) {
      if (failure) {
        self->refuse(failure);
      } else {
        self->on_header();
      }
    });
  }

  // A request that could not be read.
  void refuse(error_code failure) {
    namespace http = beast::http;
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
      respond(plain_response(431, "The header fields are too large.\n"), Ending::close_unread);
    } else if (failure == http::error::body_limit) {
      respond(plain_response(413, "The body is too large.\n"), Ending::close_unread);
    } else if (failure != http::error::end_of_stream && failure != http::error::partial_message &&
               failure.category() == http::make_error_code(http::error::bad_method).category()) {
      respond(plain_response(400, "This is not HTTP/1.1.\n"), Ending::close_unread);
    }
    // Else the client has gone, or a deadline has passed: the last owner of this object closes the connection.
  }

  void on_header() {
    beast::get_lowest_layer(stream_).expires_never();
    auto& head = parser_->get();
    const bool one_host = head.count(beast::http::field::host) == 1 || head.version() < 11;
    const bool plain_framing = head.find(beast::http::field::transfer_encoding) == head.end() || parser_->chunked();
    if (!one_host || !plain_framing) {
      respond(plain_response(400, "A request needs one Host header and a body of known length.\n"),
              Ending::close_unread);
      return;
    }
    request_.method = std::string(view(head.method_string()));
    head_request_ = request_.method == "HEAD";
    if (head_request_) {
      request_.method = "GET";  // what it would be, less the body
    }
    request_.url = std::string(view(head.target()));
    std::size_t header_bytes = head.target().size();
    for (const auto& field : head) {
      header_bytes += field.name_string().size() + field.value().size() + 4;
      request_.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
    }
    if (header_bytes > core_.options.header_bytes_max) {
      refuse(beast::http::error::header_limit);  // the parser overlooks what comes in one piece
      return;
    }
    request_.peer = peer_;
    carries_body_ = parser_->chunked() || parser_->content_length().value_or(0) > 0;
    asio::post(core_.handlers, [self = self()]() mutable { admit(std::move(self)); });
  }

  using Self = std::shared_ptr<Connection>;

  // Run on a handler thread: the I/O thread leaves request_ alone meanwhile. They hand `self` on, so that the last
  // reference is always dropped by the I/O thread.
  static void admit(Self self) {
    Core& core = self->core_;
    const Request& request = self->request_;
    if (core.stopping) {
      answer(std::move(self), plain_response(503, "The server is stopping.\n"));
      return;
    }
    Service::Admission admission = guarded([&] { return core.service.admit(request); }, request.url);
    if (admission.answer) {
      answer(std::move(self), std::move(*admission.answer));
    } else if (!self->carries_body_) {
      handle(std::move(self));
    } else {
      asio::post(core.io, [self = std::move(self), limit = admission.body_bytes_max] { self->read_body(limit); });
    }
  }

  static void handle(Self self) {
    if (PacedService* const paced = self->core_.paced) {
      const Request* const request = &self->request_;  // the connection outlives the step
      take_pace(std::move(self), [paced, request] { return paced->begin(*request); });
      return;
    }
    Response response = guarded([&] { return self->shared_or_handled(); }, self->request_.url);
    answer(std::move(self), std::move(response));
  }

  Response shared_or_handled() {
    if (core_.sharing != nullptr) {
      if (std::optional<SharedBodyService::Shared> shared = core_.sharing->share(request_)) {
        shared_body_ = std::move(shared->body);
        return std::move(shared->head);
      }
    }
    return core_.service.handle(request_);
  }

  // One step of a paced answer, on a handler thread.
  static void take_pace(Self self, const std::function<Pace()>& step) {
    Pace pace;
    if (std::optional<Response> failed = guarded_step(pace, step, self->request_.url)) {
      pace = Pace{Micros(0), nullptr, std::move(*failed), nullptr};
    }
    if (pace.wait > Micros(0)) {
      asio::io_context& io = self->core_.io;
      asio::post(io, [self = std::move(self), pace = std::move(pace)]() mutable { self->pause(std::move(pace)); });
    } else if (pace.next) {
      take_pace(std::move(self), pace.next);
    } else if (pace.raw) {
      asio::io_context& io = self->core_.io;
      asio::post(io, [self = std::move(self), raw = std::move(pace.raw)] { self->send_raw(raw, 0); });
    } else {
      answer(std::move(self), std::move(pace.response));
    }
  }

  static std::optional<Response> guarded_step(Pace& pace, const std::function<Pace()>& step, std::string_view target) {
    return guarded(
        [&]() -> std::optional<Response> {
          pace = step();
          return std::nullopt;
        },
        target);
  }

  void pause(Pace pace) {
    if (core_.stopping) {
      abort();
      return;
    }
    pausing_ = true;
    pause_.expires_after(pace.wait);
    pause_.async_wait([self = self(), pace = std::move(pace)](error_code cancelled) mutable {
      self->pausing_ = false;
      if (cancelled) {
        return;
      }
      if (pace.next) {
        Core& core = self->core_;
        asio::post(core.handlers, [self = std::move(self), next = std::move(pace.next)]() mutable {
          take_pace(std::move(self), next);
        });
      } else if (pace.raw) {
        self->send_raw(pace.raw, 0);
      } else {
        self->respond(std::move(pace.response), Ending::keep);
      }
    });
  }

  // The pieces of a raw answer from `index` on.
  void send_raw(const std::shared_ptr<const RawAnswer>& raw, std::size_t index) {
    if (core_.stopping) {
      abort();
    } else if (index == raw->pieces.size()) {
      end_raw(raw->end);
    } else if (const Micros wait = raw->pieces[index].wait; wait > Micros(0)) {
      pausing_ = true;
      pause_.expires_after(wait);
      pause_.async_wait([self = self(), raw, index](error_code cancelled) {
        self->pausing_ = false;
        if (!cancelled) {
          self->send_piece(raw, index);
        }
      });
    } else {
      send_piece(raw, index);
    }
  }

  void send_piece(const std::shared_ptr<const RawAnswer>& raw, std::size_t index) {
    set_deadline(core_.options.write_deadline);
    asio::async_write(stream_, asio::buffer(raw->pieces[index].bytes),
                      [self = self(), raw, index](error_code failure, std::size_t) {
                        if (!failure) {
                          self->send_raw(raw, index + 1);
                        }
                      });
  }

  void end_raw(RawAnswer::End end) {
    if (end == RawAnswer::End::close) {
      keep_alive_ = unread_ = false;
      on_answered();
    } else if (end == RawAnswer::End::reset) {
      error_code ignored;
      beast::get_lowest_layer(stream_).socket().set_option(Tcp::socket::linger(true, 0), ignored);
      abort();
    } else {
      idle_ = true;
      set_deadline(kHoldMax);
      stream_.async_read_some(buffer_.prepare(kReadBytes), [self = self()](error_code, std::size_t) {});
    }
  }

  static void answer(Self self, Response response) {
    asio::io_context& io = self->core_.io;
    asio::post(io, [self = std::move(self), response = std::move(response)]() mutable {
      const bool unread = self->carries_body_ && !self->body_read_;
      self->respond(std::move(response), unread ? Ending::close_unread : Ending::keep);
    });
  }

  void read_body(std::size_t limit) {
    if (parser_->content_length().value_or(0) > limit) {
      refuse(beast::http::error::body_limit);
      return;
    }
    parser_->body_limit(limit);
    set_deadline(core_.options.body_deadline);
    if (!equals_ignore_case(view(parser_->get()[beast::http::field::expect]), "100-continue")) {
      read_rest();
      return;
    }
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = self()](error_code failure, std::size_t) {
                        if (!failure) {
                          self->read_rest();
                        }
                      });
  }

  void read_rest() {
    beast::http::async_read(stream_, buffer_, *parser_, [self = self()](error_code failure, std::size_t) mutable {
      if (failure) {
        self->refuse(failure);
        return;
      }
      beast::get_lowest_layer(self->stream_).expires_never();
      self->body_read_ = true;
      self->request_.body = std::move(self->parser_->get().body());
      Core& core = self->core_;
      asio::post(core.handlers, [self = std::move(self)]() mutable { handle(std::move(self)); });
    });
  }

  enum class Ending { keep, close_unread };

  void respond(Response response, Ending ending) {
    if (response.status == kStatusCut) {
      abort();
      return;
    }
    unread_ = ending == Ending::close_unread;
    keep_alive_ = !unread_ && parser_->is_done() && parser_->keep_alive() && !core_.stopping;
    body_ = has_body(response.status) ? std::move(response.body) : std::string{};
    response.body.clear();
    const std::size_t body_bytes = shared_body_ ? shared_body_->size() : body_.size();
    head_ = response_head(response, body_bytes, {keep_alive_, core_.date(), core_.options.server_name});
    if (head_request_ || shared_body_) {
      body_.clear();
    }
    if (head_request_) {
      shared_body_.reset();
    }
    set_deadline(core_.options.write_deadline);
    asio::async_write(stream_,
                      std::array{asio::const_buffer(asio::buffer(head_)), asio::const_buffer(asio::buffer(body_))},
                      [self = self()](error_code failure, std::size_t) {
                        if (!failure && self->shared_body_) {
                          self->send_shared(0);
                        } else if (!failure) {
                          self->on_answered();
                        }
                      });
  }

  // The deadline is for each piece: a large body may take a slow client long, but not for ever.
  void send_shared(std::size_t begin) {
    if (begin == shared_body_->size()) {
      shared_body_.reset();
      on_answered();
      return;
    }
    const std::size_t bytes = std::min(kSharedPieceBytes, shared_body_->size() - begin);
    set_deadline(core_.options.write_deadline);
    asio::async_write(stream_, asio::const_buffer(shared_body_->data() + begin, bytes),
                      [self = self(), end = begin + bytes](error_code failure, std::size_t) {
                        if (!failure) {
                          self->send_shared(end);
                        }
                      });
  }

  void on_answered() {
    head_request_ = carries_body_ = body_read_ = false;
    if (keep_alive_) {
      next_request(core_.options.idle_deadline);
      return;
    }
    if constexpr (kTls) {
      set_deadline(kLingerMax);
      stream_.async_shutdown([self = self()](error_code) { self->linger(); });
    } else {
      linger();
    }
  }

  void linger() {
    error_code ignored;
    auto& socket = beast::get_lowest_layer(stream_).socket();
    socket.shutdown(Tcp::socket::shutdown_send, ignored);
    if (unread_ && !core_.stopping) {
      set_deadline(kLingerMax);
      drain();
    }
  }

  void drain() {
    buffer_.clear();
    beast::get_lowest_layer(stream_).async_read_some(buffer_.prepare(kReadBytes),
                                                     [self = self()](error_code failure, std::size_t bytes) {
                                                       self->drained_ += bytes;
                                                       if (!failure && self->drained_ < kLingerBytesMax) {
                                                         self->drain();
                                                       }
                                                     });
  }

  Core& core_;
  Stream stream_;
  asio::steady_timer pause_;
  beast::flat_buffer buffer_;
  const std::string peer_;
  std::optional<Parser> parser_;
  Request request_;
  std::string head_, body_;
  std::shared_ptr<const std::string> shared_body_;
  std::size_t drained_ = 0;
  bool idle_ = false;
  bool pausing_ = false;
  bool head_request_ = false;
  bool carries_body_ = false;
  bool body_read_ = false;
  bool unread_ = false;
  bool keep_alive_ = false;
};

std::string text_of(const Tcp::endpoint& endpoint) {
  const std::string ip = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", ip, endpoint.port())
                                    : fmt::format("{}:{}", ip, endpoint.port());
}

class BeastServer final : public Server {
 public:
  BeastServer(const ServerOptions& options, Service& service) : core_(options, service), acceptor_(core_.io) {}

  ~BeastServer() override { stop(); }

  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;

  Result<> listen() {
    if (const Result<> ready = set_up_tls(); !ready) {
      return ready.error();
    }
    const ServerOptions& options = core_.options;
    error_code failure;
    const asio::ip::address address =
        asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, failure);
    if (failure) {
      return make_error(ErrorKind::unavailable, fmt::format("'{}' is no IP address", options.address));
    }
    const Tcp::endpoint endpoint(address, static_cast<std::uint16_t>(options.port));
    acceptor_.open(endpoint.protocol(), failure);
    if (!failure) {
      acceptor_.set_option(Tcp::acceptor::reuse_address(true), failure);
      acceptor_.bind(endpoint, failure);
    }
    if (!failure) {
      acceptor_.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
      return make_error(ErrorKind::unavailable,
                        fmt::format("cannot listen on {}: {}", text_of(endpoint), failure.message()));
    }
    local_ = acceptor_.local_endpoint(failure);
    accept();
    thread_ = std::jthread([this] { run(); });
    return {};
  }

  int port() const override { return local_.port(); }

  std::string address() const override { return local_.address().to_string(); }

  std::string base_url() const override {
    return fmt::format("{}://{}", core_.tls ? "https" : "http", text_of(local_));
  }

  void stop() override {
    if (core_.stopping.exchange(true)) {
      return;
    }
    asio::post(core_.io, [this] { begin_stop(); });
    if (thread_.joinable()) {
      thread_.join();
    }
    core_.handlers.join();
  }

 private:
  Result<> set_up_tls() {
    const ServerOptions& options = core_.options;
    if (options.port < 0 || options.port > 65535) {
      return make_error(ErrorKind::invalid, fmt::format("port {} is not between 0 and 65535", options.port));
    }
    if (options.certificate_pem.empty() != options.private_key_pem.empty()) {
      return make_error(ErrorKind::invalid, "TLS needs both a certificate and its private key");
    }
    if (options.certificate_pem.empty()) {
      return {};
    }
    auto& tls = core_.tls.emplace(asio::ssl::context::tls_server);
    error_code failure;
    tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, failure);
    tls.use_certificate_chain(asio::buffer(options.certificate_pem), failure);
    if (failure) {
      return make_error(ErrorKind::invalid, fmt::format("the certificate cannot be used: {}", failure.message()));
    }
    tls.use_private_key(asio::buffer(options.private_key_pem), asio::ssl::context::pem, failure);
    if (failure) {
      return make_error(ErrorKind::invalid, fmt::format("the private key cannot be used: {}", failure.message()));
    }
    return {};
  }

  void run() {
    try {
      core_.io.run();
    } catch (const std::exception& failure) {
      // Our handlers throw only when memory runs out.
      log::error(fmt::format("the HTTP server failed: {}", terminal_safe(failure.what())));
      std::terminate();
    }
  }

  void accept() {
    acceptor_.async_accept([this](error_code failure, Tcp::socket socket) {
      if (core_.stopping) {
        return;
      }
      if (!failure) {
        welcome(std::move(socket));
        accept();
        return;
      }
      retry_.expires_after(kAcceptRetry);
      retry_.async_wait([this](error_code cancelled) {
        if (!cancelled) {
          accept();
        }
      });
    });
  }

  void welcome(Tcp::socket socket) {
    if (core_.connections.size() >= static_cast<std::size_t>(std::max(core_.options.connections_max, 1))) {
      return;  // closes it
    }
    error_code failure;
    socket.set_option(Tcp::no_delay(true), failure);
    const Tcp::endpoint peer = socket.remote_endpoint(failure);
    if (failure) {
      return;
    }
    if (core_.tls) {
      using Stream = beast::ssl_stream<beast::tcp_stream>;
      std::make_shared<Connection<Stream>>(core_, text_of(peer), std::move(socket), *core_.tls)->start();
    } else {
      std::make_shared<Connection<beast::tcp_stream>>(core_, text_of(peer), std::move(socket))->start();
    }
  }

  void begin_stop() {
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    for (ConnectionBase* connection : core_.connections) {
      connection->stop_when_idle();
    }
    last_.expires_after(kStopMax);
    last_.async_wait([this](error_code cancelled) {
      if (!cancelled) {
        for (ConnectionBase* connection : core_.connections) {
          connection->abort();
        }
      }
    });
    await_end();
  }

  // Looks whether all connections are gone; a handler that still runs keeps its own.
  void await_end() {
    if (core_.connections.empty()) {
      last_.cancel();
      work_.reset();
      return;
    }
    retry_.expires_after(Millis(2));
    retry_.async_wait([this](error_code) { await_end(); });
  }

  Core core_;
  Tcp::acceptor acceptor_;
  asio::steady_timer retry_{core_.io};
  asio::steady_timer last_{core_.io};
  asio::executor_work_guard<asio::io_context::executor_type> work_{core_.io.get_executor()};
  Tcp::endpoint local_;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> start_server(const ServerOptions& options, Service& service) {
  auto server = std::make_unique<BeastServer>(options, service);
  TRY(server->listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace parallax::http
