// The server's side of the wire protocols, driven by the service models: form and JSON in, XML and JSON out. Written
// for the simulator alone; the client has its own.
#pragma once

#include <string>
#include <string_view>

#include "aws/model/model.h"
#include "codec/json.h"

namespace parallax::sim {

// The fields of a form body as input of the operation, checked: UnknownParameter, MissingParameter,
// InvalidParameterValue. `Action` and `Version` are not parameters.
Result<Json> decode_form(const aws::ServiceModel& model, const aws::Operation& operation, std::string_view body);

// One field of a form, or "" (Action and Version, before the operation is known).
std::string form_field(std::string_view body, std::string_view name);

// A JSON body as input of the operation, checked: SerializationException, ValidationException.
Result<Json> decode_json(const aws::Operation& operation, std::string_view body);

// "<DescribeInstancesResponse ...": ec2 and query protocol.
std::string encode_xml(const aws::ServiceModel& model, const aws::Operation& operation, const Json& output,
                       std::string_view request_id);

// What the model does not know is left out.
std::string encode_json(const aws::Operation& operation, const Json& output);

std::string xml_escape(std::string_view text);

}  // namespace parallax::sim
