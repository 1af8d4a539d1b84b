// IAM Identity Center (SSO): a token that `aws sso login` left in ~/.aws/sso/cache is exchanged for keys of a role.
#include <array>

#include <fmt/format.h>

#include "aws/auth/cache.h"
#include "aws/auth/exchange.h"
#include "aws/auth/source.h"
#include "base/text.h"
#include "codec/hash.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kTokenFileBytesMax = 1U << 20U;
constexpr Micros kRefreshWindow = std::chrono::minutes(15);
constexpr unsigned kFileMode = 0600;

struct Sso {
  std::string session;  // empty: the old form, without a session
  std::string start_url, region, role, account;
};

struct Token {
  std::string text;
  Instant expires;
};

std::string shown(std::string_view text) {
  return terminal_safe(text, 200);
}

class SsoSource final : public CredentialSource {
 public:
  SsoSource(Context context, std::string profile) : context_(std::move(context)), profile_(std::move(profile)) {}

  Result<std::optional<Found>> load(const Ask& ask) override {
    const ConfigSection& section = context_->profile(profile_);
    if (!section.contains("sso_role_name") && !section.contains("sso_account_id")) {
      return std::optional<Found>();
    }
    const Sso sso = TRY(read_settings(section));
    Json arguments = Json::object({{"roleName", sso.role}, {"accountId", sso.account}});
    if (sso.session.empty()) {
      arguments.set("startUrl", sso.start_url);
    } else {
      arguments.set("sessionName", sso.session);
    }
    const std::string key = cache_key(arguments, PythonJson::compact);
    Found found{
        {},
        fmt::format("SSO (profile {}, role {} in account {})", shown(profile_), shown(sso.role), shown(sso.account))};
    if (std::optional<Credentials> cached = read_cached(*context_, key, ask)) {
      found.credentials = std::move(*cached);
    } else {
      found.credentials = TRY(fetch(sso, key, ask).with_context(fmt::format("for profile {}", shown(profile_))));
    }
    return std::optional(std::move(found));
  }

 private:
  Result<Sso> read_settings(const ConfigSection& profile) const {
    ConfigSection merged = profile;
    const std::optional<std::string> session = config_text(profile, "sso_session");
    if (session) {
      const ConfigSections& sessions = context_->settings.configuration->sso_sessions;
      const auto at = sessions.find(*session);
      if (at == sessions.end()) {
        return broken_configuration(
            fmt::format("profile {} names [sso-session {}], which does not exist", shown(profile_), shown(*session)));
      }
      for (const auto& [name, value] : at->second) {
        if (const auto own = profile.find(name); own != profile.end() && own->second.text != value.text) {
          return broken_configuration(fmt::format("{} is '{}' in profile {} but '{}' in [sso-session {}]", name,
                                                  shown(own->second.text), shown(profile_), shown(value.text),
                                                  shown(*session)));
        }
        merged[name] = value;
      }
    }
    std::string missing;
    for (const std::string_view name : {"sso_role_name", "sso_account_id", "sso_start_url", "sso_region"}) {
      if (!config_text(merged, name)) {
        missing += (missing.empty() ? "" : ", ") + std::string(name);
      }
    }
    if (!missing.empty()) {
      return broken_configuration(fmt::format("profile {} uses SSO but lacks {}", shown(profile_), missing));
    }
    return Sso{session.value_or(""), *config_text(merged, "sso_start_url"), *config_text(merged, "sso_region"),
               *config_text(merged, "sso_role_name"), *config_text(merged, "sso_account_id")};
  }

  Error log_in(std::string_view why) const {
    return no_credentials(fmt::format("{}: run 'aws sso login --profile {}'", why, shown(profile_)));
  }

  std::string token_path(const Sso& sso) const {
    const std::string directory = expand_path("~/.aws/sso/cache", context_->deps.environment);
    return fmt::format("{}/{}.json", directory, sha1_hex(sso.session.empty() ? sso.start_url : sso.session));
  }

  Result<Token> token_of(const Sso& sso, const Ask& ask) const {
    const std::string path = token_path(sso);
    const Result<std::string> text = context_->deps.files.read(path, kTokenFileBytesMax);
    if (!text) {
      return log_in(
          fmt::format("there is no SSO token for {}", shown(sso.session.empty() ? sso.start_url : sso.session)));
    }
    const Result<Json> document = parse_json(*text);
    const Result<Instant> expires =
        document ? parse_expiration(document->text("expiresAt")) : Result<Instant>(document.error());
    if (!expires || document->text("accessToken").empty()) {
      return log_in(fmt::format("{} is damaged", path));
    }
    Token token{document->text("accessToken"), *expires};
    const Instant now = context_->deps.clock.now();
    if (!sso.session.empty() && token.expires - now < kRefreshWindow) {
      // A refresh that fails is no error as long as the old token lasts.
      if (Result<Token> fresh = refresh_token(sso, *document, path, ask)) {
        token = std::move(fresh).value();
      } else if (fresh.error().kind == ErrorKind::cancelled) {
        return fresh.error();
      }
    }
    if (token.expires <= now) {
      return log_in("the SSO token has expired");
    }
    return token;
  }

