// The endpoint that ECS and EKS give a container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/auth/exchange.h"
#include "aws/auth/source.h"
#include "base/text.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

constexpr std::string_view kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr std::string_view kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr std::string_view kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr std::string_view kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr std::string_view kHost = "http://169.254.170.2";
constexpr int kAttempts = 3;
constexpr Micros kPause = Seconds(1);
constexpr Micros kLimit = Seconds(2);
constexpr std::size_t kTokenBytesMax = 64U << 10U;

// 127.a.b.c written with four numbers, or ::1.
bool is_loopback(std::string_view host) {
  const std::vector<std::string_view> parts = split(host, '.');
  const bool is_ipv4 = parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
                         return !part.empty() && part.size() <= 3 &&
                                std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
                       });
  return (is_ipv4 && parts.front() == "127") || host == "::1";
}

// Over plain http the keys go only where nobody else listens.
bool is_allowed(const http::Url& url) {
  constexpr std::array<std::string_view, 4> kHosts{"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"};
  return url.scheme == "https" || is_loopback(url.host) ||
         std::find(kHosts.begin(), kHosts.end(), url.host) != kHosts.end();
}

class ContainerSource final : public CredentialSource {
 public:
  explicit ContainerSource(Context context) : context_(std::move(context)) {}

  Result<std::optional<Found>> load(const Ask& ask) override {
    const std::optional<std::string> relative = context_->deps.environment(kRelative);
    const std::optional<std::string> full = context_->deps.environment(kFull);
    if (!relative && !full) {
      return std::optional<Found>();
    }
    const std::string text = relative ? std::string(kHost) + *relative : *full;
    const Result<http::Url> url = http::parse_url(text);
    if (!url) {
      return broken_configuration(
          fmt::format("{} makes no URL: {}", relative ? kRelative : kFull, url.error().message));
    }
    if (!is_allowed(*url)) {
      return broken_configuration(
          fmt::format("{}: host '{}' is not allowed over http; it must be https, a loopback address, localhost, "
                      "169.254.170.2, 169.254.170.23 or [fd00:ec2::23]",
                      kFull, terminal_safe(url->host, 80)));
    }
    const std::string where = fmt::format("container endpoint {}", url->authority());
    Found found{TRY(ask_repeatedly(url->text(), where, ask)), where};
    return std::optional(std::move(found));
  }

  std::string absence() const override { return "there is no container endpoint"; }

 private:
  Result<Credentials> ask_repeatedly(const std::string& url, const std::string& where, const Ask& ask) const {
    for (int attempt = 1;; ++attempt) {
      Result<Credentials> credentials = ask_once(url, where, ask);
      if (credentials || attempt >= kAttempts || credentials.error().code == "deadline" ||
          credentials.error().kind != ErrorKind::unavailable) {
        return credentials;
      }
      if (context_->deps.clock.monotonic() + kPause >= ask.deadline) {
        return credentials;
      }
      if (!context_->deps.clock.sleep_for(kPause, ask.stop)) {
        return make_error(ErrorKind::cancelled, "cancelled");
      }
    }
  }

  Result<Credentials> ask_once(const std::string& url, const std::string& where, const Ask& ask) const {
    http::Request request;
    request.url = url;
    request.headers.set("Accept", "application/json");
    const std::optional<std::string> token = TRY(authorization());
    if (token) {
      request.headers.set("Authorization", *token);
    }
    const Result<http::Response> response = exchange(*context_, request, {.limit = kLimit}, ask, where);
    if (!response) {
      const Error& error = response.error();
      const bool is_final = error.kind == ErrorKind::cancelled || error.code == "deadline";
      return is_final ? error : failed_retrieval(fmt::format("{} does not answer: {}", where, error.message));
    }
    if (response->status != 200) {
      return failed_retrieval(fmt::format("{} answered with status {}", where, response->status));
    }
    const Result<Json> document = parse_json(response->body);
    if (!document) {
      return failed_retrieval(fmt::format("{} answered with what is no JSON", where));
    }
    for (const std::string_view name : {"Token", "Expiration"}) {
      if (document->find(name) == nullptr) {
        Error error = failed_retrieval(fmt::format("{}: the answer has no {}", where, name));
        error.kind = ErrorKind::corrupt;
        return error;
      }
    }
    return credentials_from(*document, {.token = "Token"}, where);
  }

  // The file is read each time, since whoever wrote it renews it.
  Result<std::optional<std::string>> authorization() const {
    std::optional<std::string> token = context_->deps.environment(kToken);
    std::string_view source = kToken;
    if (const std::optional<std::string> file = context_->deps.environment(kTokenFile)) {
      source = kTokenFile;
      Result<std::string> text = context_->deps.files.read(*file, kTokenBytesMax);
      if (!text) {
        return broken_configuration(fmt::format("{}: {}", kTokenFile, text.error().message));
      }
      token = std::move(text).value();
    }
    const bool is_clean = !token || std::none_of(token->begin(), token->end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (!is_clean) {
      return broken_configuration(fmt::format("{} holds a line end or control character", source));
    }
    return token;
  }

  const Context context_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_container_source(const Context& context) {
  return std::make_unique<ContainerSource>(context);
}

}  // namespace parallax::aws
