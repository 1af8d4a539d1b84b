// The collector behind a real server on loopback.
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/gzip.h"
#include "collector/collector_test_support.h"
#include "http/raw_server_for_test.h"
#include "http/server.h"

namespace parallax::collector {
namespace {

using test::measurement;
using test::ndjson;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CollectorOverHttp : public ::testing::Test {
 protected:
  CollectorOverHttp() {
    store_ = std::move(store::open_store("sqlite:" + scratch_.file("parallax.db"))).value();
    CHECK(store_->add_key({key_.key_id, key_.public_key, std::nullopt}, clock_->now()).has_value());
    collector_ = std::make_unique<Collector>(
        *store_, *clock_,
        CollectorOptions{.reading_open = true, .allowed_hosts = {}, .build = "test", .body = {}, .rate = {}});
    http::ServerOptions options;
    options.handler_threads = 2;
    server_ = std::move(http::start_server(options, *collector_)).value();
  }

  ~CollectorOverHttp() override { server_->stop(); }

  std::string token() {
    const Instant now = clock_->now();
    return sign_token({Role::controller, "NAVO", "", "", now, now + Seconds(600)}, key_).value();
  }

  http::Exchange send(http::Request request, std::string_view path) {
    request.url = server_->base_url() + std::string(path);
    return client_->send(request, {}, {});
  }

  http::Exchange post(const std::string& token, const std::vector<Measurement>& records) {
    http::Request request;
    request.method = "POST";
    request.headers.set("Authorization", "Bearer " + token);
    request.headers.set("Content-Encoding", "gzip");
    request.body = gzip_compress(ndjson(records));
    return send(request, "/api/v1/measurements");
  }

  // A measurement of this minute: the collector's clock is the real one.
  Measurement fresh(std::uint64_t run, std::int64_t sequence) {
    Measurement m = measurement(1, sequence);
    Xoshiro rng(run);
    m.run_id = make_ulid(began_, rng);
    m.id = measurement_id(m.run_id, sequence);
    return m;
  }

  store::test::ScratchDirectory scratch_;
  std::unique_ptr<Clock> clock_ = make_system_clock();
  Instant began_ = clock_->now();
  SigningKey key_ = make_signing_key().value();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_ = http::make_curl_client(*clock_);
};

TEST_F(CollectorOverHttp, StoresWhatAClientSends) {
  const http::Exchange sent = post(token(), {fresh(1, 0), fresh(1, 1)});
  ASSERT_TRUE(sent.ok()) << sent.error->text();
  EXPECT_EQ(sent.response.status, 200) << sent.response.body;
  const http::Exchange read = send({}, "/api/v1/measurements");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(parse_json(read.response.body).value().list("measurements").size(), 2U);
  EXPECT_THAT(send({}, "/").response.body, HasSubstr("IPAC_2MASS"));
}

TEST_F(CollectorOverHttp, RefusesAWrongTokenBeforeTheBody) {
  const http::RawSocket socket = http::RawSocket::connect(server_->port());
  ASSERT_TRUE(socket.write("POST /api/v1/measurements HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n"));
  EXPECT_THAT(socket.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 401 "));
}

TEST_F(CollectorOverHttp, RefusesABodyThatIsTooLarge) {
  const http::RawSocket socket = http::RawSocket::connect(server_->port());
  ASSERT_TRUE(socket.write(fmt::format(
      "POST /api/v1/measurements HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
      token(), (8U << 20U) + 1)));
  EXPECT_THAT(socket.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

// Goal: clients that send nothing, half a head or half a body hold no handler. There are more of them than handlers,
// and measurements still come in while they hang there.
TEST_F(CollectorOverHttp, TakesMeasurementsWhileSlowClientsHangThere) {
  std::vector<http::RawSocket> slow;
  const std::string with_token = fmt::format(
      "POST /api/v1/measurements HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: "
      "1000\r\n\r\n{{",
      token());
  for (int i = 0; i < 60; ++i) {
    slow.push_back(http::RawSocket::connect(server_->port()));
    if (i % 3 != 0) {
      ASSERT_TRUE(slow.back().write(i % 3 == 1 ? std::string("POST /api/v1/meas") : with_token));
    }
  }
  const http::Exchange sent = post(token(), {fresh(1, 0)});
  ASSERT_TRUE(sent.ok()) << sent.error->text();
  EXPECT_EQ(sent.response.status, 200);
}

TEST_F(CollectorOverHttp, StoresEachMeasurementOnceWhileManySendTheSame) {
  constexpr std::uint64_t kSenders = 4;
  std::vector<std::thread> threads;
  for (std::uint64_t sender = 0; sender < kSenders; ++sender) {
    threads.emplace_back([this, sender] {
      for (int batch = 0; batch < 5; ++batch) {
        const http::Exchange sent = post(token(), {fresh(sender, batch), fresh(99, batch)});
        EXPECT_TRUE(sent.ok() && sent.response.status == 200);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(store_->counters().value()["ingest.stored"], 5 * (kSenders + 1));
  EXPECT_EQ(store_->counters().value()["ingest.duplicate"], 5 * (kSenders - 1));
}

}  // namespace
}  // namespace parallax::collector
