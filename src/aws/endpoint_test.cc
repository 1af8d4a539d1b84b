#include "aws/endpoint.h"

#include <map>

#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

Result<Endpoint> resolve(std::string_view service, std::string_view region,
                         std::map<std::string, std::string, std::less<>> variables = {}, std::string url = "") {
  EndpointOptions options;
  options.url = std::move(url);
  options.environment = [variables = std::move(variables)](std::string_view name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
  return resolve_endpoint(find_service(service)->metadata(), region, options);
}

TEST(Endpoint, FollowsThePatternOfEachPartition) {
  const std::pair<std::string, std::string> kRows[] = {
      {"eu-west-3", "https://ec2.eu-west-3.amazonaws.com"},
      {"xx-newplace-7", "https://ec2.xx-newplace-7.amazonaws.com"},
      {"cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn"},
      {"us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com"},
      {"eusc-de-east-1", "https://ec2.eusc-de-east-1.amazonaws.eu"},
  };
  for (const auto& [region, url] : kRows) {
    const Result<Endpoint> endpoint = resolve("ec2", region);
    EXPECT_EQ(endpoint->url, url);
    EXPECT_EQ(endpoint->signing_region, region);
  }
  EXPECT_EQ(resolve("sts", "eu-west-3")->url, "https://sts.eu-west-3.amazonaws.com");
}

TEST(Endpoint, HasOneIamPerPartition) {
  EXPECT_EQ(resolve("iam", "eu-west-3")->url, "https://iam.amazonaws.com");
  EXPECT_EQ(resolve("iam", "eu-west-3")->signing_region, "us-east-1");
  EXPECT_EQ(resolve("iam", "cn-northwest-1")->url, "https://iam.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(resolve("iam", "us-gov-east-1")->signing_region, "us-gov-west-1");
}

TEST(Endpoint, PrefersTheExplicitThenTheServicesThenTheCommonVariable) {
  const std::map<std::string, std::string, std::less<>> both{{"AWS_ENDPOINT_URL", "http://127.0.0.1:1"},
                                                             {"AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:2/sim/"}};
  EXPECT_EQ(resolve("ssm", "eu-west-3", both, "http://127.0.0.1:3")->url, "http://127.0.0.1:3");
  EXPECT_EQ(resolve("ssm", "eu-west-3", both)->url, "http://127.0.0.1:2/sim");
  EXPECT_EQ(resolve("ec2", "eu-west-3", both)->url, "http://127.0.0.1:1");
  EXPECT_EQ(resolve("iam", "eu-west-3", both)->signing_region, "us-east-1");
}

TEST(Endpoint, CanBeToldToIgnoreTheEnvironment) {
  EXPECT_EQ(resolve("ec2", "eu-west-3",
                    {{"AWS_ENDPOINT_URL", "http://127.0.0.1:1"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}})
                ->url,
            "https://ec2.eu-west-3.amazonaws.com");
}

TEST(Endpoint, RefusesARegionThatWouldChangeTheHost) {
  for (const std::string_view region : {"", "eu", "eu-west", "evil.example/eu-west-3", "eu-west-3.evil", "EU-west-3",
                                        "eu--3", "eu-west-3-", "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-1"}) {
    EXPECT_EQ(resolve("ec2", region).error().kind, ErrorKind::invalid) << region;
  }
}

TEST(Endpoint, NamesTheVariableThatIsNoUrl) {
  const Result<Endpoint> endpoint = resolve("ec2", "eu-west-3", {{"AWS_ENDPOINT_URL_EC2", "localhost:4566"}});
  EXPECT_EQ(endpoint.error().kind, ErrorKind::invalid);
  EXPECT_TRUE(endpoint.error().message.starts_with("AWS_ENDPOINT_URL_EC2 must be an http or https URL: "));
}

}  // namespace
}  // namespace parallax::aws
