#include "http/relay.h"

#include <deque>
#include <future>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "base/mutex.h"

namespace parallax::http {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Time = asio::steady_timer::time_point;

constexpr std::size_t kConnectionsMax = 500;
constexpr std::size_t kPieceBytesMax = 64U << 10U;
// What may be under way in one direction: enough for 300 MB/s over 100 ms, so that this never limits a measurement.
constexpr std::size_t kUnderWayBytesMax = 32U << 20U;
constexpr Micros kDelayMax = Seconds(10);
constexpr Micros kConnectMax = Seconds(30);

// The thread of all relays. It ends with the last of them.
class IoThread {
 public:
  static std::shared_ptr<IoThread> shared() {
    static Mutex mutex;
    static std::weak_ptr<IoThread> current;
    const MutexLock lock(mutex);
    std::shared_ptr<IoThread> thread = current.lock();
    if (thread == nullptr) {
      thread = std::make_shared<IoThread>();
      current = thread;
    }
    return thread;
  }

  IoThread() : work_(io.get_executor()), thread_([this] { io.run(); }) {}

  ~IoThread() {
    work_.reset();
    thread_.join();
  }

  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  asio::io_context io{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::jthread thread_;
};

class Link;

// One relay's state; on the I/O thread only.
struct RelayState {
  RelayState(RelayOptions given, asio::io_context& the_io) : options(std::move(given)), io(the_io), acceptor(the_io) {}

  const RelayOptions options;
  asio::io_context& io;
  Tcp::acceptor acceptor;
  std::unordered_set<Link*> links;
  bool stopped = false;
};

enum class End { none, closed, reset };

struct Piece {
  Time due;
  std::string data;
  End end = End::none;
};

// One client with its connection to the target. Callbacks hold the shared_ptr; when none is left both are closed.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  Link(std::shared_ptr<RelayState> relay, Tcp::socket client)
      : relay_(std::move(relay)),
        resolver_(relay_->io),
        connecting_(relay_->io),
        client_(std::move(client)),
        target_(relay_->io),
        there_(client_, target_, relay_->io),
        back_(target_, client_, relay_->io) {
    relay_->links.insert(this);
  }

  ~Link() { relay_->links.erase(this); }

  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start() {
    set_no_delay(client_);
    read(there_);  // what the client says early has its time from now, not from when the target is there
    connecting_.expires_after(kConnectMax);
    connecting_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) {
        self->close();
      }
    });
    resolver_.async_resolve(relay_->options.target_host, std::to_string(relay_->options.target_port),
                            [self = shared_from_this()](error_code failure, const Tcp::resolver::results_type& found) {
                              self->connect(failure, found);
                            });
  }

  void close() {
    error_code ignored;
    resolver_.cancel();
    connecting_.cancel();
    there_.timer.cancel();
    back_.timer.cancel();
    client_.close(ignored);
    target_.close(ignored);
    closed_ = true;
  }

 private:
  struct Pipe {
    Pipe(Tcp::socket& source, Tcp::socket& sink, asio::io_context& io) : from(source), to(sink), timer(io) {}

    Tcp::socket& from;
    Tcp::socket& to;
    asio::steady_timer timer;
    std::string buffer = std::string(kPieceBytesMax, '\0');
    std::deque<Piece> pieces;
    std::size_t bytes = 0;
    bool open = false;  // `to` is connected
    bool reading = false;
    bool writing = false;
    bool ended = false;  // nothing more will be read
  };

  static void set_no_delay(Tcp::socket& socket) {
    error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
  }

  void connect(error_code failure, const Tcp::resolver::results_type& found) {
    if (failure || closed_) {
      close();
      return;
    }
    asio::async_connect(target_, found, [self = shared_from_this()](error_code refused, const Tcp::endpoint&) {
      self->connecting_.cancel();
      if (refused || self->closed_) {
        self->close();
        return;
      }
      set_no_delay(self->target_);
      self->there_.open = self->back_.open = true;
      self->read(self->back_);
      self->write(self->there_);
    });
  }

  void read(Pipe& pipe) {
    pipe.reading = true;
    pipe.from.async_read_some(asio::buffer(pipe.buffer),
                              [self = shared_from_this(), &pipe](error_code failure, std::size_t size) {
                                pipe.reading = false;
                                self->on_read(pipe, failure, size);
                              });
  }

  Time due() const { return asio::steady_timer::clock_type::now() + relay_->options.one_way_delay; }

  void on_read(Pipe& pipe, error_code failure, std::size_t size) {
    if (closed_) {
      return;
    }
    Piece piece{due(), pipe.buffer.substr(0, size)};
    if (failure) {
      pipe.ended = true;
      piece.end = failure == asio::error::eof ? End::closed : End::reset;
    }
    pipe.bytes += size;
    pipe.pieces.push_back(std::move(piece));
    write(pipe);
    if (!pipe.ended && pipe.bytes < kUnderWayBytesMax) {
      read(pipe);
    }
  }

  // Hands on the first piece once it is due, then the next.
  void write(Pipe& pipe) {
    if (pipe.writing || !pipe.open || pipe.pieces.empty()) {
      return;
    }
    pipe.writing = true;
    pipe.timer.expires_at(pipe.pieces.front().due);
    pipe.timer.async_wait([self = shared_from_this(), &pipe](error_code cancelled) {
      if (!cancelled && !self->closed_) {
        self->write_now(pipe);
      }
    });
  }

  void write_now(Pipe& pipe) {
    const Piece& piece = pipe.pieces.front();
    if (piece.end != End::none) {
      finish(pipe, piece.end);
      return;
    }
    asio::async_write(pipe.to, asio::buffer(piece.data),
                      [self = shared_from_this(), &pipe](error_code failure, std::size_t /*size*/) {
                        pipe.writing = false;
                        if (self->closed_) {
                          return;
                        }
                        if (failure) {
                          self->on_sink_gone(pipe);
                        } else {
                          self->on_written(pipe);
                        }
                      });
  }

  // Told to the source as late as anything else, and after what the sink said before it went.
  void on_sink_gone(Pipe& pipe) {
    Pipe& other = &pipe == &there_ ? back_ : there_;
    pipe.open = false;
    pipe.ended = true;
    other.pieces.push_back({due(), "", End::reset});
    write(other);
  }

  void on_written(Pipe& pipe) {
    pipe.bytes -= pipe.pieces.front().data.size();
    pipe.pieces.pop_front();
    if (!pipe.reading && !pipe.ended) {
      read(pipe);
    }
    write(pipe);
  }

  void finish(Pipe& pipe, End end) {
    error_code ignored;
    if (end == End::closed) {
      pipe.to.shutdown(Tcp::socket::shutdown_send, ignored);
      pipe.pieces.pop_front();
      pipe.writing = false;
      write(pipe);
      return;
    }
    pipe.to.set_option(asio::socket_base::linger(true, 0), ignored);  // close() then resets
    close();
  }

  const std::shared_ptr<RelayState> relay_;
  Tcp::resolver resolver_;
  asio::steady_timer connecting_;
  Tcp::socket client_, target_;
  Pipe there_, back_;
  bool closed_ = false;
};

