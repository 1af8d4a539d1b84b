// A collector with a clock that stands still, a store in memory and keys, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collector/collector.h"
#include "record/token.h"
#include "store/store.h"
#include "store/store_test_support.h"

namespace parallax::collector::test {

using store::test::at;
using store::test::measurement;
using store::test::run;
using store::test::run_id;

class StillClock final : public Clock {
 public:
  Instant now() const override { return at(1000) + passed; }

  Monotonic monotonic() const override { return Monotonic(Seconds(50) + passed); }

  bool sleep_until(Monotonic /*deadline*/, std::stop_token /*stop*/) override { return true; }

  Micros passed{0};
};

inline std::string ndjson(const std::vector<Measurement>& records) {
  std::string text;
  for (const Measurement& m : records) {
    text += to_json(m).dump() + "\n";
  }
  return text;
}

class Bench {
 public:
  explicit Bench(
      CollectorOptions options = {.reading_open = true, .allowed_hosts = {}, .build = "test", .body = {}, .rate = {}})
      : store(std::move(store::open_store("sqlite::memory:")).value()),
        key(make_signing_key().value()),
        collector(*store, clock, std::move(options)) {
    CHECK(store->add_key({key.key_id, key.public_key, std::nullopt}, at(0)).has_value());
  }

  TokenPayload claims(Role role) const {
    return {role, "NAVO", role == Role::vantage ? "us-west-2" : "", "", clock.now(), clock.now() + Seconds(3600)};
  }

  std::string token(Role role) const { return sign_token(claims(role), key).value(); }

  std::string token(const TokenPayload& claims) const { return sign_token(claims, key).value(); }

  // As the server does it: the head first, then the whole request.
  http::Response send(const http::Request& request) {
    http::Request head = request;
    head.body.clear();
    http::Service::Admission admission = collector.admit(head);
    if (admission.answer) {
      return *admission.answer;
    }
    CHECK(request.body.size() <= admission.body_bytes_max, "the server would not read this body");
    return collector.handle(request);
  }

  http::Response post(const std::string& target, const std::string& token, std::string body) {
    http::Request request;
    request.method = "POST";
    request.url = target;
    request.body = std::move(body);
    if (!token.empty()) {
      request.headers.set("Authorization", "Bearer " + token);
    }
    return send(request);
  }

  http::Response post_measurements(const std::string& token, std::string body) {
    return post("/api/v1/measurements", token, std::move(body));
  }

  http::Request measurements_request(const std::string& token, std::string body) {
    http::Request request;
    request.method = "POST";
    request.url = "/api/v1/measurements";
    request.body = std::move(body);
    request.headers.set("Authorization", "Bearer " + token);
    return request;
  }

  http::Response get(const std::string& target, const std::string& token = "") {
    http::Request request;
    request.url = target;
    if (!token.empty()) {
      request.headers.set("Authorization", "Bearer " + token);
    }
    return send(request);
  }

  Json get_json(const std::string& target, const std::string& token = "") {
    return parse_json(get(target, token).body).value();
  }

  std::int64_t counter(const std::string& name) {
    return get_json("/api/v1/counters").find("counters")->integer(name, 0);
  }

  StillClock clock;
  std::unique_ptr<store::Store> store;
  SigningKey key;
  Collector collector;
};

// "stored, refused" of an answer's records.
inline std::string outcomes(const http::Response& response) {
  const Json json = parse_json(response.body).value();
  std::string text;
  for (const Json& record : json.list("records")) {
    text += (text.empty() ? "" : ", ") + record.text("outcome");
  }
  return text;
}

inline std::string reason(const http::Response& response, std::size_t i = 0) {
  return parse_json(response.body).value().list("records").at(i).text("reason");
}

inline std::string error_code(const http::Response& response) {
  return parse_json(response.body).value().at("error")->text("code");
}

}  // namespace parallax::collector::test
