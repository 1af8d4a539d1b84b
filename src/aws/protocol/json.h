// The protocol `json` (SSM): JSON both ways, the operation in X-Amz-Target.
#pragma once

#include "aws/protocol/protocol.h"
#include "aws/protocol/query.h"

namespace parallax::aws {

WireRequest serialize_json(const ServiceModel& model, const Operation& operation, const Json& params);

// An empty body means an empty result.
Result<Json> parse_json_result(const Operation& operation, std::string_view body);

// The code comes from X-Amzn-Errortype, else from the body; the request id from X-Amzn-Requestid.
WireError read_json_error(const http::Response& response);

}  // namespace parallax::aws
