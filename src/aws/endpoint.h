// Where a service of a region is, and for which region a call there is signed. The rules are data:
// data/aws-endpoints.json.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/auth/credentials.h"
#include "aws/model/model.h"

namespace parallax::aws {

struct Partition {
  std::string id;                 // "aws"
  std::string suffix;             // "amazonaws.com"
  std::string dual_stack_suffix;  // "api.aws"
  std::string main_region;        // for services and questions that have no region of their own: "us-east-1"
  std::vector<std::string> regions;
};

// By the exact name, then by the form of the name, so that a region newer than this program works; else "aws".
const Partition& partition_of(std::string_view region);
// nullptr for an unknown id.
const Partition* find_partition(std::string_view id);

// Whether `region` has the form of a region's name ("eu-west-3", "us-gov-west-1"); it becomes part of a host name.
bool is_region_name(std::string_view region);

struct ConfiguredUrl {
  std::string url;
  std::string source;  // for messages: "AWS_ENDPOINT_URL", "profile audit: endpoint_url"
};

struct EndpointOptions {
  std::string url;  // an explicit endpoint for all services; wins over the environment
  // AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS; may be empty.
  Environment environment = {};
  // What the configuration file says, after the environment: by service id ("ec2", "sso_oidc"), then for all.
  std::map<std::string, ConfiguredUrl, std::less<>> service_urls = {};
  ConfiguredUrl config_url = {};
  bool use_fips = false;
  bool use_dual_stack = false;
  bool sts_legacy = false;  // the oldest regions' STS is then the global one, signed for us-east-1
};

struct Endpoint {
  std::string url;  // "https://ec2.eu-west-3.amazonaws.com", without a slash at the end
  std::string signing_region;
};

// What tells services apart here; Metadata of a model has all of it.
struct ServiceName {
  std::string prefix;      // of the host: "ec2", "monitoring", "portal.sso"
  std::string service_id;  // "EC2", "SSO OIDC": for the names of settings
};

// Price lists are served from few regions; for another region the nearest of them is asked and signed for.
// Errors, all invalid: a malformed region or endpoint URL; FIPS or dual stack together with an endpoint of one's own,
// or in a partition that has none; a service that the partition lacks.
Result<Endpoint> resolve_endpoint(const ServiceName& service, std::string_view region, const EndpointOptions& options);
Result<Endpoint> resolve_endpoint(const Metadata& service, std::string_view region, const EndpointOptions& options);

}  // namespace parallax::aws
