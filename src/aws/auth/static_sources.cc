// Keys that stand somewhere: in the environment or in a file.
#include <fmt/format.h>

#include "aws/auth/source.h"
#include "base/text.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kOldFileBytesMax = 1U << 20U;

class EnvironmentSource final : public CredentialSource {
 public:
  explicit EnvironmentSource(Context context) : context_(std::move(context)) {}

  Result<std::optional<Found>> load(const Ask& /*ask*/) override {
    Found found{{}, "environment"};
    Credentials& keys = found.credentials;
    keys.access_key_id = context_->text("AWS_ACCESS_KEY_ID");
    if (keys.access_key_id.empty()) {
      return std::optional<Found>();
    }
    keys.secret_access_key = context_->text("AWS_SECRET_ACCESS_KEY");
    if (keys.secret_access_key.empty()) {
      return broken_configuration("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not: set both");
    }
    keys.session_token = context_->text("AWS_SECURITY_TOKEN");
    if (keys.session_token.empty()) {
      keys.session_token = context_->text("AWS_SESSION_TOKEN");
    }
    const std::string expiration = context_->text("AWS_CREDENTIAL_EXPIRATION");
    if (!expiration.empty()) {
      const Result<Instant> instant = parse_expiration(expiration);
      if (!instant) {
        return broken_configuration("AWS_CREDENTIAL_EXPIRATION is no instant in ISO 8601");
      }
      keys.expires = *instant;
    }
    return std::optional(std::move(found));
  }

  std::string absence() const override {
    return context_->text("AWS_SECRET_ACCESS_KEY").empty()
               ? "AWS_ACCESS_KEY_ID is not set"
               : "AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not";
  }

 private:
  const Context context_;
};

// The three keys of one section, as both files have them.
Result<std::optional<Found>> keys_of(const ConfigSection& section, std::string source) {
  const std::optional<std::string> id = config_text(section, "aws_access_key_id");
  if (!id) {
    return std::optional<Found>();
  }
  const std::optional<std::string> secret = config_text(section, "aws_secret_access_key");
  if (!secret) {
    return broken_configuration(fmt::format("{}: aws_access_key_id is there, aws_secret_access_key is not", source));
  }
  Found found{{*id, *secret, "", std::nullopt}, std::move(source)};
  for (const std::string_view name : {"aws_security_token", "aws_session_token"}) {
    if (const std::optional<std::string> token = config_text(section, name)) {
      found.credentials.session_token = *token;
      break;
    }
  }
  return std::optional(std::move(found));
}

// One profile of one of the two files.
class FileSource final : public CredentialSource {
 public:
  FileSource(Context context, const ConfigSections& sections, std::string path, std::string profile)
      : context_(std::move(context)), sections_(sections), path_(std::move(path)), profile_(std::move(profile)) {}

  Result<std::optional<Found>> load(const Ask& /*ask*/) override {
    const auto section = sections_.find(profile_);
    if (section == sections_.end()) {
      return std::optional<Found>();
    }
    return keys_of(section->second, fmt::format("profile {} in {}", terminal_safe(profile_, 80), path_));
  }

  std::string absence() const override {
    return path_.empty() ? "" : fmt::format("{} has no keys of profile {}", path_, terminal_safe(profile_, 80));
  }

 private:
  const Context context_;  // keeps `sections_` alive
  const ConfigSections& sections_;
  const std::string path_;
  const std::string profile_;
};

class OldFilesSource final : public CredentialSource {
 public:
  explicit OldFilesSource(Context context) : context_(std::move(context)) {}

  Result<std::optional<Found>> load(const Ask& /*ask*/) override {
    if (context_->deps.environment("AWS_CREDENTIAL_FILE")) {
      std::optional<Found> found = TRY(from_key_file(context_->text("AWS_CREDENTIAL_FILE")));
      if (found) {
        return found;
      }
    }
    if (const std::optional<std::string> given = context_->deps.environment("BOTO_CONFIG")) {
      return from_boto_file(*given);
    }
    for (const std::string_view path : {"/etc/boto.cfg", "~/.boto"}) {
      std::optional<Found> found = TRY(from_boto_file(path));
      if (found) {
        return found;
      }
    }
    return std::optional<Found>();
  }

 private:
  // KEY=VALUE lines: AWSAccessKeyId and AWSSecretKey.
  Result<std::optional<Found>> from_key_file(const std::string& given) const {
    const std::string path = expand_path(given, context_->deps.environment);
    const std::string text = TRY(context_->deps.files.read(path, kOldFileBytesMax));
    Found found{{}, fmt::format("AWS_CREDENTIAL_FILE {}", path)};
    for (const std::string_view line : split(text, '\n')) {
      const std::size_t equals = line.find('=');
      if (equals == std::string_view::npos) {
        continue;
      }
      const std::string_view key = trim(line.substr(0, equals));
      const std::string_view value = trim(line.substr(equals + 1));
      if (key == "AWSAccessKeyId") {
        found.credentials.access_key_id = value;
      } else if (key == "AWSSecretKey") {
        found.credentials.secret_access_key = value;
      }
    }
    return found.credentials.access_key_id.empty() ? std::optional<Found>() : std::optional(std::move(found));
  }

  Result<std::optional<Found>> from_boto_file(std::string_view given) const {
    const std::string path = expand_path(given, context_->deps.environment);
    const Result<std::string> text = context_->deps.files.read(path, kOldFileBytesMax);
    if (!text) {
      return std::optional<Found>();
    }
    const ConfigSections sections = TRY(parse_config(path, *text));
    const auto section = sections.find("Credentials");
    if (section == sections.end()) {
      return std::optional<Found>();
    }
    std::optional<Found> found = TRY(keys_of(section->second, path));
    if (found) {
      found->credentials.session_token.clear();  // this file never had one
    }
    return found;
  }

  const Context context_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_environment_source(const Context& context) {
  return std::make_unique<EnvironmentSource>(context);
}

std::unique_ptr<CredentialSource> make_shared_file_source(const Context& context, std::string profile) {
  const Configuration& configuration = *context->settings.configuration;
  return std::make_unique<FileSource>(context, configuration.credentials_profiles, configuration.credentials_path,
                                      std::move(profile));
}

std::unique_ptr<CredentialSource> make_config_file_source(const Context& context, std::string profile) {
  const Configuration& configuration = *context->settings.configuration;
  return std::make_unique<FileSource>(context, configuration.config_profiles, configuration.config_path,
                                      std::move(profile));
}

std::unique_ptr<CredentialSource> make_old_files_source(const Context& context) {
  return std::make_unique<OldFilesSource>(context);
}

}  // namespace parallax::aws
