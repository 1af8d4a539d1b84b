// Roles: AssumeRole with the keys of another source, and AssumeRoleWithWebIdentity with a token from a file.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "aws/auth/cache.h"
#include "aws/auth/exchange.h"
#include "aws/auth/source.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kTokenBytesMax = 64U << 10U;
constexpr std::size_t kChainLengthMax = 20;

std::string shown(std::string_view text) {
  return terminal_safe(text, 200);
}

std::string made_up_session_name(const ChainContext& context) {
  const auto seconds = std::chrono::floor<Seconds>(context.deps.clock.now()).time_since_epoch().count();
  return fmt::format("parallax-{}", seconds);
}

// A key that is there but empty counts as there, as it does for botocore.
void set_text(Json& arguments, std::string name, const std::optional<std::string>& value) {
  if (value) {
    arguments.set(std::move(name), *value);
  }
}

// What STS answered, as the CLI writes it into its cache, and the keys.
Result<Credentials> keep_answer(const ChainContext& context, const std::string& key, Json answer) {
  Json* keys = answer.members() == nullptr ? nullptr : answer.members()->find("Credentials");
  if (keys == nullptr) {
    return failed_retrieval("the answer of sts has no Credentials");
  }
  Credentials credentials = TRY(credentials_from(*keys, {}, "the answer of sts"));
  if (!credentials.expires) {
    return failed_retrieval("the answer of sts has no Expiration");
  }
  keys->set("Expiration", cache_time(*credentials.expires));
  const Json* user = answer.find("AssumedRoleUser");
  const std::string arn = user == nullptr ? "" : user->text("Arn");
  if (const std::vector<std::string_view> parts = split(arn, ':'); parts.size() >= 6) {
    keys->set("AccountId", parts[4]);
  }
  write_cached(context, key, answer);
  return credentials;
}

class AssumeRoleSource final : public CredentialSource {
 public:
  AssumeRoleSource(Context context, std::string profile, std::vector<std::string> visited)
      : context_(std::move(context)), profile_(std::move(profile)), visited_(std::move(visited)) {}

  Result<std::optional<Found>> load(const Ask& ask) override {
    const ConfigSection& section = context_->profile(profile_);
    // With a token file the same role_arn belongs to web identity.
    if (!section.contains("role_arn") || section.contains("web_identity_token_file")) {
      return std::optional<Found>();
    }
    if (signer_ == nullptr) {
      signer_ = TRY(make_signer(section));
    }
    const std::string role = config_text(section, "role_arn").value_or("");
    Json arguments = Json::object({{"RoleArn", role}});
    set_text(arguments, "RoleSessionName", config_text(section, "role_session_name"));
    set_text(arguments, "ExternalId", config_text(section, "external_id"));
    set_text(arguments, "SerialNumber", config_text(section, "mfa_serial"));
    if (const std::optional<std::int64_t> duration = duration_of(section)) {
      arguments.set("DurationSeconds", *duration);
    }
    const std::string key = cache_key(arguments, PythonJson::spaced);
    Found found{{}, fmt::format("profile {} (assume role {})", shown(profile_), shown(role))};
    if (std::optional<Credentials> cached = read_cached(*context_, key, ask)) {
      found.credentials = std::move(*cached);
      return std::optional(std::move(found));
    }
    if (arguments.find("SerialNumber") != nullptr) {
      return no_credentials(fmt::format(
          "profile {} asks for a one-time code (mfa_serial {}), which we cannot ask for; run 'aws sts "
          "get-caller-identity --profile {}' first: its answer is kept in ~/.aws/cli/cache, where we find it",
          shown(profile_), shown(arguments.text("SerialNumber")), shown(profile_)));
    }
    found.credentials = TRY(assume(key, std::move(arguments), role, ask));
    return std::optional(std::move(found));
  }

 private:
  static std::optional<std::int64_t> duration_of(const ConfigSection& section) {
    const std::string text = config_text(section, "duration_seconds").value_or("");
    const std::string_view digits = trim(text);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
    return whole ? std::optional(value) : std::nullopt;  // what is no number is passed over, as botocore does
  }

  Result<Credentials> assume(const std::string& key, Json arguments, const std::string& role, const Ask& ask) {
    const Credentials signer =
        TRY(signer_->credentials(ask.deadline, ask.stop)
                .with_context(fmt::format("fetching what profile {} assumes its role with", shown(profile_))));
    if (arguments.find("RoleSessionName") == nullptr) {
      arguments.set("RoleSessionName", made_up_session_name(*context_));
    }
    const StsCall call{
        "AssumeRole", std::move(arguments), &signer, role, {signer.secret_access_key, signer.session_token}};
    return keep_answer(*context_, key, TRY(call_sts(*context_, call, ask)));
  }

  Result<std::unique_ptr<CredentialProvider>> make_signer(const ConfigSection& section) const {
    const std::optional<std::string> origin = config_text(section, "source_profile");
    const std::optional<std::string> place = config_text(section, "credential_source");
    if (origin && place) {
      return broken_configuration(
          fmt::format("profile {} has both source_profile and credential_source: take one out", shown(profile_)));
    }
    if (!origin && !place) {
      return broken_configuration(fmt::format(
          "profile {} has a role_arn but neither source_profile nor credential_source: say with whose keys to ask",
          shown(profile_)));
    }
    return place ? from_place(*place) : from_profile(*origin);
  }

