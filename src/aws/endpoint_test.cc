#include "aws/endpoint.h"

#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "codec/json.h"
#include "test_data.h"

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

TEST(Endpoint, AsksTheNearestRegionForPrices) {
  const ServiceName pricing{"api.pricing", "Pricing"};
  const std::pair<std::string, std::string> kRows[] = {
      {"us-east-1", "us-east-1"},    {"us-west-2", "us-east-1"},     {"sa-east-1", "us-east-1"},
      {"eu-west-3", "eu-central-1"}, {"af-south-1", "eu-central-1"}, {"ap-southeast-6", "ap-south-1"},
  };
  for (const auto& [region, asked] : kRows) {
    const Result<Endpoint> endpoint = resolve_endpoint(pricing, region, {});
    EXPECT_EQ(endpoint->url, "https://api.pricing." + asked + ".amazonaws.com") << region;
    EXPECT_EQ(endpoint->signing_region, asked) << region;
  }
  EXPECT_EQ(resolve_endpoint(pricing, "cn-north-1", {})->signing_region, "cn-northwest-1");
  EXPECT_EQ(
      resolve_endpoint(pricing, "us-gov-west-1", {}).error().message,
      "partition aws-us-gov (region us-gov-west-1) has no such service; ask in a region of another partition, such "
      "as us-east-1, with credentials of that partition");
}

TEST(Endpoint, RefusesFipsWithAnEndpointOfOnesOwn) {
  EndpointOptions options{.url = "http://127.0.0.1:1"};
  options.use_fips = true;
  EXPECT_EQ(resolve_endpoint(ServiceName{"ec2", "EC2"}, "eu-west-3", options).error().message,
            "FIPS endpoints and an endpoint of one's own (the endpoint) exclude each other");
}

// What differs from botocore on purpose; empty: nothing.
std::string_view reason_to_differ(const Json& line) {
  const std::string region = line.text("region");
  const std::string prefix = line.text("prefix");
  if (!is_region_name(region)) {
    return "names such as aws-global and us-east-1-fips are no regions: IAM needs none, FIPS is a setting";
  }
  if (prefix == "api.pricing") {
    return "botocore names hosts that do not exist; we ask the nearest region that serves prices (test above)";
  }
  if (prefix == "iam" && partition_of(region).id == "aws-cn" && line.boolean("fips", false)) {
    return "there is no FIPS in China: we sign for cn-north-1 as for the real host, botocore for cn-northwest-1";
  }
  return "";
}

// endpoints.jsonl is written by tests/aws/endpoint_vectors.py.
TEST(Endpoint, IsWhereBotocoreSaysItIs) {
  std::ifstream file(PARALLAX_TEST_DATA "/aws/endpoints.jsonl");
  int same = 0;
  for (std::string text; std::getline(file, text);) {
    const Json line = parse_json(text).value();
    if (!reason_to_differ(line).empty()) {
      continue;
    }
    EndpointOptions options;
    options.use_fips = line.boolean("fips", false);
    options.use_dual_stack = line.boolean("dual", false);
    options.sts_legacy = line.boolean("legacy", false);
    const Result<Endpoint> endpoint =
        resolve_endpoint(ServiceName{line.text("prefix"), line.text("service_id")}, line.text("region"), options);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint->url, line.text("url")) << text;
    EXPECT_EQ(endpoint->signing_region, line.text("signing")) << text;
    ++same;
  }
  EXPECT_GT(same, 1500) << "the vectors are there";
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
