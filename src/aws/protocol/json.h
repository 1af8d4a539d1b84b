// The protocol `json` (SSM, pricing): JSON both ways, the operation in X-Amz-Target; and the JSON bodies of
// `rest-json`.
#pragma once

#include "aws/protocol/protocol.h"
#include "aws/protocol/query.h"

namespace parallax::aws {

WireRequest serialize_json(const ServiceModel& model, const Operation& operation, const Json& params);

// An empty body means an empty result.
Result<Json> parse_json_result(const Operation& operation, std::string_view body);

// The code comes from X-Amzn-Query-Error or X-Amzn-Errortype, else from the body (json: `__type` before `code`,
// rest-json the other way round); the request id from X-Amzn-Requestid.
WireError read_json_error(const http::Response& response, bool rest = false);

// Values as a JSON body has them. Members that belong elsewhere (Member::location) are left out.
Json write_json_structure(const Shape& shape, const Json& value);
Json write_json_member(const Member& member, const Json& value);

// The other way. Error: corrupt, code "bad-answer".
Result<Json> read_json_structure(const Shape& shape, const Json& value);
Result<Json> read_json_member(const Member& member, const Json& value);

}  // namespace parallax::aws
