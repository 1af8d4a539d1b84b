// The controllers' credentials: long-term ones, or such as expire and are renewed or not.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "aws/auth/credentials.h"
#include "base/check.h"
#include "base/clock.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/identity.h"

namespace parallax::scenario {

// Thread safety: none, one task runs at a time.
class ScenarioCredentials final : public aws::CredentialProvider {
 public:
  // The user of that access key signs.
  ScenarioCredentials(sim::Cloud& cloud, Clock& clock, std::string_view access_key)
      : cloud_(cloud), clock_(clock), key_id_(access_key) {}

  // From now on temporary ones, so long each (900 s to 36 h; zero: long-term ones). `renewable`: a new session begins
  // when one has expired; else the expired one is given again and again, as from an environment variable.
  void expire(Micros lifetime, bool renewable) {
    lifetime_ = lifetime;
    renewable_ = renewable;
    session_.reset();
    if (lifetime_ > Micros(0)) {
      session_ = new_session();
    }
  }

  Result<aws::Credentials> credentials(Monotonic /*deadline*/, std::stop_token /*stop*/) override {
    if (lifetime_ == Micros(0)) {
      const std::optional<sim::AccessKey> key = cloud_.access_key(key_id_);
      CHECK(key.has_value(), key_id_);
      return aws::Credentials{key_id_, key->secret, "", std::nullopt};
    }
    if (renewable_ && *session_->expires <= clock_.now()) {
      session_ = new_session();
    }
    return *session_;
  }

  void invalidate(const aws::Credentials& /*expired*/) override {
    if (renewable_) {
      session_ = new_session();
    }
  }

 private:
  aws::Credentials new_session() {
    const std::optional<sim::AccessKey> key = cloud_.access_key(key_id_);
    CHECK(key.has_value(), key_id_);
    const Result<Json> answer = cloud_.call({"us-east-1", "sts", "GetSessionToken"},
                                            Json::object({{"DurationSeconds", count_seconds(lifetime_)}}), &key->who);
    CHECK(answer.has_value(), key_id_);
    const Json& given = *answer->find("Credentials");
    return aws::Credentials{given.text("AccessKeyId"), given.text("SecretAccessKey"), given.text("SessionToken"),
                            Instant(Seconds(given.integer("Expiration", 0)))};
  }

  sim::Cloud& cloud_;
  Clock& clock_;
  const std::string key_id_;
  Micros lifetime_{0};
  bool renewable_ = true;
  std::optional<aws::Credentials> session_;
};

}  // namespace parallax::scenario
