// Where credentials come from.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/time.h"

namespace parallax::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;   // never printed
  std::string session_token;       // empty for long-term keys; never printed
  std::optional<Instant> expires;  // absent: never
};

// Reads an environment variable; nullopt where it is not set. main() passes the real one.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// Thread safety: any task may call credentials(); it may block until `deadline` while it refreshes.
class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;
  // Error: denied when there are none, with what to set.
  virtual Result<Credentials> credentials(Monotonic deadline, std::stop_token stop) = 0;

  // A service said that these have expired: what is cached must not be given again. Sources that cache nothing ignore
  // it.
  virtual void invalidate(const Credentials& /*expired*/) {}

  // For people: where the credentials that were last given came from ("environment", "profile audit (assume role
  // arn:aws:iam::1:role/audit)", "IMDSv2 role fleet"); empty before the first. Nothing secret is in it.
  virtual std::string source() const { return ""; }
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; read at each call, so that a change is seen.
class EnvironmentCredentials final : public CredentialProvider {
 public:
  explicit EnvironmentCredentials(Environment environment) : environment_(std::move(environment)) {}

  Result<Credentials> credentials(Monotonic deadline, std::stop_token stop) override;

  std::string source() const override { return "environment"; }

 private:
  const Environment environment_;
};

// Always the same.
class StaticCredentials final : public CredentialProvider {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}

  Result<Credentials> credentials(Monotonic deadline, std::stop_token stop) override;

  std::string source() const override { return "given by the program"; }

 private:
  const Credentials credentials_;
};

}  // namespace parallax::aws
