#include "http/relay.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/rng.h"
#include "http/client.h"
#include "http/raw_server_for_test.h"
#include "http/server.h"
#include "http/server_message.h"

namespace parallax::http {
namespace {

std::unique_ptr<Relay> relay_to(int port, Micros one_way_delay = Micros(0), const std::string& host = "127.0.0.1") {
  return start_relay({host, port, one_way_delay}).value();
}

void echo(const RawSocket& socket) {
  for (std::string piece = socket.read_some(); !piece.empty(); piece = socket.read_some()) {
    socket.write(piece);
  }
}

TEST(Relay, DelaysEachWay) {
  constexpr Micros kOneWay = Millis(20);
  const std::unique_ptr<Clock> clock = make_system_clock();
  const RawServer server(echo);
  const std::unique_ptr<Relay> relay = relay_to(server.port(), kOneWay);
  const RawSocket socket = RawSocket::connect(relay->port());
  Micros shortest = Seconds(60);
  for (int i = 0; i < 10 && shortest >= 2 * kOneWay + Millis(50); ++i) {  // the machine may be busy
    const Monotonic before = clock->monotonic();
    ASSERT_TRUE(socket.write("ping"));
    ASSERT_EQ(socket.read_until("ping"), "ping");
    const Micros took = clock->monotonic() - before;
    EXPECT_GE(took, 2 * kOneWay);
    shortest = std::min(shortest, took);
  }
  EXPECT_LT(shortest, 2 * kOneWay + Millis(50));
}

// Data in flight must not wait for data before it: 5 MB in pieces of 64 kB, each waiting 100 ms after the other, would
// take 15 s both ways.
TEST(Relay, HandsOnEverythingInOrderWithoutSlowingItDown) {
  const std::unique_ptr<Clock> clock = make_system_clock();
  Xoshiro rng(7);
  std::string sent;
  while (sent.size() < 5'000'000) {
    const std::uint64_t bits = rng.next();
    sent.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  const RawServer server(echo);
  const std::unique_ptr<Relay> relay = relay_to(server.port(), Millis(100));
  const RawSocket socket = RawSocket::connect(relay->port());
  const Monotonic before = clock->monotonic();
  std::jthread writer([&] {
    socket.write(sent);
    socket.end_writing();
  });
  EXPECT_TRUE(socket.read_to_end() == sent);
  EXPECT_LT(clock->monotonic() - before, Seconds(5));
}

TEST(Relay, HandsOnTheEndOfOneSideWhileTheOtherGoesOn) {
  const RawServer server([](const RawSocket& socket) {
    const std::string all = socket.read_to_end();
    socket.write("got " + all);
  });
  const std::unique_ptr<Relay> relay = relay_to(server.port(), Millis(2));
  const RawSocket socket = RawSocket::connect(relay->port());
  ASSERT_TRUE(socket.write("everything"));
  socket.end_writing();
  EXPECT_EQ(socket.read_to_end(), "got everything");
}

TEST(Relay, HandsOnAReset) {
  const RawServer server([](const RawSocket& socket) {
    socket.read_some();
    socket.reset_on_close();
  });
  const std::unique_ptr<Relay> relay = relay_to(server.port(), Millis(2));
  const RawSocket socket = RawSocket::connect(relay->port());
  ASSERT_TRUE(socket.write("x"));
  char byte = 0;
  EXPECT_EQ(::recv(socket.fd(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(Relay, ClosesTheClientWhenTheTargetRefusesOrHasNoName) {
  int closed_port = 0;
  {
    const RawServer server([](const RawSocket&) {});
    closed_port = server.port();
  }
  const std::unique_ptr<Relay> refused = relay_to(closed_port);
  EXPECT_EQ(RawSocket::connect(refused->port()).read_to_end(), "");
  const std::unique_ptr<Relay> nameless = relay_to(80, Micros(0), std::string(64, 'a') + ".example");
  EXPECT_EQ(RawSocket::connect(nameless->port()).read_to_end(), "");
}

TEST(Relay, ClosesItsConnectionsWhenItEnds) {
  const RawServer server(echo);
  std::unique_ptr<Relay> relay = relay_to(server.port(), Seconds(10));
  const RawSocket socket = RawSocket::connect(relay->port());
  ASSERT_TRUE(socket.write("held back"));
  relay.reset();
  EXPECT_EQ(socket.read_to_end(), "");
}

class Hello final : public Service {
 public:
  Response handle(const Request& /*request*/) override { return plain_response(200, "hello"); }
};

TEST(Relay, PutsTheDistanceIntoAMeasurement) {
  const std::unique_ptr<Clock> clock = make_system_clock();
  const std::unique_ptr<Client> client = make_curl_client(*clock);
  Hello service;
  const std::unique_ptr<Server> server = start_server({}, service).value();
  const std::unique_ptr<Relay> relay = relay_to(server->port(), Millis(15), "localhost");
  SendOptions options;
  options.connection = ConnectionPolicy::fresh;
  options.connect_to["127.0.0.1:" + std::to_string(server->port())] = "127.0.0.1:" + std::to_string(relay->port());
  Request request;
  request.url = server->base_url();
  const Exchange exchange = client->send(request, options, {});
  ASSERT_TRUE(exchange.ok()) << exchange.error->text();
  EXPECT_EQ(exchange.transport.peer, "127.0.0.1:" + std::to_string(relay->port()));
  EXPECT_GE(exchange.transport.timings.first_byte.value(), Millis(29));
}

TEST(Relay, RefusesOptionsThatMakeNoSense) {
  EXPECT_EQ(start_relay({"a", 0, Micros(0)}).error().kind, ErrorKind::invalid);
  EXPECT_EQ(start_relay({"a", 80, Micros(-1)}).error().kind, ErrorKind::invalid);
  EXPECT_EQ(start_relay({"a", 80, Micros(0), "192.0.2.1"}).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace parallax::http
