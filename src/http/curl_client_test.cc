#include <atomic>
#include <cstdio>
#include <fstream>
#include <semaphore>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "http/client.h"
#include "http/raw_server_for_test.h"
#include "http/server.h"
#include "http/server_message.h"

namespace parallax::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

Micros sum(const Timings& t) {
  const Micros zero{0};
  return t.resolve.value_or(zero) + t.connect.value_or(zero) + t.tls.value_or(zero) + t.send.value_or(zero) +
         t.first_byte.value_or(zero) + t.transfer.value_or(zero);
}

class CurlClientTest : public testing::Test {
 protected:
  Exchange get(const std::string& url) {
    Request request;
    request.url = url;
    return client_->send(request, options_, {});
  }

  // Asks a server that follows `script`.
  Exchange ask(std::function<void(RawSocket&)> script) {
    const RawServer server(std::move(script));
    return get(server.url());
  }

  // Asks a server that says `answer` to any request and closes.
  Exchange answered(const std::string& answer) {
    return ask([&](RawSocket& socket) {
      socket.read_until(kHeadEnd);
      socket.write(answer);
    });
  }

  static void expect_code(const Exchange& exchange, ErrorKind kind, std::string_view code, Phase phase) {
    ASSERT_TRUE(exchange.error.has_value());
    EXPECT_EQ(to_string(exchange.error->kind), to_string(kind)) << exchange.error->text();
    EXPECT_EQ(exchange.error->code, code) << exchange.error->text();
    EXPECT_EQ(to_string(exchange.failed_phase), to_string(phase)) << exchange.error->text();
    EXPECT_EQ(sum(exchange.transport.timings), exchange.transport.timings.total);
  }

  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Client> client_ = make_curl_client(*clock_);
  SendOptions options_;
};

TEST_F(CurlClientTest, ReturnsStatusHeadersAndBody) {
  const Exchange exchange =
      answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  one \r\nx-a: two\r\nX-Empty:\r\n\r\nhello");
  ASSERT_TRUE(exchange.ok()) << exchange.error->text();
  EXPECT_EQ(exchange.response.status, 200);
  EXPECT_EQ(exchange.response.body, "hello");
  EXPECT_EQ(exchange.response.headers.size(), 4U);
  EXPECT_EQ(exchange.response.headers.get("x-a"), "one");
  EXPECT_EQ(exchange.response.headers.get("X-Empty", "absent"), "");
  EXPECT_EQ(exchange.transport.bytes_wire, 5U);
  EXPECT_EQ(exchange.transport.http_version, "1.1");
  EXPECT_EQ(exchange.transport.tls_version, "");
  EXPECT_THAT(exchange.transport.peer, StartsWith("127.0.0.1:"));
}

