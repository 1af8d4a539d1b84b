// What our settings and credential chain make of this process's real environment, as one JSON line, for the tests that
// compare with botocore:
//   aws_auth_tool credentials [--profile P]           {"id", "secret_hash", "token_hash", "expires", "source"} or
//   {"error", "kind", "code"} aws_auth_tool settings [--profile P]              {"region", "profile", ...}
//   aws_auth_tool endpoints < lines {"prefix","service_id","region","fips","dual","legacy"}   {"url","region"} or
//   {"error"}
#include <cstdlib>
#include <iostream>

#include "aws/auth/chain.h"
#include "aws/settings.h"
#include "cli/run_process.h"
#include "codec/hash.h"

namespace parallax::aws {
namespace {

std::optional<std::string> read_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Json error_of(const Error& error) {
  return Json::object({{"error", error.text()}, {"kind", to_string(error.kind)}, {"code", error.code}});
}

Json credentials_of(const Settings& settings, Files& files) {
  const std::unique_ptr<Clock> clock = make_system_clock();
  const std::unique_ptr<Rng> rng = make_system_rng();
  const std::unique_ptr<http::Client> http = http::make_curl_client(*clock);
  const RunProcess run = [&](const std::vector<std::string>& argv, Micros limit, std::stop_token stop) {
    return cli::run_process(*clock, argv, limit, std::move(stop));
  };
  const std::unique_ptr<CredentialProvider> chain =
      make_credential_chain({read_environment, files, *http, *clock, *rng, run}, settings);
  const Result<Credentials> found = chain->credentials(clock->monotonic() + Seconds(60), {});
  if (!found) {
    return error_of(found.error());
  }
  Json line = Json::object({{"id", found->access_key_id},
                            {"secret_hash", sha256_hex(found->secret_access_key)},
                            {"token_hash", sha256_hex(found->session_token)},
                            {"source", chain->source()}});
  if (found->expires) {
    line.set("expires", to_iso8601_seconds(*found->expires));
  }
  return line;
}

Json settings_of(const Settings& settings) {
  return Json::object({{"profile", settings.profile},
                       {"region", settings.region},
                       {"retry_mode", settings.retry_mode},
                       {"attempts", settings.attempts_max},
                       {"ca_bundle", settings.ca_bundle},
                       {"fips", settings.use_fips},
                       {"dual", settings.use_dual_stack},
                       {"sts", settings.sts_regional_endpoints},
                       {"app_id", settings.user_agent_app_id},
                       {"defaults_mode", settings.defaults_mode},
                       {"metadata_timeout", count_seconds(settings.metadata.timeout)},
                       {"metadata_attempts", settings.metadata.attempts},
                       {"metadata_endpoint", settings.metadata.endpoint},
                       {"metadata_v1_disabled", settings.metadata.v1_disabled}});
}

Json endpoint_of(const Json& line, EndpointOptions options) {
  options.use_fips = options.use_fips || line.boolean("fips", false);
  options.use_dual_stack = options.use_dual_stack || line.boolean("dual", false);
  options.sts_legacy = options.sts_legacy || line.boolean("legacy", false);
  const Result<Endpoint> endpoint =
      resolve_endpoint(ServiceName{line.text("prefix"), line.text("service_id")}, line.text("region"), options);
  return endpoint ? Json::object({{"url", endpoint->url}, {"region", endpoint->signing_region}})
                  : error_of(endpoint.error());
}

int run(const std::vector<std::string>& arguments) {
  const std::unique_ptr<Files> files = make_system_files();
  SettingsOptions options;
  if (arguments.size() > 2 && arguments[1] == "--profile") {
    options.profile = arguments[2];
  }
  const Result<Settings> settings = load_settings(read_environment, *files, options);
  if (!settings) {
    std::cout << error_of(settings.error()).dump() << "\n";
    return 0;
  }
  if (arguments.front() == "endpoints") {
    for (std::string text; std::getline(std::cin, text);) {
      std::cout << endpoint_of(parse_json(text).value(), settings->endpoint).dump() << "\n";
    }
    return 0;
  }
  const Json line = arguments.front() == "settings" ? settings_of(*settings) : credentials_of(*settings, *files);
  std::cout << line.dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace parallax::aws

int main(int count, char** words) {
  return count < 2 ? 2 : parallax::aws::run({words + 1, words + count});
}