void accept(const std::shared_ptr<RelayState>& relay) {
  relay->acceptor.async_accept([relay](error_code failure, Tcp::socket client) {
    if (relay->stopped || failure == asio::error::operation_aborted) {
      return;
    }
    if (!failure && relay->links.size() < kConnectionsMax) {
      std::make_shared<Link>(relay, std::move(client))->start();
    }
    accept(relay);
  });
}

class AsioRelay final : public Relay {
 public:
  explicit AsioRelay(const RelayOptions& options)
      : thread_(IoThread::shared()), state_(std::make_shared<RelayState>(options, thread_->io)) {}

  ~AsioRelay() override {
    // The port is free again when this returns.
    std::promise<void> stopped;
    asio::post(thread_->io, [this, &stopped] {
      error_code ignored;
      state_->stopped = true;
      state_->acceptor.close(ignored);
      for (Link* link : state_->links) {
        link->close();
      }
      stopped.set_value();
    });
    stopped.get_future().wait();
  }

  AsioRelay(const AsioRelay&) = delete;
  AsioRelay& operator=(const AsioRelay&) = delete;

  Result<> listen() {
    const RelayOptions& options = state_->options;
    error_code failure;
    const Tcp::endpoint endpoint(asio::ip::make_address(options.address, failure), 0);
    Tcp::acceptor& acceptor = state_->acceptor;
    if (!failure) {
      acceptor.open(endpoint.protocol(), failure);
    }
    if (!failure) {
      acceptor.bind(endpoint, failure);
    }
    if (!failure) {
      acceptor.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
      return make_error(ErrorKind::unavailable,
                        fmt::format("a relay cannot listen on {}: {}", options.address, failure.message()));
    }
    port_ = acceptor.local_endpoint(failure).port();
    asio::post(thread_->io, [state = state_] { accept(state); });
    return {};
  }

  int port() const override { return port_; }

 private:
  const std::shared_ptr<IoThread> thread_;
  const std::shared_ptr<RelayState> state_;
  int port_ = 0;
};

}  // namespace

Result<std::unique_ptr<Relay>> start_relay(const RelayOptions& options) {
  if (options.target_port < 1 || options.target_port > 65535) {
    return make_error(ErrorKind::invalid, fmt::format("port {} is not between 1 and 65535", options.target_port));
  }
  if (options.one_way_delay < Micros(0) || options.one_way_delay > kDelayMax) {
    return make_error(ErrorKind::invalid, fmt::format("a delay of {} us is not between 0 and {} us",
                                                      options.one_way_delay.count(), kDelayMax.count()));
  }
  auto relay = std::make_unique<AsioRelay>(options);
  TRY(relay->listen());
  return std::unique_ptr<Relay>(std::move(relay));
}

}  // namespace parallax::http
