// The server's side of the wire protocols, driven by the service models: forms, JSON and REST in; XML, JSON and REST
// out. Written for the simulator alone; the client has its own. Values are Json named as in the model: timestamps are
// epoch seconds (numbers), blobs base64 text, what is absent is not there.
#pragma once

#include <string>
#include <string_view>

#include "aws/model/model.h"
#include "codec/json.h"
#include "http/message.h"

namespace parallax::sim {

// ---- What came in
// ----------------------------------------------------------------------------------------------------

// The operation that a request names (Action and Version, X-Amz-Target, method and path). Errors as AWS words them:
// MissingAction, NoSuchVersion, InvalidAction, UnknownOperationException. The operation need not be simulated.
Result<const aws::Operation*> find_requested(const aws::ServiceModel& model, const http::Request& request);

// What AWS answers to an operation that a service does not have.
Error unknown_operation(const aws::ServiceModel& model, std::string_view name);

// The request's input by the model's protocol, checked: unknown, missing, ill-typed and out-of-range parameters are
// refused with the protocol's own code. Patterns of strings are not checked.
Result<Json> decode_request(const aws::ServiceModel& model, const aws::Operation& operation,
                            const http::Request& request);

// The fields of a form body (ec2 and query). UnknownParameter, MissingParameter, InvalidParameterValue for ec2,
// ValidationError and MalformedInput for query. `Action` and `Version` are not parameters.
Result<Json> decode_form(const aws::ServiceModel& model, const aws::Operation& operation, std::string_view body);

// One field of a form, or "" (Action and Version, before the operation is known).
std::string form_field(std::string_view body, std::string_view name);

// A JSON body: SerializationException, ValidationException.
Result<Json> decode_json(const aws::Operation& operation, std::string_view body);

// rest-json: the operation with that method and path ("/schedules/NAME?groupName=x"); nullptr where there is none. Of
// two templates that fit, the one with more fixed segments.
const aws::Operation* match_route(const aws::ServiceModel& model, std::string_view method, std::string_view target);

// rest-json: labels of the path, the query string, headers and the body. (A member that is the whole body does not
// occur in the services that are simulated.)
Result<Json> decode_rest(const aws::ServiceModel& model, const aws::Operation& operation, const http::Request& request);

// %41 and, in forms, + for a blank. Error: MalformedQueryString.
enum class PlusSign { blank, itself };
Result<std::string> percent_decode(std::string_view text, PlusSign plus);

// ---- What goes out
// ---------------------------------------------------------------------------------------------------

// Status 200 with the output by the model's protocol; what the model does not know is left out.
http::Response encode_answer(const aws::ServiceModel& model, const aws::Operation& operation, const Json& output,
                             const std::string& request_id);

// "<DescribeInstancesResponse ...": ec2 and query protocol.
std::string encode_xml(const aws::ServiceModel& model, const aws::Operation& operation, const Json& output,
                       std::string_view request_id);

std::string encode_json(const aws::Operation& operation, const Json& output);

// Headers and body; the request id is the caller's to add.
http::Response encode_rest_json(const aws::Operation& operation, const Json& output);

// The error document. A code that the model knows gets the code and status of the model ("NoSuchEntityException"
// becomes NoSuchEntity, 404); any other keeps `error.status` (0: 400).
http::Response encode_error(const aws::ServiceModel& model, const Error& error, const std::string& request_id);

std::string xml_escape(std::string_view text);

}  // namespace parallax::sim
