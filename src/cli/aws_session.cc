#include "cli/aws_session.h"

#include <fmt/format.h>

#include "aws/model/directory.h"
#include "cli/version.h"

namespace parallax::cli {

namespace {

constexpr Micros kCredentialsTimeout{Seconds(20)};

}  // namespace

std::vector<Option> aws_options() {
  return {Option{"--endpoint-url", OptionKind::value, "URL", "send everything there (a simulated cloud, a proxy)"},
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
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    session.region = session.region.empty() ? environment(name).value_or("") : session.region;
  }
  session.credentials = std::make_unique<aws::EnvironmentCredentials>(environment);
  aws::ClientOptions options;
  options.endpoint.environment = environment;
  options.endpoint.url = arguments.value_or("--endpoint-url", "");
  options.user_agent = fmt::format("parallax/{}", kVersion);
  options.ca_file = environment("AWS_CA_BUNDLE").value_or("");
  session.ca_file = options.ca_file;
  session.endpoint = options.endpoint;
  session.client = std::make_unique<aws::Client>(
      aws::Client::Deps{world.http, world.clock, world.rng, *session.credentials}, std::move(options));
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
