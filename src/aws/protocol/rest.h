// The protocol `rest-json` (scheduler, lambda, ...): the operation is a method and a path; members go into the path,
// the query string, headers or a JSON body, or one of them is the whole body.
#pragma once

#include "aws/protocol/protocol.h"

namespace parallax::aws {

// `path` has the query string. Error: invalid, for what a path or a header cannot carry (an empty part of a path, a
// line end in a header), with the member's name.
Result<WireRequest> serialize_rest(const ServiceModel& model, const Operation& operation, const Json& params);

// Members from headers, the status and the body. A blob that is the whole body comes as base64.
Result<Json> parse_rest_result(const Operation& operation, const http::Response& response);

}  // namespace parallax::aws
