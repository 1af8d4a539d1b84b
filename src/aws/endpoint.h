// Where a service of a region is, and for which region a call there is signed.
#pragma once

#include <string>
#include <string_view>

#include "aws/auth/credentials.h"
#include "aws/model/model.h"

namespace parallax::aws {

struct Partition {
  std::string_view id;                 // "aws"
  std::string_view suffix;             // "amazonaws.com"
  std::string_view dual_stack_suffix;  // "api.aws"
  std::string_view global_host;        // of IAM: "iam.amazonaws.com"
  std::string_view global_region;      // for which IAM's calls are signed
};

// By the form of the region's name, so that a region newer than this program works. Unknown forms belong to "aws".
const Partition& partition_of(std::string_view region);

// Whether `region` has the form of a region's name ("eu-west-3", "us-gov-west-1"); it becomes part of a host name.
bool is_region_name(std::string_view region);

struct EndpointOptions {
  std::string url;  // an explicit endpoint for all services; wins over the environment
  Environment
      environment;  // AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS; may be empty
};

struct Endpoint {
  std::string url;  // "https://ec2.eu-west-3.amazonaws.com", without a slash at the end
  std::string signing_region;
};

// Error: invalid for a malformed region or endpoint URL.
Result<Endpoint> resolve_endpoint(const Metadata& service, std::string_view region, const EndpointOptions& options);

}  // namespace parallax::aws