TEST_F(CurlClientTest, SaysNothingThatItWasNotTold) {
  std::string seen;
  ask([&](RawSocket& socket) {
    seen = socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  EXPECT_THAT(seen, testing::MatchesRegex("GET / HTTP/1.1\r\nHost: 127.0.0.1:[0-9]+\r\n\r\n"));
}

TEST_F(CurlClientTest, SendsTheTargetAndTheHeadersAsTheyAre) {
  std::string seen;
  const RawServer server([&](RawSocket& socket) {
    seen = socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  Request request;
  request.url = server.url() + "a/../b%7e/./{ra}?z=1&a=%2f#fragment";
  request.headers.add("User-Agent", "parallax/1 (test)");
  request.headers.add("Accept", "*/*");
  request.headers.add("Host", "other.example");
  request.headers.add("X-Empty", "");
  request.headers.add("Content-Length", "99");
  ASSERT_TRUE(client_->send(request, options_, {}).ok());
  EXPECT_EQ(seen,
            "GET /a/../b%7e/./{ra}?z=1&a=%2f HTTP/1.1\r\nHost: other.example\r\nUser-Agent: parallax/1 (test)\r\n"
            "Accept: */*\r\nX-Empty:\r\n\r\n");
}

struct MethodCase {
  std::string method, body, head;
};

TEST_F(CurlClientTest, SendsEachMethodWithItsLength) {
  const MethodCase cases[] = {
      {"POST", "a=b&c", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na=b&c"},
      {"POST", "", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
      {"PUT", "zz", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nzz"},
      {"DELETE", "", "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"HEAD", "", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"},
  };
  for (const MethodCase& one : cases) {
    std::string seen;
    const RawServer server([&](RawSocket& socket) {
      while (seen.size() < one.head.size()) {
        seen += socket.read_some();
      }
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    Request request;
    request.method = one.method;
    request.url = server.url();
    request.body = one.body;
    request.headers.add("Host", "x");
    EXPECT_TRUE(client_->send(request, options_, {}).ok()) << one.method;
    EXPECT_EQ(seen, one.head);
  }
}

TEST_F(CurlClientTest, ReadsNoBodyAfterHeadAnd204) {
  EXPECT_EQ(answered("HTTP/1.1 204 No Content\r\n\r\n").response.status, 204);
  Request request;
  request.method = "HEAD";
  const RawServer server([](RawSocket& socket) {
    socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  });
  request.url = server.url();
  const Exchange exchange = client_->send(request, options_, {});
  EXPECT_TRUE(exchange.ok());
  EXPECT_EQ(exchange.transport.bytes_wire, 0U);
}

TEST_F(CurlClientTest, DoesNotFollowRedirectsOrDecodeBodies) {
  const Exchange redirect = answered("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(redirect.ok());
  EXPECT_EQ(redirect.response.status, 302);
  EXPECT_EQ(redirect.response.headers.get("Location"), "http://192.0.2.1/");
  const Exchange gzip = answered("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
  ASSERT_TRUE(gzip.ok());
  EXPECT_EQ(gzip.response.body, "abcd");
}

TEST_F(CurlClientTest, SkipsInterimAnswersAndTrailers) {
  const Exchange exchange = answered(
      "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n");
  ASSERT_TRUE(exchange.ok()) << exchange.error->text();
  EXPECT_EQ(exchange.response.status, 200);
  EXPECT_EQ(exchange.response.body, "abc");
  EXPECT_EQ(exchange.response.headers.find("X-Early"), nullptr);
  EXPECT_EQ(exchange.response.headers.find("X-Trailer"), nullptr);
  EXPECT_EQ(exchange.response.headers.get("X-Late"), "1");
}

TEST_F(CurlClientTest, TakesABodyThatEndsWithTheConnection) {
  const Exchange exchange = answered("HTTP/1.0 200 OK\r\n\r\nall of it");
  ASSERT_TRUE(exchange.ok());
  EXPECT_EQ(exchange.response.body, "all of it");
  EXPECT_EQ(exchange.transport.http_version, "1.0");
}

struct Broken {
  std::string name, answer, code;
  ErrorKind kind;
  Phase phase;
  std::string body;
};

TEST_F(CurlClientTest, TellsBrokenAnswersApart) {
  const Broken cases[] = {
      {"cut", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "cut", ErrorKind::corrupt, Phase::transfer, "abc"},
      {"cut chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "cut", ErrorKind::corrupt,
       Phase::transfer, "ab"},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "cut", ErrorKind::corrupt,
       Phase::transfer, "ab"},
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", "bad-chunk",
       ErrorKind::corrupt, Phase::transfer, "ab"},
      {"nothing", "", "connection-reset", ErrorKind::unavailable, Phase::first_byte, ""},
      {"not http", "SSH-2.0-OpenSSH_9.2\r\n", "http-malformed", ErrorKind::corrupt, Phase::transfer, ""},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", "http-malformed", ErrorKind::corrupt,
       Phase::transfer, ""},
  };
  for (const Broken& one : cases) {
    SCOPED_TRACE(one.name);
    const Exchange exchange = answered(one.answer);
    expect_code(exchange, one.kind, one.code, one.phase);
    EXPECT_EQ(exchange.response.body, one.body);
  }
}

TEST_F(CurlClientTest, KeepsWhatCameBeforeAReset) {
  const Exchange exchange = ask([](RawSocket& socket) {
    socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX: y\r\n\r\n");
    socket.reset_on_close();
  });
  expect_code(exchange, ErrorKind::unavailable, "connection-reset", Phase::transfer);
  EXPECT_EQ(exchange.response.status, 200);
  EXPECT_EQ(exchange.response.headers.get("X"), "y");
}

TEST_F(CurlClientTest, RefusesBadUrlsAndRequestsBeforeSending) {
  expect_code(get("ftp://a/"), ErrorKind::invalid, "bad-url", Phase::none);
  Request request;
  request.url = "http://127.0.0.1:1/";
  request.headers.add("X", "a\r\nY: b");
  expect_code(client_->send(request, options_, {}), ErrorKind::invalid, "bad-request", Phase::none);
  request = {};
  request.url = "http://127.0.0.1:1/";
  request.method = "GET /";
  expect_code(client_->send(request, options_, {}), ErrorKind::invalid, "bad-request", Phase::none);
}

TEST_F(CurlClientTest, NamesRefusedConnectionsAndUnknownHosts) {
  int closed_port = 0;
  {
    const RawServer server([](RawSocket&) {});
    closed_port = server.port();
  }
  const Exchange refused = get("http://127.0.0.1:" + std::to_string(closed_port) + "/");
  expect_code(refused, ErrorKind::unavailable, "connect-refused", Phase::connect);
  EXPECT_EQ(refused.transport.peer, "127.0.0.1:" + std::to_string(closed_port));
  EXPECT_FALSE(refused.transport.timings.first_byte.has_value());
  // A label above 63 letters never leaves the machine.
  expect_code(get("http://" + std::string(64, 'a') + ".example/"), ErrorKind::unavailable, "resolve-failed",
              Phase::resolve);
}

TEST_F(CurlClientTest, GoesOnAfterANameThatDoesNotExist) {
  // The same handle serves both: libcurl keeps its buffer when the first ends before there was a connection.
  expect_code(get("http://parallax-test.invalid/"), ErrorKind::unavailable, "resolve-failed", Phase::resolve);
  EXPECT_TRUE(answered("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok());
}

// --- limits ---

void stall(const RawSocket& socket) {
  socket.read_to_end();  // until the client has gone
}

TEST_F(CurlClientTest, TimesOutWhileResolving) {
  options_.limits.resolve = Micros(1);
  Exchange exchange = get("http://parallax-test.invalid/");
  // A resolver of this machine can say no before anybody has looked at the clock: then that is the answer. Ask again.
  for (int i = 0; i < 200 && exchange.error->code == "resolve-failed"; ++i) {
    exchange = get("http://parallax-test.invalid/");
  }
  expect_code(exchange, ErrorKind::timeout, "timeout", Phase::resolve);
  EXPECT_FALSE(exchange.transport.timings.connect.has_value());
}

TEST_F(CurlClientTest, TimesOutWhileConnecting) {
  // A listener that accepts nobody: when its queue is full, the system drops what a connection begins with.
  const RawSocket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(::listen(listener.fd(), 0), 0);
  std::vector<RawSocket> queue;
  for (int i = 0; i < 4; ++i) {
    queue.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(queue.back().fd(), reinterpret_cast<sockaddr*>(&address), size));  // never answered
  }
  options_.limits.connect = Millis(30);
  const Exchange exchange = get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
  expect_code(exchange, ErrorKind::timeout, "timeout", Phase::connect);
  EXPECT_GE(exchange.transport.timings.connect.value(), Millis(29));
  EXPECT_FALSE(exchange.transport.timings.send.has_value());
}

TEST_F(CurlClientTest, TimesOutWhileTheTlsHandshakeHangs) {
  options_.limits.tls = Millis(30);
  const RawServer server(stall);
  const Exchange exchange = get(server.url("https"));
  expect_code(exchange, ErrorKind::timeout, "timeout", Phase::tls);
  EXPECT_GE(exchange.transport.timings.tls.value(), Millis(29));
  EXPECT_THAT(exchange.error->message, EndsWith("not done within our limit of 30 ms (in phase tls)"));
}

TEST_F(CurlClientTest, TimesOutWaitingForTheFirstByte) {
  options_.limits.first_byte = Millis(30);
  const Exchange exchange = ask(stall);
  expect_code(exchange, ErrorKind::timeout, "timeout", Phase::first_byte);
  EXPECT_EQ(exchange.response.status, 0);
  EXPECT_FALSE(exchange.transport.timings.transfer.has_value());
}

TEST_F(CurlClientTest, TimesOutWhileTheServerTakesNoBody) {
  options_.limits.idle = Millis(50);
  std::binary_semaphore over(0);
  const RawServer server([&](RawSocket&) { over.acquire(); });
  Request request;
  request.method = "POST";
  request.url = server.url();
  request.body.assign(20'000'000, 'x');
  const Exchange exchange = client_->send(request, options_, {});
  over.release();
  expect_code(exchange, ErrorKind::timeout, "timeout", Phase::send);
}

TEST_F(CurlClientTest, EndsABodyThatFallsSilent) {
  options_.limits.idle = Millis(30);
  const Exchange exchange = ask([](RawSocket& socket) {
    socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    stall(socket);
  });
  expect_code(exchange, ErrorKind::timeout, "idle", Phase::transfer);
  EXPECT_EQ(exchange.response.status, 200);
  EXPECT_EQ(exchange.response.body, "abc");
  EXPECT_EQ(exchange.transport.bytes_wire, 3U);
  EXPECT_GE(exchange.transport.timings.transfer.value(), Millis(29));
}

TEST_F(CurlClientTest, EndsABodyThatTrickles) {
  options_.limits.total = Millis(80);
  options_.limits.idle = Seconds(10);
  const Exchange exchange = ask([this](RawSocket& socket) {
    socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    while (socket.write("x")) {
      clock_->sleep_for(Millis(5), {});
    }
  });
  expect_code(exchange, ErrorKind::timeout, "timeout", Phase::transfer);
  EXPECT_GE(exchange.transport.timings.total, Millis(79));
  EXPECT_THAT(exchange.error->message, HasSubstr("80 ms"));
  EXPECT_FALSE(exchange.response.body.empty());
}

TEST_F(CurlClientTest, BoundsTheBody) {
  options_.body_bytes_max = 5;
  const Exchange at_limit = answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
  EXPECT_TRUE(at_limit.ok());
  const Exchange above = answered("HTTP/1.1 200 OK\r\n\r\n123456");
  expect_code(above, ErrorKind::refused, "body-too-large", Phase::transfer);
  EXPECT_EQ(above.response.body, "12345");
}

TEST_F(CurlClientTest, BoundsTheHeader) {
  options_.header_bytes_max = 1000;
  expect_code(answered("HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x') + "\r\n\r\n"), ErrorKind::refused,
              "headers-too-large", Phase::transfer);
  options_.header_bytes_max = std::size_t{1} << 30U;
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10'000; ++i) {
    many += "X-Header-Field: abcdefghijklmnopqrstuvwxyz\r\n";
  }
  expect_code(answered(many + "\r\n"), ErrorKind::refused, "headers-too-large", Phase::transfer);
  expect_code(answered("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n"), ErrorKind::refused,
              "headers-too-large", Phase::transfer);
}

TEST_F(CurlClientTest, HandsTheBodyOnInPieces) {
  std::string collected;
  options_.on_body = [&](std::string_view piece) {
    collected += piece;
    return true;
  };
  const Exchange exchange = answered("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef");
  EXPECT_TRUE(exchange.ok());
  EXPECT_EQ(collected, "abcdef");
  EXPECT_EQ(exchange.response.body, "");
  EXPECT_EQ(exchange.transport.bytes_wire, 6U);
  options_.on_body = [](std::string_view) { return false; };
  expect_code(answered("HTTP/1.1 200 OK\r\n\r\nabc"), ErrorKind::refused, "body-refused", Phase::transfer);
}

TEST_F(CurlClientTest, EndsAtOnceWhenCancelled) {
  std::stop_source stop;
  const RawServer server([&](RawSocket& socket) {
    socket.read_until(kHeadEnd);
    stop.request_stop();
    stall(socket);
  });
  Request request;
  request.url = server.url();
  const Monotonic before = clock_->monotonic();
  expect_code(client_->send(request, options_, stop.get_token()), ErrorKind::cancelled, "cancelled", Phase::first_byte);
  EXPECT_LT(clock_->monotonic() - before, Seconds(5));  // the limits are minutes
  expect_code(client_->send(request, options_, stop.get_token()), ErrorKind::cancelled, "cancelled", Phase::none);
}

// --- where a connection may lead ---

TEST_F(CurlClientTest, RefusesAddressesThatAreNotPublic) {
  std::atomic<int> seen = 0;
  const RawServer server([&](RawSocket&) { ++seen; });
  options_.addresses = AddressPolicy::public_only;
  const std::string port = std::to_string(server.port());
  for (const std::string host : {"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "127.1"}) {
    SCOPED_TRACE(host);
    expect_code(get("http://" + host + ":" + port + "/"), ErrorKind::refused, "address-refused", Phase::connect);
  }
  expect_code(get("http://169.254.169.254/latest/meta-data/"), ErrorKind::refused, "address-refused", Phase::connect);
  EXPECT_EQ(seen, 0);
}

TEST_F(CurlClientTest, DoesNotReuseAConnectionThatWasMadeWithoutTheAddressCheck) {
  const RawServer server([](RawSocket& socket) {
    while (!socket.read_until(kHeadEnd).empty()) {
      socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  ASSERT_TRUE(get(server.url()).ok());
  options_.addresses = AddressPolicy::public_only;
  expect_code(get(server.url()), ErrorKind::refused, "address-refused", Phase::connect);
  client_.reset();  // closes the kept connection, so that the server can end
}

TEST_F(CurlClientTest, ConnectsToTheRelayThatItWasGiven) {
  std::string seen;
  const RawServer server([&](RawSocket& socket) {
    seen = socket.read_until(kHeadEnd);
    socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const std::string relay = "127.0.0.1:" + std::to_string(server.port());
  options_.connect_to["far-away.example:8080"] = relay;
  options_.addresses = AddressPolicy::public_only;
  const Exchange exchange = get("http://far-away.example:8080/x");
  ASSERT_TRUE(exchange.ok()) << exchange.error->text();
  EXPECT_EQ(exchange.transport.peer, relay);
  EXPECT_THAT(seen, HasSubstr("Host: far-away.example:8080\r\n"));
}

// --- connections ---

class Hello final : public Service {
 public:
  Response handle(const Request& request) override {
    ++handled;
    peers.push_back(request.peer);
    return plain_response(200, "hello");
  }

  std::atomic<int> handled = 0;
  std::vector<std::string> peers;
};

TEST_F(CurlClientTest, KeepsAConnectionOrMakesANewOneAsTold) {
  Hello service;
  const std::unique_ptr<Server> server = start_server({}, service).value();
  options_.connection = ConnectionPolicy::reuse;
  EXPECT_FALSE(get(server->base_url()).transport.reused);
  const Exchange second = get(server->base_url());
  EXPECT_TRUE(second.transport.reused);
  EXPECT_EQ(second.transport.timings.connect, Micros(0));
  EXPECT_EQ(second.transport.timings.resolve, Micros(0));
  EXPECT_EQ(sum(second.transport.timings), second.transport.timings.total);
  options_.connection = ConnectionPolicy::fresh;
  const Exchange third = get(server->base_url());
  EXPECT_FALSE(third.transport.reused);
  EXPECT_GT(third.transport.timings.connect, Micros(0));
  EXPECT_FALSE(get(server->base_url()).transport.reused);
  EXPECT_EQ(service.peers[0], service.peers[1]);
  EXPECT_NE(service.peers[1], service.peers[2]);
  EXPECT_NE(service.peers[2], service.peers[3]);
}

TEST_F(CurlClientTest, KeepsConnectionsApartByKey) {
  Hello service;
  const std::unique_ptr<Server> server = start_server({}, service).value();
  const auto reused = [&](ConnectionPolicy policy, const std::string& key) {
    options_.connection = policy;
    options_.connection_key = key;
    const Exchange exchange = get(server->base_url());
    EXPECT_TRUE(exchange.ok());
    return exchange.transport.reused;
  };
  EXPECT_FALSE(reused(ConnectionPolicy::fresh_kept, "a"));
  EXPECT_FALSE(reused(ConnectionPolicy::fresh_kept, "b"));
  EXPECT_TRUE(reused(ConnectionPolicy::reuse, "a"));
  EXPECT_EQ(service.peers[2], service.peers[0]);
  EXPECT_TRUE(reused(ConnectionPolicy::reuse_last, "b"));
  EXPECT_EQ(service.peers[3], service.peers[1]);
  EXPECT_FALSE(reused(ConnectionPolicy::reuse_last, "b")) << "the last one was closed";
  EXPECT_FALSE(reused(ConnectionPolicy::reuse, "c"));
  EXPECT_FALSE(reused(ConnectionPolicy::fresh_kept, "a")) << "a new one, though one is kept";
  EXPECT_TRUE(reused(ConnectionPolicy::reuse, "a"));
  EXPECT_EQ(service.peers[7], service.peers[6]) << "the newest, not the one before";
  EXPECT_FALSE(reused(ConnectionPolicy::fresh, ""));
}

TEST_F(CurlClientTest, TellsHowTheAddressWasFound) {
  Hello service;
  const std::unique_ptr<Server> server = start_server({}, service).value();
  options_.connection = ConnectionPolicy::fresh_kept;
  options_.connection_key = "k";
  const Exchange literal = get(server->base_url());
  EXPECT_EQ(literal.transport.dns, "literal");
  EXPECT_EQ(literal.transport.address_family, "ipv4");
  EXPECT_EQ(literal.transport.certificate_expires_at, std::nullopt);
  options_.family = AddressFamily::ipv4;
  const std::string url = "http://localhost:" + std::to_string(server->port()) + "/";
  EXPECT_EQ(get(url).transport.dns, "fresh");
  options_.connection = ConnectionPolicy::reuse;
  EXPECT_EQ(get(url).transport.dns, "cached");
  options_.family = AddressFamily::ipv6;
  const Exchange other = get(server->base_url());
  EXPECT_FALSE(other.ok()) << "an IPv4 address is none of IPv6's";
  EXPECT_EQ(other.transport.address_family, "");
}

// libcurl repeats a request by itself when a kept-alive connection turns out closed; whether that is safe is for the
// caller to say.
TEST_F(CurlClientTest, DoesNotSendARequestTwice) {
  std::atomic<int> requests = 0;
  const RawServer server([&](RawSocket& socket) {
    if (!socket.read_until(kHeadEnd).empty()) {
      ++requests;
    }
    socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    if (!socket.read_until(kHeadEnd).empty()) {
      ++requests;
    }
  });
  ASSERT_TRUE(get(server.url()).ok());
  const Exchange lost = get(server.url());
  expect_code(lost, ErrorKind::unavailable, "connection-reset", Phase::first_byte);
  EXPECT_TRUE(lost.transport.reused) << "so that a caller can tell it from a server that never answered";
  EXPECT_EQ(requests, 2);
}

TEST_F(CurlClientTest, RunsExchangesSideBySide) {
  Hello service;
  ServerOptions one_at_a_time;
  one_at_a_time.handler_threads = 1;
  const std::unique_ptr<Server> server = start_server(one_at_a_time, service).value();
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        SendOptions options;
        options.connection = t % 2 == 0 ? ConnectionPolicy::fresh : ConnectionPolicy::reuse;
        for (int i = 0; i < 25; ++i) {
          Request request;
          request.url = server->base_url();
          good += client_->send(request, options, {}).response.body == "hello" ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, 200);
}

// --- TLS ---

class TlsTest : public CurlClientTest {
 protected:
  void serve(const std::vector<std::string>& names, int days) {
    const TestCertificates certificates = make_test_certificates(names, days).value();
    options_.ca_file = testing::TempDir() + "/parallax-ca-" + std::to_string(::getpid()) + ".pem";
    std::ofstream(options_.ca_file) << certificates.ca_pem;
    ServerOptions options;
    options.certificate_pem = certificates.certificate_pem;
    options.private_key_pem = certificates.private_key_pem;
    server_ = start_server(options, service_).value();
  }

  void TearDown() override { std::remove(options_.ca_file.c_str()); }

  Hello service_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, TalksToAServerItCanTrust) {
  serve({"127.0.0.1", "localhost"}, 1);
  EXPECT_THAT(server_->base_url(), StartsWith("https://127.0.0.1:"));
  for (const ConnectionPolicy policy : {ConnectionPolicy::fresh, ConnectionPolicy::fresh, ConnectionPolicy::reuse}) {
    options_.connection = policy;
    const Exchange exchange = get(server_->base_url());
    ASSERT_TRUE(exchange.ok()) << exchange.error->text();
    EXPECT_EQ(exchange.response.body, "hello");
    EXPECT_EQ(exchange.transport.tls_version, "TLSv1.3");
    EXPECT_GT(exchange.transport.timings.tls, Micros(0));
    EXPECT_EQ(sum(exchange.transport.timings), exchange.transport.timings.total);
  }
  const Exchange reused = get(server_->base_url());
  EXPECT_TRUE(reused.transport.reused);
  EXPECT_EQ(reused.transport.timings.tls, Micros(0));
  EXPECT_EQ(reused.transport.tls_version, "TLSv1.3");
  EXPECT_THAT(reused.transport.tls_cipher, StartsWith("TLS_"));
  ASSERT_TRUE(reused.transport.certificate_expires_at.has_value());
  const Micros left = *reused.transport.certificate_expires_at - clock_->now();
  EXPECT_GT(left, Seconds(23 * 3600));
  EXPECT_LE(left, Seconds(25 * 3600));
}

TEST_F(TlsTest, KeepsTheNameWhenItGoesThroughARelay) {
  serve({"archive.example"}, 1);
  options_.connect_to["archive.example:443"] = "127.0.0.1:" + std::to_string(server_->port());
  const Exchange exchange = get("https://archive.example/");
  EXPECT_TRUE(exchange.ok()) << exchange.error->text();
}

TEST_F(TlsTest, TellsWhyACertificateIsNotGood) {
  serve({"127.0.0.1"}, -1);
  expect_code(get(server_->base_url()), ErrorKind::denied, "tls-expired", Phase::tls);
  serve({"other.example"}, 1);
  expect_code(get(server_->base_url()), ErrorKind::denied, "tls-certificate", Phase::tls);
  serve({"127.0.0.1"}, 1);
  const std::string ca_file = std::exchange(options_.ca_file, "");
  expect_code(get(server_->base_url()), ErrorKind::denied, "tls-certificate", Phase::tls);
  options_.ca_file = ca_file + ".absent";
  expect_code(get(server_->base_url()), ErrorKind::invalid, "tls-failed", Phase::tls);
  options_.ca_file = ca_file;
  EXPECT_EQ(service_.handled, 0);
}

TEST_F(TlsTest, NamesAServerThatSpeaksNoTls) {
  const RawServer server([](RawSocket& socket) {
    socket.read_some();
    socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  expect_code(get(server.url("https")), ErrorKind::unavailable, "tls-failed", Phase::tls);
}

TEST_F(TlsTest, ReportsNothingBeyondTheHandshakeThatFailed) {
  serve({"other.example"}, 1);
  const Exchange exchange = get(server_->base_url());
  EXPECT_TRUE(exchange.transport.timings.tls.has_value());
  EXPECT_FALSE(exchange.transport.timings.send.has_value());
}

}  // namespace
}  // namespace parallax::http
