// What tests of the client share: a scripted http::Client, a clock that only moves when somebody waits.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aws/client.h"

namespace parallax::aws::testing {

class FakeClock final : public Clock {
 public:
  Instant now() const override { return start + (time - Monotonic()); }

  Monotonic monotonic() const override { return time; }

  bool sleep_until(Monotonic deadline, std::stop_token stop) override {
    if (stop.stop_requested()) {
      return false;
    }
    waits.push_back(deadline - time);
    time = deadline;
    return true;
  }

  Instant start = parse_iso8601("2026-11-22T10:00:00Z").value();
  Monotonic time{Seconds(1000)};
  std::vector<Micros> waits;
};

// Answers each request by the next line of its script; records what was sent and how.
class FakeHttp final : public http::Client {
 public:
  using Reply = std::function<http::Exchange(const http::Request& request)>;

  explicit FakeHttp(FakeClock& clock) : clock_(clock) {}

  http::Exchange send(const http::Request& request, const http::SendOptions& options,
                      std::stop_token /*stop*/) override {
    requests.push_back(request);
    sent.push_back(options);
    clock_.time += Millis(10);
    if (script_.empty()) {
      ADD_FAILURE() << "an unexpected request: " << request.body;
      return answer_of(500, "");
    }
    const Reply reply = script_.front();
    script_.pop_front();
    return reply(request);
  }

  FakeHttp& then(Reply reply) {
    script_.push_back(std::move(reply));
    return *this;
  }

  FakeHttp& answer(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return then([=](const http::Request&) { return answer_of(status, body, headers); });
  }

  FakeHttp& fail(http::Phase phase, ErrorKind kind, std::string code) {
    return then([=](const http::Request&) {
      http::Exchange exchange;
      exchange.error = make_error(kind, "scripted");
      exchange.error->code = code;
      exchange.failed_phase = phase;
      return exchange;
    });
  }

  static http::Exchange answer_of(int status, std::string body,
                                  const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    http::Exchange exchange;
    exchange.response.status = status;
    exchange.response.body = std::move(body);
    for (const auto& [name, value] : headers) {
      exchange.response.headers.add(name, value);
    }
    return exchange;
  }

  bool is_done() const { return script_.empty(); }

  std::vector<http::Request> requests;
  std::vector<http::SendOptions> sent;

 private:
  FakeClock& clock_;
  std::deque<Reply> script_;
};

// Half of the longest wait, each time.
class HalfRng final : public Rng {
 public:
  std::uint64_t next() override { return std::uint64_t{1} << 63U; }
};

inline std::string ec2_error(const std::string& code) {
  return "<Response><Errors><Error><Code>" + code +
         "</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>";
}

// A client with everything scripted.
struct Bench {
  FakeClock clock;
  FakeHttp http{clock};
  HalfRng rng;
  StaticCredentials credentials{{"AKID", "secret", "", std::nullopt}};
  std::stop_source stop;
  Client client{{http, clock, rng, credentials}, {}};

  CallOptions within(Micros time) { return {.deadline = clock.time + time, .stop = stop.get_token()}; }

  Result<Json> call(const std::string& service, std::string_view operation, std::string_view params,
                    Micros time = Seconds(60)) {
    return client.call({service, "eu-west-3"}, operation, parse_json(params).value(), within(time));
  }
};

}  // namespace parallax::aws::testing
