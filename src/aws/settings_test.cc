#include "aws/settings.h"

#include <gtest/gtest.h>

#include "aws/auth/test_files.h"

namespace parallax::aws {
namespace {

struct Home {
  testing::HomeFiles files;
  testing::TestEnvironment environment;

  explicit Home(std::string config = "") { files.content["/home/u/.aws/config"] = std::move(config); }

  Home& set(const std::string& name, const std::string& value) {
    environment.variables[name] = value;
    return *this;
  }

  Result<Settings> load(const SettingsOptions& options = {}) {
    return load_settings(environment.reader(), files, options);
  }

  std::string error(const SettingsOptions& options = {}) { return load(options).error().message; }
};

std::string url_of(const Settings& settings, const std::string& prefix, const std::string& id) {
  return resolve_endpoint(ServiceName{prefix, id}, "eu-west-3", settings.endpoint).value().url;
}

TEST(Settings, HaveDefaults) {
  const Settings settings = Home().load().value();
  EXPECT_EQ(settings.profile, "default");
  EXPECT_FALSE(settings.profile_named);
  EXPECT_EQ(settings.region, "");
  EXPECT_EQ(settings.retry_mode, "standard");
  EXPECT_EQ(settings.attempts_max, 3);
  EXPECT_EQ(settings.sts_regional_endpoints, "regional");
  EXPECT_EQ(settings.metadata.timeout, Seconds(1));
  EXPECT_EQ(settings.metadata.attempts, 1);
  EXPECT_EQ(settings.metadata.endpoint, "http://169.254.169.254");
}

TEST(Settings, TakeTheRegionFromTheNearestPlace) {
  Home home("[default]\nregion = eu-west-1\n[profile b]\nregion = eu-west-2\n");
  EXPECT_EQ(home.load()->region, "eu-west-1");
  EXPECT_EQ(home.load()->region_source, "profile default: region");
  EXPECT_EQ(home.load({.profile = "b"})->region, "eu-west-2");
  EXPECT_EQ(home.set("AWS_DEFAULT_REGION", "eu-north-1").load()->region, "eu-north-1");
  EXPECT_EQ(home.set("AWS_REGION", "eu-south-1").load()->region, "eu-south-1");
  EXPECT_EQ(home.load({.region = "us-east-1"})->region, "us-east-1");
  EXPECT_EQ(home.set("AWS_REGION", "").load()->region, "eu-north-1") << "empty is not set";
}

TEST(Settings, TakeTheProfileFromArgumentThenEnvironment) {
  Home home("[default]\n[profile a]\n[profile b]\n");
  EXPECT_EQ(home.set("AWS_PROFILE", "a").load()->profile, "a");
  EXPECT_TRUE(home.load()->profile_named);
  EXPECT_FALSE(home.load()->profile_from_argument);
  EXPECT_EQ(home.set("AWS_DEFAULT_PROFILE", "b").load()->profile, "b") << "botocore asks AWS_DEFAULT_PROFILE first";
  EXPECT_EQ(home.load({.profile = "a"})->profile, "a");
  EXPECT_TRUE(home.load({.profile = "a"})->profile_from_argument);
}

TEST(Settings, ListTheProfilesThereAre) {
  EXPECT_EQ(
      Home("[profile audit]\n[profile build]\n").error({.profile = "audt"}),
      "the profile that was asked for: there is no profile 'audt'; did you mean 'audit'?; there are audit, build");
  EXPECT_EQ(Home().set("AWS_PROFILE", "x").error(),
            "AWS_PROFILE: there is no profile 'x'; neither /home/u/.aws/config nor /home/u/.aws/credentials has any");
}

TEST(Settings, FollowTheOrderOfEndpoints) {
  Home home(
      "[default]\nservices = local\nendpoint_url = http://profile\n[services local]\nec2 =\n  endpoint_url = "
      "http://services\n");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "http://services");
  EXPECT_EQ(url_of(*home.load(), "portal.sso", "SSO"), "http://profile");
  home.set("AWS_ENDPOINT_URL", "http://all");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "http://all");
  home.set("AWS_ENDPOINT_URL_EC2", "http://own");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "http://own");
  EXPECT_EQ(url_of(*home.load({.endpoint_url = "http://argument"}), "ec2", "EC2"), "http://argument");
}

