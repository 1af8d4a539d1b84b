#include "http/server.h"

#include <atomic>
#include <latch>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "http/raw_server_for_test.h"
#include "http/server_message.h"

namespace parallax::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers with what it was asked.
class Echo : public Service {
 public:
  Admission admit(const Request& head) override {
    if (head.headers.get("X-Refuse") == "yes") {
      return {plain_response(403, "not you"), 0};
    }
    return {std::nullopt, body_bytes_max};
  }

  Response handle(const Request& request) override {
    ++handled;
    if (request.url == "/throw") {
      throw std::runtime_error("planted");
    }
    if (request.url == "/none") {
      return plain_response(204, "");
    }
    if (request.url == "/big") {
      return plain_response(200, std::string(20'000'000, 'x'));
    }
    Response response = plain_response(200, request.method + " " + request.url + " " + request.body);
    response.headers.add("X-Injected", "a\r\nSet-Cookie: b");
    response.headers.add("Content-Length", "7");
    return response;
  }

  std::size_t body_bytes_max = 1000;
  std::atomic<int> handled = 0;
};

class ServerTest : public testing::Test {
 protected:
  int start() {
    server_ = start_server(options_, service_).value();
    return server_->port();
  }

  // Everything the server says to `bytes` until it closes.
  std::string talk(const std::string& bytes) {
    const RawSocket socket = RawSocket::connect(server_ ? server_->port() : start());
    EXPECT_TRUE(socket.write(bytes));
    return socket.read_to_end();
  }

  Echo service_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersWithFramingOfItsOwn) {
  const std::string answer = talk("GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nServer: parallax\r\n"));
  EXPECT_THAT(answer, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 11\r\nConnection: close\r\n\r\nGET /a?b=c "));
  EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie")));
}

TEST_F(ServerTest, TellsWhereItListens) {
  start();
  EXPECT_GT(server_->port(), 0);
  EXPECT_EQ(server_->base_url(), "http://127.0.0.1:" + std::to_string(server_->port()));
}

