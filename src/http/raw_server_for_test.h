// For tests of clients: a TCP server that says exactly the bytes that a test wants, right or wrong.
#pragma once

#include <array>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/check.h"

namespace parallax::http {

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A connected socket, blocking.
class RawSocket {
 public:
  explicit RawSocket(int fd) : fd_(fd) {}

  ~RawSocket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  RawSocket& operator=(RawSocket&&) = delete;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  static RawSocket connect(int port) {
    RawSocket out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    CHECK(::connect(out.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
    return out;
  }

  // False when the other side has gone.
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // What is there, at least one byte; empty when the other side has closed.
  std::string read_some() const {
    std::array<char, 65536> buffer{};
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string{};
  }

  std::string read_until(std::string_view end) const {
    std::string all;
    while (all.find(end) == std::string::npos) {
      const std::string piece = read_some();
      if (piece.empty()) {
        break;
      }
      all += piece;
    }
    return all;
  }

  std::string read_to_end() const {
    std::string all;
    for (std::string piece = read_some(); !piece.empty(); piece = read_some()) {
      all += piece;
    }
    return all;
  }

  void end_writing() const { ::shutdown(fd_, SHUT_WR); }

  // The connection ends with a reset instead of an orderly close.
  void reset_on_close() const {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

  int fd() const { return fd_; }

 private:
  int fd_;
};

// Serves one connection after another with `script` in a thread of its own. The script ends a connection by returning.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawSocket&)> script) : script_(std::move(script)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    CHECK(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    CHECK(::listen(fd_, 64) == 0, "listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] {
      for (int client = ::accept(fd_, nullptr, nullptr); client >= 0; client = ::accept(fd_, nullptr, nullptr)) {
        RawSocket socket(client);
        script_(socket);
      }
    });
  }

  ~RawServer() {
    ::shutdown(fd_, SHUT_RDWR);  // accept() returns
    thread_.join();
    ::close(fd_);
  }

  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  int port() const { return port_; }

  std::string url(std::string_view scheme = "http") const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_) + "/";
  }

 private:
  const std::function<void(RawSocket&)> script_;
  const int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace parallax::http
