// What arguments, the environment and the shared configuration files say of how to call AWS, in one value.
// docs/user/aws-credentials.md lists every name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/auth/config_file.h"
#include "aws/client.h"
#include "aws/endpoint.h"
#include "base/files.h"

namespace parallax::aws {

// From the command line; empty: not given. A profile that is given here makes the credential chain skip the keys in the
// environment, as the AWS CLI's --profile does; one from AWS_PROFILE does not.
struct SettingsOptions {
  std::string profile = {};
  std::string region = {};
  std::string endpoint_url = {};
};

// How the metadata service of the instance is asked (ec2_metadata_* and metadata_service_*).
struct MetadataServiceSettings {
  bool disabled = false;
  bool v1_disabled = false;
  std::string endpoint = "http://169.254.169.254";  // without a slash at the end
  Micros timeout{Seconds(1)};                       // of one attempt
  int attempts = 1;
};

struct Settings {
  std::string profile = "default";
  bool profile_named = false;           // by argument or environment
  bool profile_from_argument = false;   // then the environment's keys are not looked at
  std::string region;                   // argument, AWS_REGION, AWS_DEFAULT_REGION, profile; empty: none
  std::string region_source;            // "--region", "AWS_REGION", "profile audit"; empty: none
  std::string retry_mode = "standard";  // "legacy", "standard" or "adaptive"
  int attempts_max = 3;                 // of one call, the first included; 5 where legacy mode was asked for
  std::string ca_bundle;                // PEM file; empty: the system's roots
  bool use_fips = false;
  bool use_dual_stack = false;
  std::string sts_regional_endpoints = "regional";  // or "legacy"
  std::string user_agent_app_id;
  std::string defaults_mode = "legacy";
  std::optional<Micros> connect_limit;  // of defaults_mode; absent: the client's own
  MetadataServiceSettings metadata;
  EndpointOptions endpoint;  // ready for Client
  // Shared, since the credential chain keeps it for as long as it refreshes.
  std::shared_ptr<const Configuration> configuration;

  // The section of `profile`; empty where there is none.
  const ConfigSection& profile_section() const;
};

// Errors, all of kind invalid, naming the variable, or file and section: a profile that was named but does not exist
// (with the names there are), a value that is none of those allowed, a file that cannot be read.
Result<Settings> load_settings(const Environment& environment, Files& files, const SettingsOptions& options);

// Attempts, endpoints, roots, connect limit and user agent ("PRODUCT app/ID") for a client.
ClientOptions options_from(const Settings& settings, std::string_view product = "parallax");

}  // namespace parallax::aws
