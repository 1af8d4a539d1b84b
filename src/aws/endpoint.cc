#include "aws/endpoint.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "http/url.h"

namespace parallax::aws {

namespace {

struct PartitionRule {
  std::string_view prefix;
  Partition partition;
};

constexpr std::array<PartitionRule, 4> kPartitions{{
    {"cn-",
     {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"}},
    {"us-gov-", {"aws-us-gov", "amazonaws.com", "api.aws", "iam.us-gov.amazonaws.com", "us-gov-west-1"}},
    {"eusc-",
     {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"}},
    {"", {"aws", "amazonaws.com", "api.aws", "iam.amazonaws.com", "us-east-1"}},
}};

constexpr std::size_t kRegionBytesMax = 32;

// The suffix of AWS_ENDPOINT_URL_...: the service id in capitals, blanks as underscores.
std::string environment_suffix(const Metadata& service) {
  std::string name;
  for (const char c : service.service_id) {
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == ' ' || c == '-' ? '_' : c;
  }
  return name;
}

struct Configured {
  std::string url;
  std::string source;  // for messages
};

Configured configured_url(const Metadata& service, const EndpointOptions& options) {
  if (!options.url.empty()) {
    return {options.url, "the endpoint"};
  }
  if (!options.environment ||
      equals_ignore_case(options.environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").value_or(""), "true")) {
    return {};
  }
  for (const std::string& name : {"AWS_ENDPOINT_URL_" + environment_suffix(service), std::string("AWS_ENDPOINT_URL")}) {
    const std::string value = options.environment(name).value_or("");
    if (!value.empty()) {
      return {value, name};
    }
  }
  return {};
}

Result<std::string> checked_url(const Configured& configured) {
  const Result<http::Url> url = http::parse_url(configured.url);
  if (!url) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{} must be an http or https URL: {}", configured.source, url.error().message));
  }
  if (!url->query.empty()) {
    return make_error(ErrorKind::invalid, fmt::format("{} must not have a query ('?...')", configured.source));
  }
  std::string text = url->text();
  while (text.ends_with('/')) {
    text.pop_back();
  }
  return text;
}

}  // namespace

const Partition& partition_of(std::string_view region) {
  const auto at = std::find_if(kPartitions.begin(), kPartitions.end(),
                               [&](const PartitionRule& rule) { return region.starts_with(rule.prefix); });
  return at->partition;
}

bool is_region_name(std::string_view region) {
  const std::vector<std::string_view> parts = split(region, '-');
  if (region.size() > kRegionBytesMax || parts.size() < 3) {
    return false;
  }
  const auto all = [](std::string_view text, char first, char last) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return c >= first && c <= last; });
  };
  return all(parts.back(), '0', '9') &&
         std::all_of(parts.begin(), parts.end() - 1, [&](std::string_view part) { return all(part, 'a', 'z'); });
}

Result<Endpoint> resolve_endpoint(const Metadata& service, std::string_view region, const EndpointOptions& options) {
  if (!is_region_name(region)) {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is not the name of a region (such as eu-west-3)", terminal_safe(region, 60)));
  }
  const Partition& partition = partition_of(region);
  Endpoint endpoint;
  endpoint.signing_region = service.global_endpoint ? partition.global_region : region;
  const Configured configured = configured_url(service, options);
  if (!configured.url.empty()) {
    endpoint.url = TRY(checked_url(configured));
  } else if (service.global_endpoint) {
    endpoint.url = fmt::format("https://{}", partition.global_host);
  } else {
    endpoint.url = fmt::format("https://{}.{}.{}", service.endpoint_prefix, region, partition.suffix);
  }
  return endpoint;
}

}  // namespace parallax::aws
