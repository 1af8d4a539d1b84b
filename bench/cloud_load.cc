// How many signed requests a second a cloud endpoint serves: a few connections, each with one request under way. Plain
// sockets and requests signed beforehand, so that little of what is measured is this program. The call is
// sts:GetCallerIdentity: EC2's would soon be throttled, as they should.
//
//   cloud_load HOST PORT SECONDS CONNECTIONS      prints "REQUESTS SECONDS"

#include <arpa/inet.h>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "aws/auth/sigv4.h"
#include "base/clock.h"
#include "base/text.h"

namespace {

using parallax::Instant;
using parallax::Monotonic;

[[noreturn]] void fail(std::string_view what) {
  fmt::print(stderr, "cloud_load: {}\n", what);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): a tool that has nothing to clean up
}

long number(std::string_view text) {
  long value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    fail("arguments: HOST PORT SECONDS CONNECTIONS");
  }
  return value;
}

std::string signed_request(const std::string& host, long port, Instant now) {
  parallax::http::Request request;
  request.method = "POST";
  request.url = fmt::format("http://{}:{}/", host, port);
  request.body = "Action=GetCallerIdentity&Version=2011-06-15";
  request.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  const parallax::aws::Credentials keys{"AKIAPARALLAXSIM00001", "parallax-simulated-secret", "", std::nullopt};
  if (!parallax::aws::sign(request, {"us-west-2", "sts"}, keys, now)) {
    fail("cannot sign");
  }
  std::string text =
      fmt::format("POST / HTTP/1.1\r\nHost: {}:{}\r\nContent-Length: {}\r\n", host, port, request.body.size());
  for (const auto& [name, value] : request.headers) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text + "\r\n" + request.body;
}

int connect_to(const std::string& host, long port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 || socket < 0 ||
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect");
  }
  return socket;
}

// Reads one answer with a Content-Length. It must be a 200: a refusal would be served faster.
void read_answer(int socket, std::string& buffer) {
  buffer.clear();
  std::size_t wanted = 0;
  while (wanted == 0 || buffer.size() < wanted) {
    char piece[65536];
    const ssize_t got = ::read(socket, piece, sizeof piece);
    if (got <= 0) {
      fail("the connection ended");
    }
    buffer.append(piece, static_cast<std::size_t>(got));
    const std::size_t end = buffer.find("\r\n\r\n");
    if (wanted == 0 && end != std::string::npos) {
      const std::string head = parallax::to_lower(std::string_view(buffer).substr(0, end));
      const std::size_t at = head.find("content-length: ");
      if (!head.starts_with("http/1.1 200") || at == std::string::npos) {
        fail("not the answer that was expected: " + buffer.substr(0, 1000));
      }
      wanted = end + 4 + static_cast<std::size_t>(number(std::string_view(head).substr(at + 16)));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fail("arguments: HOST PORT SECONDS CONNECTIONS");
  }
  const std::string host = argv[1];
  const long port = number(argv[2]);
  const auto clock = parallax::make_system_clock();
  const std::string request = signed_request(host, port, clock->now());
  const Monotonic begin = clock->monotonic();
  const Monotonic end = begin + parallax::Seconds(number(argv[3]));
  std::atomic<long> count{0};
  {
    std::vector<std::jthread> threads;
    for (long i = 0; i < number(argv[4]); ++i) {
      threads.emplace_back([&] {
        const int socket = connect_to(host, port);
        std::string buffer;
        while (clock->monotonic() < end) {
          if (::write(socket, request.data(), request.size()) != static_cast<ssize_t>(request.size())) {
            fail("cannot write");
          }
          read_answer(socket, buffer);
          ++count;
        }
        ::close(socket);
      });
    }
  }
  const double seconds = std::chrono::duration<double>(clock->monotonic() - begin).count();
  fmt::print("{} {:.3f}\n", count.load(), seconds);
  return 0;
}
