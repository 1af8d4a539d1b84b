// The protocols `ec2` and `query` (IAM, STS): a form goes out, XML comes back. They differ in names and lists.
#pragma once

#include "aws/protocol/protocol.h"

namespace parallax::aws {

// The form fields in the model's order, after Action and Version.
std::vector<std::pair<std::string, std::string>> query_fields(const ServiceModel& model, const Operation& operation,
                                                              const Json& params);

WireRequest serialize_query(const ServiceModel& model, const Operation& operation, const Json& params);

// Code, message, request id from an error document; fields stay empty where `body` is none.
struct WireError {
  std::string code, message, request_id;
};

WireError read_query_error(std::string_view body);

}  // namespace parallax::aws