  // sso-oidc CreateToken; the new token goes into the same file.
  Result<Token> refresh_token(const Sso& sso, const Json& old, const std::string& path, const Ask& ask) const {
    for (const std::string_view name : {"refreshToken", "clientId", "clientSecret", "registrationExpiresAt"}) {
      if (old.text(name).empty()) {
        return failed_retrieval("the token cannot be refreshed");
      }
    }
    const Instant now = context_->deps.clock.now();
    if (TRY(parse_expiration(old.text("registrationExpiresAt"))) <= now) {
      return failed_retrieval("the registration has expired");
    }
    http::Request request;
    request.method = "POST";
    request.url = TRY(source_endpoint(*context_, {"oidc", "SSO OIDC"}, sso.region)).url + "/token";
    request.headers.set("Content-Type", "application/json");
    request.headers.set("User-Agent", "parallax");
    request.body = Json::object({{"clientId", old.text("clientId")},
                                 {"clientSecret", old.text("clientSecret")},
                                 {"grantType", "refresh_token"},
                                 {"refreshToken", old.text("refreshToken")}})
                       .dump();
    const Json answer =
        TRY(with_retries(*context_, ask, [&] { return ask_once(request, "sso-oidc:CreateToken", ask); }));
    const std::int64_t lasts = answer.integer("expiresIn", 0);
    if (answer.text("accessToken").empty() || lasts <= 0) {
      return failed_retrieval("sso-oidc:CreateToken gave no token");
    }
    const Token token{answer.text("accessToken"), now + Seconds(lasts)};
    Json document = Json::object({{"startUrl", sso.start_url},
                                  {"region", sso.region},
                                  {"accessToken", token.text},
                                  {"expiresAt", to_iso8601_seconds(token.expires)},
                                  {"clientId", old.text("clientId")},
                                  {"clientSecret", old.text("clientSecret")},
                                  {"registrationExpiresAt", old.text("registrationExpiresAt")}});
    if (!answer.text("refreshToken").empty()) {
      document.set("refreshToken", answer.text("refreshToken"));
    }
    ignore(context_->deps.files.write(path, document.dump(), kFileMode), "the token serves this process all the same");
    return token;
  }

  // The answer of a status below 300. No body is quoted: it could echo a token.
  Result<Json> ask_once(const http::Request& request, std::string_view what, const Ask& ask) const {
    const http::Response response = TRY(exchange(*context_, request, {}, ask, what));
    if (response.status < 300) {
      Result<Json> document = parse_json(response.body);
      return document ? std::move(document) : failed_retrieval(fmt::format("{} answered with what is no JSON", what));
    }
    std::string code = response.headers.get("x-amzn-errortype");
    code = code.substr(0, code.find(':'));
    Error error =
        failed_retrieval(fmt::format("{} was refused: status {} {}", what, response.status, terminal_safe(code, 80)));
    error.status = response.status;
    error.kind = response.status == 429   ? ErrorKind::throttled
                 : response.status >= 500 ? ErrorKind::unavailable
                                          : ErrorKind::denied;
    return error;
  }

  Result<Credentials> fetch(const Sso& sso, const std::string& key, const Ask& ask) const {
    const Token token = TRY(token_of(sso, ask));
    http::Request request;
    request.url = TRY(source_endpoint(*context_, {"portal.sso", "SSO"}, sso.region)).url + "/federation/credentials?" +
                  http::form_encode({{"role_name", sso.role}, {"account_id", sso.account}});
    request.headers.set("x-amz-sso_bearer_token", token.text);
    request.headers.set("User-Agent", "parallax");
    Result<Json> answer =
        with_retries(*context_, ask, [&] { return ask_once(request, "sso:GetRoleCredentials", ask); });
    if (!answer) {
      return answer.error().status == 401 ? log_in("the SSO token is not accepted any more") : answer.error();
    }
    const Json* keys = answer->find("roleCredentials");
    if (keys == nullptr) {
      return failed_retrieval("sso:GetRoleCredentials gave no keys");
    }
    Credentials credentials = TRY(
        credentials_from(*keys, {"accessKeyId", "secretAccessKey", "sessionToken", "none"}, "sso:GetRoleCredentials"));
    credentials.expires = Instant(Millis(keys->integer("expiration", 0)));
    write_cached(*context_, key,
                 Json::object({{"ProviderType", "sso"},
                               {"Credentials", Json::object({{"AccessKeyId", credentials.access_key_id},
                                                             {"SecretAccessKey", credentials.secret_access_key},
                                                             {"SessionToken", credentials.session_token},
                                                             {"Expiration", to_iso8601_seconds(*credentials.expires)},
                                                             {"AccountId", sso.account}})}}));
    return credentials;
  }

  const Context context_;
  const std::string profile_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_sso_source(const Context& context, std::string profile) {
  return std::make_unique<SsoSource>(context, std::move(profile));
}

}  // namespace parallax::aws