TEST_F(ServerTest, KeepsConnectionsAndAnswersPipelinedRequestsInOrder) {
  const std::string answer = talk(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::size_t first = answer.find("GET /1 ");
  const std::size_t second = answer.find("POST /2 abc");
  const std::size_t third = answer.find("GET /3 ");
  ASSERT_NE(third, std::string::npos) << answer;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST_F(ServerTest, ReadsChunkedBodies) {
  const std::string answer = talk(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(answer, EndsWith("POST /c abcde"));
}

TEST_F(ServerTest, AnswersHeadWithTheLengthAlone) {
  const std::string answer = talk("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, Answers204WithoutLengthOrBody) {
  const std::string answer = talk("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
}

TEST_F(ServerTest, TurnsAnExceptionIntoA500AndGoesOn) {
  const std::string answer =
      talk("GET /throw HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("planted")));
  EXPECT_THAT(answer, EndsWith("GET /after "));
}

struct Refusal {
  std::string name;
  std::string request;
  std::string status;
};

class RefusalTest : public ServerTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, AnswersAndCloses) {
  EXPECT_THAT(talk(GetParam().request), StartsWith("HTTP/1.1 " + GetParam().status + " "));
  EXPECT_EQ(service_.handled, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Server, RefusalTest,
    testing::Values(
        Refusal{"NotHttp", "\x16\x03\x01 hello\r\n\r\n", "400"}, Refusal{"NoHost", "GET / HTTP/1.1\r\n\r\n", "400"},
        Refusal{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        Refusal{"TwoLengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
        Refusal{"LengthAndChunks",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "400"},
        Refusal{"UnknownCoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "400"},
        Refusal{"BadChunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
        Refusal{"HugeHeader", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", "431"},
        Refusal{"ManyHeaders",
                [] {
                  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
                  for (int i = 0; i < 5000; ++i) {
                    text += "X: abcdef\r\n";
                  }
                  return text + "\r\n";
                }(),
                "431"},
        Refusal{"AnnouncedTooLarge", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", "413"},
        Refusal{"AnnouncedAbsurdlyLarge", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000000000\r\n\r\n",
                "413"},
        Refusal{"ChunksTooLarge",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') +
                    "\r\n0\r\n\r\n",
                "413"},
        Refusal{"NotAdmitted", "POST / HTTP/1.1\r\nHost: a\r\nX-Refuse: yes\r\nContent-Length: 10\r\n\r\n", "403"}),
    [](const auto& refusal) { return refusal.param.name; });

TEST_F(ServerTest, TakesABodyAtTheLimit) {
  const std::string answer =
      talk("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'y'));
  EXPECT_THAT(answer, EndsWith("POST / " + std::string(1000, 'y')));
}

TEST_F(ServerTest, AsksForTheBodyOnceAdmitted) {
  const RawSocket socket = RawSocket::connect(start());
  ASSERT_TRUE(socket.write("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(socket.write("ok"));
  EXPECT_THAT(socket.read_until("POST /e ok"), EndsWith("POST /e ok"));
}

TEST_F(ServerTest, DoesNotAskForTheBodyOfARefusedRequest) {
  const std::string answer =
      talk("POST / HTTP/1.1\r\nHost: a\r\nX-Refuse: yes\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 "));
}

TEST_F(ServerTest, DeliversARefusalToAClientThatIsStillSending) {
  const std::string answer = talk("POST / HTTP/1.1\r\nHost: a\r\nX-Refuse: yes\r\nContent-Length: 3000000\r\n\r\n" +
                                  std::string(3000000, 'z'));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nnot you"));
}

TEST_F(ServerTest, ClosesConnectionsThatPassADeadline) {
  options_.header_deadline = Millis(200);
  options_.body_deadline = Millis(200);
  options_.idle_deadline = Millis(200);
  EXPECT_EQ(talk(""), "");
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHo"), "");
  EXPECT_EQ(talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"), "");
  EXPECT_THAT(talk("GET /idle HTTP/1.1\r\nHost: a\r\n\r\n"), EndsWith("GET /idle "));
}

// With room for one connection only, another is served as soon as the stuck one has been dropped.
TEST_F(ServerTest, DropsAClientThatDoesNotTakeItsAnswer) {
  options_.write_deadline = Millis(30);
  options_.connections_max = 1;
  const RawSocket stuck = RawSocket::connect(start());
  ASSERT_TRUE(stuck.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\n\r\n"));
  while (service_.handled == 0) {
    std::this_thread::yield();
  }
  std::string answer;
  while (answer.empty()) {
    const RawSocket socket = RawSocket::connect(server_->port());
    if (socket.write("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) {
      answer = socket.read_to_end();
    }
  }
  EXPECT_THAT(answer, EndsWith("GET /x "));
}

TEST_F(ServerTest, ServesOthersWhileHundredsAreIdleOrTrickle) {
  const int port = start();
  std::vector<RawSocket> others;
  for (int i = 0; i < 200; ++i) {
    others.push_back(RawSocket::connect(port));
    if (i % 2 == 0) {
      ASSERT_TRUE(others.back().write("GET / HTTP/1.1\r\nX-Slow: lor"));
    }
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(talk("GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), EndsWith("GET /now "));
  }
}

TEST_F(ServerTest, ClosesConnectionsAboveItsLimitAtOnce) {
  options_.connections_max = 2;
  const int port = start();
  const RawSocket first = RawSocket::connect(port);
  const RawSocket second = RawSocket::connect(port);
  const std::string request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_TRUE(first.write(request));
  first.read_until("GET /x ");
  ASSERT_TRUE(second.write(request));
  second.read_until("GET /x ");
  EXPECT_EQ(RawSocket::connect(port).read_to_end(), "");
}

// Handlers that wait for each other: all of them must run at once, and the I/O thread must be none of them.
class Meeting final : public Service {
 public:
  explicit Meeting(int guests) : all_here_(guests) {}

  Response handle(const Request& request) override {
    if (request.url == "/meet") {
      all_here_.arrive_and_wait();
    }
    return plain_response(200, "done");
  }

 private:
  std::latch all_here_;
};

TEST(Server, RunsHandlersSideBySide) {
  constexpr int kGuests = 4;
  Meeting service(kGuests);
  ServerOptions options;
  options.handler_threads = kGuests;
  const std::unique_ptr<Server> server = start_server(options, service).value();
  std::vector<RawSocket> sockets;
  for (int i = 0; i < kGuests; ++i) {
    sockets.push_back(RawSocket::connect(server->port()));
    ASSERT_TRUE(sockets.back().write("GET /meet HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  for (const RawSocket& socket : sockets) {
    EXPECT_THAT(socket.read_until("done"), EndsWith("done"));
  }
}

class Slow final : public Service {
 public:
  Response handle(const Request& /*request*/) override {
    entered.release();
    leave.acquire();
    return plain_response(200, "finished");
  }

  std::binary_semaphore entered{0}, leave{0};
};

TEST(Server, LetsARunningHandlerFinishWhenStopped) {
  Slow service;
  const std::unique_ptr<Server> server = start_server({}, service).value();
  const int port = server->port();
  const RawSocket socket = RawSocket::connect(port);
  const RawSocket idle = RawSocket::connect(port);
  ASSERT_TRUE(socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  service.entered.acquire();
  std::jthread stopper([&] { server->stop(); });
  EXPECT_EQ(idle.read_to_end(), "");  // closed at once
  service.leave.release();
  const std::string answer = socket.read_to_end();
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("finished"));
}

TEST(Server, SaysWhyItCannotStart) {
  Echo service;
  const std::unique_ptr<Server> server = start_server({}, service).value();
  ServerOptions taken;
  taken.port = server->port();
  const auto second = start_server(taken, service);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));

  ServerOptions nowhere;
  nowhere.address = "192.0.2.77";
  EXPECT_EQ(start_server(nowhere, service).error().kind, ErrorKind::unavailable);

  ServerOptions broken;
  broken.certificate_pem = broken.private_key_pem = "-----BEGIN NONSENSE-----";
  EXPECT_EQ(start_server(broken, service).error().kind, ErrorKind::invalid);

  ServerOptions mismatched;
  mismatched.certificate_pem = make_test_certificates({"a"}, 1)->certificate_pem;
  mismatched.private_key_pem = make_test_certificates({"a"}, 1)->private_key_pem;
  EXPECT_EQ(start_server(mismatched, service).error().kind, ErrorKind::invalid);
}

TEST(TestCertificates, RefusesNamesThatAreNone) {
  for (const std::vector<std::string>& names :
       std::vector<std::vector<std::string>>{{}, {""}, {"a,DNS:b"}, {"a b"}, {"a\n"}}) {
    EXPECT_EQ(make_test_certificates(names, 1).error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace parallax::http