  Result<std::unique_ptr<CredentialProvider>> from_place(const std::string& place) const {
    Sources sources;
    if (place == "Environment") {
      sources.push_back(make_environment_source(context_));
    } else if (place == "EcsContainer") {
      sources.push_back(make_container_source(context_));
    } else if (place == "Ec2InstanceMetadata") {
      sources.push_back(make_metadata_source(context_));
    } else {
      return broken_configuration(fmt::format(
          "profile {}: credential_source must be Environment, Ec2InstanceMetadata or EcsContainer, not '{}'",
          shown(profile_), shown(place)));
    }
    return make_refreshing_provider(context_, std::move(sources));
  }

  static bool has_keys(const ConfigSection& section) {
    return section.contains("aws_access_key_id") || section.contains("aws_secret_access_key");
  }

  Result<std::unique_ptr<CredentialProvider>> from_profile(const std::string& origin) const {
    if (context_->settings.configuration->profile(origin) == nullptr) {
      return broken_configuration(
          fmt::format("profile {}: its source_profile {} does not exist", shown(profile_), shown(origin)));
    }
    const ConfigSection& section = context_->profile(origin);
    const bool is_known = std::find(visited_.begin(), visited_.end(), origin) != visited_.end();
    // A profile may be its own source where it has keys: they then ask for its role.
    if ((is_known && (origin != profile_ || !has_keys(section))) || visited_.size() >= kChainLengthMax) {
      std::string way;
      for (const std::string& profile : visited_) {
        way += shown(profile) + " -> ";
      }
      return broken_configuration(fmt::format("the source_profiles of {} go round in a circle: {}{}",
                                              shown(visited_.front()), way, shown(origin)));
    }
    const bool is_role = section.contains("role_arn") && !section.contains("web_identity_token_file");
    if (has_keys(section) || !is_role) {
      return make_refreshing_provider(context_, profile_sources(context_, origin, UseEnvironment::no));
    }
    std::vector<std::string> visited = visited_;
    visited.push_back(origin);
    Sources sources;
    sources.push_back(make_assume_role_source(context_, origin, std::move(visited)));
    return make_refreshing_provider(context_, std::move(sources));
  }

  const Context context_;
  const std::string profile_;
  const std::vector<std::string> visited_;
  std::unique_ptr<CredentialProvider> signer_;
};

class WebIdentitySource final : public CredentialSource {
 public:
  WebIdentitySource(Context context, std::string profile, UseEnvironment use_environment)
      : context_(std::move(context)), profile_(std::move(profile)), use_environment_(use_environment) {}

  Result<std::optional<Found>> load(const Ask& ask) override {
    const std::string file = look_up("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file").value_or("");
    if (file.empty()) {
      return std::optional<Found>();
    }
    const std::string role = look_up("AWS_ROLE_ARN", "role_arn").value_or("");
    if (role.empty()) {
      return broken_configuration(
          "a web identity token file is configured but no role: set AWS_ROLE_ARN, or role_arn in the profile");
    }
    Json arguments = Json::object({{"RoleArn", role}});
    set_text(arguments, "RoleSessionName", look_up("AWS_ROLE_SESSION_NAME", "role_session_name"));
    const std::string key = cache_key(arguments, PythonJson::spaced);
    Found found{{}, fmt::format("web identity (role {})", shown(role))};
    if (std::optional<Credentials> cached = read_cached(*context_, key, ask)) {
      found.credentials = std::move(*cached);
    } else {
      found.credentials = TRY(assume(key, std::move(arguments), role, file, ask));
    }
    return std::optional(std::move(found));
  }

 private:
  // Each by itself: a token file from the environment may go with the profile's role.
  std::optional<std::string> look_up(std::string_view variable, std::string_view key) const {
    if (use_environment_ == UseEnvironment::yes) {
      if (std::optional<std::string> value = context_->deps.environment(variable)) {
        return value;
      }
    }
    return config_text(context_->profile(profile_), key);
  }

  Result<Credentials> assume(const std::string& key, Json arguments, const std::string& role, const std::string& file,
                             const Ask& ask) {
    // Read at each refresh: whoever wrote it renews it.
    const Result<std::string> token = context_->deps.files.read(file, kTokenBytesMax);
    if (!token) {
      Error error = failed_retrieval(fmt::format("the web identity token cannot be read: {}", token.error().message));
      error.kind = ErrorKind::denied;
      return error;
    }
    arguments.set("WebIdentityToken", trim(*token));
    if (arguments.find("RoleSessionName") == nullptr) {
      arguments.set("RoleSessionName", made_up_session_name(*context_));
    }
    const StsCall call{"AssumeRoleWithWebIdentity", std::move(arguments), nullptr, role, {trim(*token)}};
    return keep_answer(*context_, key, TRY(call_sts(*context_, call, ask)));
  }

  const Context context_;
  const std::string profile_;
  const UseEnvironment use_environment_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_assume_role_source(const Context& context, std::string profile,
                                                          std::vector<std::string> visited) {
  return std::make_unique<AssumeRoleSource>(context, std::move(profile), std::move(visited));
}

std::unique_ptr<CredentialSource> make_web_identity_source(const Context& context, std::string profile,
                                                           UseEnvironment use_environment) {
  return std::make_unique<WebIdentitySource>(context, std::move(profile), use_environment);
}

}  // namespace parallax::aws
