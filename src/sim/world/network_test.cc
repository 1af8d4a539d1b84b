#include "sim/world/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parallax::sim {
namespace {

using http::Phase;

// Answers "hello" after `work`, and counts.
class Greeter final : public http::Service {
 public:
  Greeter(Clock& clock, Micros work) : clock_(clock), work_(work) {}

  http::Response handle(const http::Request& request) override {
    ++asked;
    last = request;
    if (work_ > Micros(0)) {
      clock_.sleep_for(work_, {});
    }
    ++handled;
    return {200, {}, "hello"};
  }

  int asked = 0;
  int handled = 0;
  http::Request last;

 private:
  Clock& clock_;
  Micros work_;
};

http::Request question(const std::string& url) {
  http::Request request;
  request.url = url;
  request.body = "question";
  return request;
}

// One client and one server, ten milliseconds apart.
struct Pair {
  explicit Pair(std::uint64_t seed, Micros work = Micros(0))
      : world({.seed = seed}),
        network(world, {.round_trip_min = Millis(10), .round_trip_max = Millis(10)}),
        here(world.start_process("client", "here")),
        there(world.start_process("server", "there")),
        greeter(there.clock(), work),
        client(network.client(here)) {
    network.serve("there:80", greeter, there);
  }

  http::Exchange ask(const http::SendOptions& options = {}, const std::string& url = "http://there/hi?a=b") {
    http::Exchange exchange;
    const Result<> outcome = world.run([&] {
      here.start("ask", [&](const std::stop_token& stop) { exchange = client->send(question(url), options, stop); });
    });
    EXPECT_TRUE(outcome) << outcome.error().text();
    return exchange;
  }

  VirtualWorld world;
  Network network;
  Process& here;
  Process& there;
  Greeter greeter;
  std::unique_ptr<http::Client> client;
};

TEST(Network, CarriesARequestToTheServiceAndFillsThePhases) {
  Pair pair(1, Millis(50));
  const http::Exchange exchange = pair.ask();
  ASSERT_TRUE(exchange.ok()) << exchange.error->text();
  EXPECT_EQ(exchange.response.body, "hello");
  EXPECT_EQ(pair.greeter.last.url, "/hi?a=b");
  EXPECT_EQ(pair.greeter.last.body, "question");
  EXPECT_EQ(pair.greeter.last.headers.get("host"), "there");
  const http::Timings& timings = exchange.transport.timings;
  EXPECT_GE(timings.connect, Millis(10));
  EXPECT_EQ(timings.tls, Micros(0));
  EXPECT_GE(timings.first_byte, Millis(60));
  EXPECT_LT(timings.first_byte, Millis(62));
  EXPECT_EQ(timings.total, *timings.resolve + *timings.connect + *timings.tls + *timings.send + *timings.first_byte +
                               *timings.transfer);
}

TEST(Network, NamesThePhaseOfATimeOutWhileTheServiceGoesOn) {
  Pair pair(2, Seconds(30));
  http::SendOptions options;
  options.limits.first_byte = Seconds(5);
  const http::Exchange exchange = pair.ask(options);
  ASSERT_FALSE(exchange.ok());
  EXPECT_EQ(exchange.error->kind, ErrorKind::timeout);
  EXPECT_EQ(exchange.failed_phase, Phase::first_byte);
  EXPECT_EQ(exchange.transport.timings.first_byte, Seconds(5));
  EXPECT_EQ(pair.greeter.handled, 1);
}

TEST(Network, RefusesConnectionsToWhatIsNotThere) {
  Pair pair(3);
  const http::Exchange exchange = pair.ask({}, "http://elsewhere:81/");
  ASSERT_FALSE(exchange.ok());
  EXPECT_EQ(exchange.error->code, "connect-refused");
  EXPECT_EQ(exchange.failed_phase, Phase::connect);
}

struct FaultRow {
  const char* name;
  NetworkFaultKind kind;
  bool silent;
  const char* code;
  int handled;
};

TEST(Network, LosesWhatItIsToldToLose) {
  const FaultRow rows[] = {
      {"refused", NetworkFaultKind::connect_refused, false, "connect-refused", 0},
      {"request reset", NetworkFaultKind::request_lost, false, "connection-reset", 0},
      {"request swallowed", NetworkFaultKind::request_lost, true, "timeout", 0},
      {"answer reset", NetworkFaultKind::answer_lost, false, "connection-reset", 1},
      {"answer swallowed", NetworkFaultKind::answer_lost, true, "timeout", 1},
      {"body cut", NetworkFaultKind::body_cut, false, "cut", 1},
  };
  for (const FaultRow& row : rows) {
    Pair pair(4);
    pair.network.set_faults("there:80", {.silent = row.silent ? 1.0 : 0.0});
    pair.network.set_fault_hook([&](const std::string&, const http::Request&) { return row.kind; });
    const http::Exchange exchange = pair.ask();
    ASSERT_FALSE(exchange.ok()) << row.name;
    EXPECT_EQ(exchange.error->code, row.code) << row.name;
    EXPECT_EQ(pair.greeter.handled, row.handled) << row.name;
  }
}

TEST(Network, ResetsTheConnectionWhenTheServerDiesInTheMiddle) {
  Pair pair(5, Seconds(10));
  http::Exchange exchange;
  const Result<> outcome = pair.world.run([&] {
    pair.here.start(
        "ask", [&](const std::stop_token& stop) { exchange = pair.client->send(question("http://there/"), {}, stop); });
    pair.world.clock().sleep_for(Seconds(3), {});
    pair.there.kill(KillKind::signal);
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_FALSE(exchange.ok());
  EXPECT_EQ(exchange.error->code, "connection-reset");
  EXPECT_EQ(pair.greeter.asked, 1);
  EXPECT_EQ(pair.greeter.handled, 0);
}

TEST(Network, LetsNothingOutOfADeadProcess) {
  for (std::uint64_t point = 1; point < 10; ++point) {
    Pair pair(6);
    pair.here.kill_at(point, KillKind::signal);
    bool returned = false;
    const Result<> outcome = pair.world.run([&] {
      pair.here.start("ask", [&](const std::stop_token& stop) {
        pair.client->send(question("http://there/"), {}, stop);
        returned = true;
      });
    });
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_FALSE(returned && !pair.here.alive()) << point;
    if (point <= 3) {
      EXPECT_EQ(pair.greeter.asked, 0) << point;
    }
  }
}

TEST(Network, StopsAtOnceWhenAsked) {
  Pair pair(7, Seconds(100));
  const Monotonic begin = pair.world.now();
  Monotonic end{};
  http::Exchange exchange;
  const Result<> outcome = pair.world.run([&] {
    const auto task = pair.here.executor().spawn("ask", [&](const std::stop_token& stop) {
      exchange = pair.client->send(question("http://there/"), {}, stop);
      end = pair.world.now();
    });
    pair.world.clock().sleep_for(Seconds(2), {});
    task->request_stop();
  });
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_FALSE(exchange.ok());
  EXPECT_EQ(exchange.error->kind, ErrorKind::cancelled);
  EXPECT_EQ(end - begin, Seconds(2));
}

}  // namespace
}  // namespace parallax::sim
