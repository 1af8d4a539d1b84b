// The instance metadata service (IMDS), version 2 with its session token; version 1 where there is none and it is
// allowed.
#include <algorithm>

#include <fmt/format.h>

#include "aws/auth/exchange.h"
#include "aws/auth/source.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

constexpr std::string_view kTokenSeconds = "21600";
constexpr std::string_view kPath = "/latest/meta-data/iam/security-credentials/";
// Keys that are (almost) over while the service gives no newer ones are used on for this long and 2 to 10 minutes more:
// during an outage of theirs they usually still work, and asking less often helps it to recover.
constexpr Micros kExtension = std::chrono::minutes(15);
constexpr int kJitterSecondsMin = 120;
constexpr int kJitterSecondsMax = 600;

class MetadataSource final : public CredentialSource {
 public:
  explicit MetadataSource(Context context) : context_(std::move(context)) {}

  Result<std::optional<Found>> load(const Ask& ask) override {
    const MetadataServiceSettings& settings = context_->settings.metadata;
    if (settings.disabled) {
      absence_ = "the instance metadata service is disabled (AWS_EC2_METADATA_DISABLED)";
      return std::optional<Found>();
    }
    absence_ = fmt::format("the instance metadata service ({}) gives none", settings.endpoint);
    const Session session = TRY(open_session(ask));
    if (session.refused) {
      return std::optional<Found>();
    }
    if (session.token.empty() && settings.v1_disabled) {
      return failed_retrieval(
          fmt::format("the instance metadata service ({}) gave no session token, and version 1 is disabled "
                      "(AWS_EC2_METADATA_V1_DISABLED)",
                      settings.endpoint));
    }
    const std::optional<std::string> role = TRY(get(std::string(kPath), session, Expect::text, ask));
    if (!role) {
      return std::optional<Found>();
    }
    const std::optional<std::string> body = TRY(get(std::string(kPath) + *role, session, Expect::json, ask));
    if (!body) {
      return std::optional<Found>();
    }
    return read(*body, *role, session);
  }

  std::string absence() const override { return absence_; }

 private:
  struct Session {
    std::string token;     // empty: version 1
    bool refused = false;  // the service called our request malformed
  };

  enum class Expect { text, json };

  // nullopt: no attempt got an answer.
  Result<std::optional<http::Response>> send(const http::Request& request, const Ask& ask) const {
    const MetadataServiceSettings& settings = context_->settings.metadata;
    Result<http::Response> response =
        exchange(*context_, request, {.limit = settings.timeout}, ask, "asking the instance metadata service");
    if (response) {
      return std::optional(std::move(response).value());
    }
    if (response.error().kind == ErrorKind::cancelled || response.error().code == "deadline") {
      return response.error();
    }
    return std::optional<http::Response>();
  }

  http::Request request_for(std::string_view method, const std::string& path) const {
    http::Request request;
    request.method = method;
    request.url = context_->settings.metadata.endpoint + path;
    request.headers.set("User-Agent", "parallax");
    return request;
  }

  Result<Session> open_session(const Ask& ask) const {
    http::Request request = request_for("PUT", "/latest/api/token");
    request.headers.set("x-aws-ec2-metadata-token-ttl-seconds", std::string(kTokenSeconds));
    for (int attempt = 0; attempt < context_->settings.metadata.attempts; ++attempt) {
      const std::optional<http::Response> response = TRY(send(request, ask));
      if (!response) {
        continue;
      }
      if (response->status == 200) {
        return Session{std::string(trim(response->body)), false};
      }
      if (response->status == 400) {
        return Session{"", true};
      }
      if (response->status == 403 || response->status == 404 || response->status == 405) {
        return Session();
      }
    }
    return Session();
  }

  // The body of the first attempt that is answered with 200 and what was expected.
  Result<std::optional<std::string>> get(const std::string& path, const Session& session, Expect expect,
                                         const Ask& ask) const {
    http::Request request = request_for("GET", path);
    if (!session.token.empty()) {
      request.headers.set("x-aws-ec2-metadata-token", session.token);
    }
    for (int attempt = 0; attempt < context_->settings.metadata.attempts; ++attempt) {
      std::optional<http::Response> response = TRY(send(request, ask));
      if (response && response->status == 200 && !response->body.empty() &&
          (expect == Expect::text || parse_json(response->body).has_value())) {
        return std::optional(std::move(response->body));
      }
    }
    return std::optional<std::string>();
  }

  Result<std::optional<Found>> read(const std::string& body, const std::string& role, const Session& session) {
    const Json document = TRY(parse_json(body));
    for (const std::string_view name : {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}) {
      if (document.find(name) == nullptr) {
        // An instance whose role cannot be assumed says so in Code and Message with status 200.
        absence_ = fmt::format("the instance metadata service says for role {}: {} {}", terminal_safe(role, 80),
                               terminal_safe(document.text("Code", "no keys"), 80),
                               terminal_safe(document.text("Message"), 200));
        return std::optional<Found>();
      }
    }
    Found found;
    found.source = fmt::format("{} role {}", session.token.empty() ? "IMDSv1" : "IMDSv2", terminal_safe(role, 80));
    found.credentials = TRY(credentials_from(document, {.token = "Token"}, found.source));
    extend(found.credentials);
    return std::optional(std::move(found));
  }

  void extend(Credentials& credentials) const {
    const int jitter = kJitterSecondsMin + static_cast<int>(context_->random() *
                                                            static_cast<double>(kJitterSecondsMax - kJitterSecondsMin));
    const Micros extension = kExtension + Seconds(jitter);
    const Instant now = context_->deps.clock.now();
    if (credentials.expires && now >= *credentials.expires - extension) {
      credentials.expires = now + extension;
    }
  }

  const Context context_;
  std::string absence_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_metadata_source(const Context& context) {
  return std::make_unique<MetadataSource>(context);
}

}  // namespace parallax::aws
