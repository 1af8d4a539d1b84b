// Requests with a JSON body, and the dispatch over all protocols.
#include <fmt/format.h>

#include "sim/cloud/operations.h"
#include "sim/cloud/wire.h"
#include "sim/cloud/wire_check.h"

namespace parallax::sim {

namespace {

using aws::Protocol;

constexpr JsonLimits kBodyLimits{32, 100'000, 1U << 20U};

Result<const aws::Operation*> find_by_action(const aws::ServiceModel& model, const http::Request& request) {
  const aws::Metadata& metadata = model.metadata();
  const std::string type = request.headers.get("Content-Type");
  if (!type.empty() && !type.starts_with("application/x-www-form-urlencoded")) {
    return client_error("MissingAction", "The request must contain the parameter Action");
  }
  const std::string action = form_field(request.body, "Action");
  if (action.empty()) {
    return client_error("MissingAction", "The request must contain the parameter Action");
  }
  const std::string version = form_field(request.body, "Version");
  if (version != metadata.api_version) {
    return metadata.protocol == Protocol::ec2
               ? client_error("NoSuchVersion", fmt::format("The requested version ({}) is not valid.", version))
               : client_error("InvalidAction",
                              fmt::format("Could not find operation {} for version {}", action, version));
  }
  const aws::Operation* operation = model.find_operation(action);
  if (operation == nullptr) {
    return unknown_operation(model, action);
  }
  return operation;
}

Result<const aws::Operation*> find_by_target(const aws::ServiceModel& model, const http::Request& request) {
  const std::string type = request.headers.get("Content-Type");
  const std::string target = request.headers.get("X-Amz-Target");
  const std::string prefix = model.metadata().target_prefix + ".";
  const bool json = type.empty() || type.starts_with("application/x-amz-json-1.");
  const aws::Operation* operation =
      json && target.starts_with(prefix) ? model.find_operation(target.substr(prefix.size())) : nullptr;
  return operation != nullptr ? Result<const aws::Operation*>(operation)
                              : Result<const aws::Operation*>(unknown_operation(model, ""));
}

}  // namespace

Error unknown_operation(const aws::ServiceModel& model, std::string_view name) {
  const aws::Metadata& metadata = model.metadata();
  switch (metadata.protocol) {
    case Protocol::ec2:
      return client_error("InvalidAction", fmt::format("The action {} is not valid for this web service.", name));
    case Protocol::query:
      return client_error("InvalidAction",
                          fmt::format("Could not find operation {} for version {}", name, metadata.api_version));
    case Protocol::rest_json:
      return service_error(404, "UnknownOperationException", "");
    case Protocol::json:
    case Protocol::other:
      break;
  }
  return client_error("UnknownOperationException", "");
}

Result<const aws::Operation*> find_requested(const aws::ServiceModel& model, const http::Request& request) {
  switch (model.metadata().protocol) {
    case Protocol::ec2:
    case Protocol::query:
      return find_by_action(model, request);
    case Protocol::json:
      return find_by_target(model, request);
    case Protocol::rest_json:
      if (const aws::Operation* operation = match_route(model, request.method, request.url)) {
        return operation;
      }
      break;
    case Protocol::other:
      break;
  }
  return unknown_operation(model, "");
}

Result<Json> decode_request(const aws::ServiceModel& model, const aws::Operation& operation,
                            const http::Request& request) {
  switch (model.metadata().protocol) {
    case Protocol::ec2:
    case Protocol::query:
      return decode_form(model, operation, request.body);
    case Protocol::json:
      return decode_json(operation, request.body);
    case Protocol::rest_json:
      return decode_rest(model, operation, request);
    case Protocol::other:
      break;
  }
  return unknown_operation(model, operation.name);
}

Result<Json> decode_json(const aws::Operation& operation, std::string_view body) {
  const Result<Json> parsed = parse_json(body.empty() ? "{}" : body, kBodyLimits);
  if (!parsed || !parsed->is_object()) {
    return client_error("SerializationException", "The body is not a JSON object.");
  }
  const Json given = without_nulls(*parsed);
  if (!operation.input) {
    return given.members()->empty()
               ? Result<Json>(given)
               : Result<Json>(client_error("ValidationException",
                                           fmt::format("Unknown member '{}' at ''", given.members()->begin()->first)));
  }
  TRY(check_json(*operation.input, given, ""));
  Json input = normalised(*operation.input, given);
  const std::vector<std::string> broken = broken_constraints(*operation.input, input);
  if (!broken.empty()) {
    return client_error("ValidationException", validation_message(broken));
  }
  return input;
}

}  // namespace parallax::sim
