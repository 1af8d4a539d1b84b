#include "cli/aws_session.h"

#include <fmt/format.h>

#include "aws/auth/chain.h"
#include "aws/model/directory.h"
#include "cli/run_process.h"
#include "cli/version.h"

namespace parallax::cli {

namespace {

constexpr Micros kCredentialsTimeout{Seconds(20)};

}  // namespace

std::vector<Option> aws_options() {
  return {Option{"--profile", OptionKind::value, "NAME", "credentials and settings of this profile"},
          Option{"--endpoint-url", OptionKind::value, "URL", "send everything there (a simulated cloud, a proxy)"},
          Option{"--models", OptionKind::value, "DIR", "more services: any botocore data folder"}};
}

Result<> use_models(const Arguments& arguments, World& world) {
  const std::optional<std::string> directory = arguments.value("--models");
  if (!directory) {
    return {};
  }
  Result<> used = aws::use_models_directory(world.files, *directory);
  if (used) {
    return used;
  }
  Error error = std::move(used).error();
  error.kind = ErrorKind::invalid;
  return error;
}

Result<AwsSession> open_aws(const Arguments& arguments, World& world) {
  TRY(use_models(arguments, world));
  AwsSession session;
  const aws::Environment environment = [&world](std::string_view name) { return world.environment(std::string(name)); };
  aws::SettingsOptions given;
  given.profile = arguments.value_or("--profile", "");
  given.endpoint_url = arguments.value_or("--endpoint-url", "");
  session.settings = TRY(aws::load_settings(environment, world.files, given));
  const aws::RunProcess run = [&world](const std::vector<std::string>& argv, Micros limit, std::stop_token stop) {
    return run_process(world.clock, argv, limit, std::move(stop));
  };
  session.credentials =
      aws::make_credential_chain({environment, world.files, world.http, world.clock, world.rng, run}, session.settings);
  session.client =
      std::make_unique<aws::Client>(aws::Client::Deps{world.http, world.clock, world.rng, *session.credentials},
                                    aws::options_from(session.settings, fmt::format("parallax/{}", kVersion)));
  return session;
}

Result<> require_credentials(AwsSession& session, World& world) {
  const Result<aws::Credentials> found =
      session.credentials->credentials(world.clock.monotonic() + kCredentialsTimeout, world.stop);
  if (found) {
    return {};
  }
  Error error = found.error();
  error.kind = error.kind == ErrorKind::cancelled ? error.kind : ErrorKind::invalid;
  return error;
}

}  // namespace parallax::cli