TEST(Settings, CanIgnoreConfiguredEndpointsButNotTheArgument) {
  Home home("[default]\nignore_configured_endpoint_urls = TRUE\nendpoint_url = http://profile\n");
  home.set("AWS_ENDPOINT_URL", "http://all");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "https://ec2.eu-west-3.amazonaws.com");
  EXPECT_EQ(url_of(*home.load({.endpoint_url = "http://argument"}), "ec2", "EC2"), "http://argument");
  home.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "http://all") << "the environment decides before the profile";
}

TEST(Settings, MissAServicesSectionThatIsNamed) {
  EXPECT_EQ(Home("[default]\nservices = gone\n").error(),
            "/home/u/.aws/config: profile default names [services gone], which is not there");
}

TEST(Settings, ReadRetries) {
  EXPECT_EQ(Home("[default]\nretry_mode = legacy\n").load()->attempts_max, 5);
  EXPECT_EQ(Home("[default]\nmax_attempts = 7\n").load()->attempts_max, 7);
  EXPECT_EQ(Home("[default]\nmax_attempts = 7\n").set("AWS_MAX_ATTEMPTS", "2").load()->attempts_max, 2);
  EXPECT_EQ(Home("[default]\nmax_attempts = many\n").error(),
            "profile default: max_attempts must be a whole number from 1 to 100, not 'many'");
  EXPECT_EQ(Home().set("AWS_MAX_ATTEMPTS", "0").error(),
            "AWS_MAX_ATTEMPTS must be a whole number from 1 to 100, not '0'");
  EXPECT_EQ(Home().set("AWS_RETRY_MODE", "often").error(),
            "AWS_RETRY_MODE must be one of standard, legacy, adaptive, not 'often'");
}

TEST(Settings, ReachTheClient) {
  Home home(
      "[default]\nca_bundle = ~/roots.pem\ndefaults_mode = in-region\nsdk_ua_app_id = my app\nmax_attempts = 4\n");
  const ClientOptions options = options_from(home.load().value(), "parallax/1");
  EXPECT_EQ(options.ca_file, "/home/u/roots.pem");
  EXPECT_EQ(options.limits.connect, Millis(1100));
  EXPECT_EQ(options.user_agent, "parallax/1 app/my-app");
  EXPECT_EQ(options.retry.attempts_max, 4);
}

TEST(Settings, ReadTheMetadataService) {
  Home home("[default]\nmetadata_service_timeout = 3\nec2_metadata_service_endpoint_mode = IPv6\n");
  EXPECT_EQ(home.load()->metadata.timeout, Seconds(3));
  EXPECT_EQ(home.load()->metadata.endpoint, "http://[fd00:ec2::254]");
  home.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1/x/").set("AWS_EC2_METADATA_DISABLED", "True");
  EXPECT_EQ(home.load()->metadata.endpoint, "http://127.0.0.1:1/x");
  EXPECT_TRUE(home.load()->metadata.disabled);
  EXPECT_EQ(Home().set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5").error(),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE must be one of ipv4, ipv6, not 'ipv5'");
}

TEST(Settings, KnowVariantsOfEndpoints) {
  Home home("[default]\nuse_fips_endpoint = true\n");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "https://ec2-fips.eu-west-3.amazonaws.com");
  home.set("AWS_USE_FIPS_ENDPOINT", "false").set("AWS_USE_DUALSTACK_ENDPOINT", "true");
  EXPECT_EQ(url_of(*home.load(), "ec2", "EC2"), "https://ec2.eu-west-3.api.aws");
  EXPECT_EQ(url_of(*Home("[default]\nsts_regional_endpoints = legacy\n").load(), "sts", "STS"),
            "https://sts.amazonaws.com");
}

TEST(Settings, NameTheFileThatIsBroken) {
  EXPECT_EQ(Home("[default\n").error(), "/home/u/.aws/config:1: a section begins with its name in [brackets]");
}

}  // namespace
}  // namespace parallax::aws
