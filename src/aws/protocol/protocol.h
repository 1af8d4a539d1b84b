// From parameters to a request and from a response to a result, by the protocol that the service model names. Pure: no
// clock, no network. Values are Json on our side whatever the wire says:
//   timestamps  ISO 8601 text (requests also take seconds since 1970); blobs  base64 text; documents
//   and `jsonvalue` headers  any JSON; null  absent.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/model/model.h"
#include "http/message.h"

namespace parallax::aws {

// What an operation says, before host, date and signature.
struct WireRequest {
  std::string method = "POST";
  std::string path = "/";                                    // with the query string, if there is one
  std::string host_prefix;                                   // goes before the endpoint's host; mostly empty
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Type, X-Amz-Target, ...
  std::string body;
};

// `params` must have passed validate(). Error: invalid for a protocol that we do not speak, a stream of events, and
// values that a path, a header or a host's name cannot carry.
Result<WireRequest> serialize(const ServiceModel& model, const Operation& operation, const Json& params);

// The result of a response with a status below 300; an object, empty where the operation answers nothing. Members that
// the model does not know are left out. Error: corrupt (code "bad-answer") or refused (our limits).
Result<Json> parse_result(const ServiceModel& model, const Operation& operation, const http::Response& response);

// The error that a response with another status means: kind, code, status, request id, retry-after. Reads whatever
// there is; a body that is no error document (a proxy's page, nothing at all) is judged by its status.
Error parse_error(const ServiceModel& model, const http::Response& response);

}  // namespace parallax::aws
