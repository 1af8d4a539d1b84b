#include "sim/cloud/endpoint.h"

#include <fmt/format.h>

#include "aws/model/model.h"
#include "base/text.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/signature_check.h"
#include "sim/cloud/wire.h"

namespace parallax::sim {

namespace {

using aws::Protocol;

constexpr std::size_t kBodyBytesMax = 1U << 20U;
constexpr std::string_view kBadCredentials = "AWS was not able to validate the provided access credentials";

http::Response make_response(int status, std::string content_type, std::string body, const std::string& request_id) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", std::move(content_type));
  response.headers.set("x-amzn-RequestId", request_id);
  response.body = std::move(body);
  return response;
}

Protocol protocol_of(const std::string& service) {
  if (service == "ec2") {
    return Protocol::ec2;
  }
  return service == "sts" || service == "iam" ? Protocol::query : Protocol::json;
}

http::Response error_response(const std::string& service, const Error& error, const std::string& request_id) {
  const Protocol protocol = protocol_of(service);
  const int status = error.status == 0 ? 400 : error.status;
  if (protocol == Protocol::ec2) {
    return make_response(
        status, "text/xml;charset=UTF-8",
        fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code>"
                    "<Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>",
                    xml_escape(error.code), xml_escape(error.message), request_id),
        request_id);
  }
  if (protocol == Protocol::query) {
    return make_response(
        status, "text/xml",
        fmt::format("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{}"
                    "</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{}</RequestId>"
                    "</ErrorResponse>",
                    status >= 500 ? "Receiver" : "Sender", xml_escape(error.code), xml_escape(error.message),
                    request_id),
        request_id);
  }
  const aws::ServiceModel* model = aws::find_service(service);
  const aws::Shape* shape = model == nullptr ? nullptr : model->find_shape(error.code);
  const bool capital = shape != nullptr && shape->find_member("Message") != nullptr;
  Json body = Json::object({{"__type", error.code}});
  if (!error.message.empty()) {
    body.set(capital ? "Message" : "message", error.message);
  }
  return make_response(status, "application/x-amz-json-1.1", body.dump(), request_id);
}

Error by_protocol(const std::string& service, std::pair<int, std::string_view> ec2,
                  std::pair<int, std::string_view> query, std::pair<int, std::string_view> json, std::string message) {
  const Protocol protocol = protocol_of(service);
  const auto& [status, code] = protocol == Protocol::ec2 ? ec2 : protocol == Protocol::query ? query : json;
  if (code == "AuthFailure") {
    message = kBadCredentials;
  }
  return service_error(status, std::string(code), std::move(message));
}

Error signature_error(const SignatureCheck& check, const std::string& service) {
  switch (check.problem) {
    case SignatureProblem::missing:
      return by_protocol(service, {401, "AuthFailure"}, {403, "MissingAuthenticationToken"},
                         {400, "MissingAuthenticationTokenException"}, check.message);
    case SignatureProblem::incomplete:
      return by_protocol(service, {401, "AuthFailure"}, {403, "IncompleteSignature"},
                         {400, "IncompleteSignatureException"}, check.message);
    case SignatureProblem::unknown_key:
      return by_protocol(service, {401, "AuthFailure"}, {403, "InvalidClientTokenId"},
                         {400, "UnrecognizedClientException"}, check.message);
    case SignatureProblem::expired:
    case SignatureProblem::early:
      return by_protocol(service, {400, "RequestExpired"}, {403, "SignatureDoesNotMatch"},
                         {400, "InvalidSignatureException"}, check.message);
    case SignatureProblem::mismatch:
    case SignatureProblem::none:
      break;
  }
  return by_protocol(service, {401, "AuthFailure"}, {403, "SignatureDoesNotMatch"}, {400, "InvalidSignatureException"},
                     check.message);
}

// Which service an unsigned request means.
std::string guess_service(const http::Request& request) {
  if (request.headers.find("X-Amz-Target") != nullptr) {
    return "ssm";
  }
  return form_field(request.body, "Version") == "2011-06-15" ? "sts" : "ec2";
}

bool is_loopback_host(std::string host) {
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  host = to_lower(host);
  return host == "localhost" || host == "::1" || host == "127.0.0.1";
}

Error unknown_operation(const std::string& service, const std::string& operation) {
  if (protocol_of(service) == Protocol::json) {
    return client_error("UnknownOperationException", "");
  }
  return client_error("InvalidAction", fmt::format("The action {} is not valid for this web service.", operation));
}

// The operation's name, where the protocol keeps it.
Result<std::string> operation_name(const http::Request& request, const aws::ServiceModel& model) {
  const aws::Metadata& metadata = model.metadata();
  if (metadata.protocol == Protocol::json) {
    const std::string target = request.headers.get("X-Amz-Target");
    const std::string prefix = metadata.target_prefix + ".";
    return target.starts_with(prefix) ? Result<std::string>(target.substr(prefix.size()))
                                      : Result<std::string>(client_error("UnknownOperationException", ""));
  }
  const std::string action = form_field(request.body, "Action");
  if (action.empty()) {
    return client_error("MissingAction", "The request must contain the parameter Action");
  }
  const std::string version = form_field(request.body, "Version");
  if (version != metadata.api_version) {
    return client_error(metadata.protocol == Protocol::ec2 ? "NoSuchVersion" : "InvalidAction",
                        fmt::format("The requested version ({}) is not valid.", version));
  }
  return action;
}

Error fault_error(const std::string& service, FaultKind kind) {
  if (kind == FaultKind::throttle) {
    return by_protocol(service, {503, "RequestLimitExceeded"}, {400, "Throttling"}, {400, "ThrottlingException"},
                       service == "ec2" ? "Request limit exceeded." : "Rate exceeded");
  }
  return by_protocol(service, {500, "InternalError"}, {500, "InternalFailure"}, {500, "InternalServerError"},
                     "An internal error has occurred");
}

http::Response refuse(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text) + "\n";
  return response;
}

}  // namespace

CloudEndpoint::CloudEndpoint(Cloud& cloud, Clock& clock, EndpointOptions options)
    : cloud_(cloud), clock_(clock), options_(std::move(options)) {}

CloudEndpoint::~CloudEndpoint() {
  stopping_.request_stop();
}

http::Service::Admission CloudEndpoint::admit(const http::Request& head) {
  Admission admission;
  admission.body_bytes_max = kBodyBytesMax;
  if (head.headers.find("Origin") != nullptr) {
    admission.answer = refuse(403, "This simulated cloud does not answer web pages.");
  } else if (options_.loopback_hosts_only && !is_loopback_host(head.headers.get("Host"))) {
    admission.answer = refuse(403, "This simulated cloud executes commands and answers for loopback names only.");
  } else if (head.method != "POST") {
    admission.answer = refuse(405, "A simulated AWS endpoint: POST signed requests of ec2, ssm and sts here.");
    admission.answer->headers.set("Allow", "POST");
  }
  return admission;
}

http::Response CloudEndpoint::handle(const http::Request& request) {
  if (const Admission admission = admit(request); admission.answer) {
    return *admission.answer;
  }
  http::Response response = answer(request, cloud_.make_request_id());
  if (response.status != kStatusConnectionCut) {
    response.headers.set("Date", to_http_date(clock_.now()));
  }
  return response;
}

http::Response CloudEndpoint::answer(const http::Request& request, const std::string& request_id) {
  const SignatureCheck check = check_signature(request, kSimulatedAccessKey, kSimulatedSecret, clock_.now());
  const std::string service = check.service.empty() ? guess_service(request) : check.service;
  if (check.problem != SignatureProblem::none) {
    return error_response(service, signature_error(check, service), request_id);
  }
  if (!cloud_.region_enabled(check.region)) {
    return error_response(
        service,
        by_protocol(service, {401, "AuthFailure"}, {403, "InvalidClientTokenId"}, {400, "UnrecognizedClientException"},
                    "The security token included in the request is invalid."),
        request_id);
  }
  const aws::ServiceModel* model = aws::find_service(service);
  if (model == nullptr) {
    if (options_.log) {
      options_.log(fmt::format("simulated cloud: service {} is not simulated", terminal_safe(service)));
    }
    return error_response(service, service_error(404, "UnknownOperationException", "This service is not simulated."),
                          request_id);
  }
  const Result<std::string> operation = operation_name(request, *model);
  if (!operation) {
    return error_response(service, operation.error(), request_id);
  }
  return carry_out(request, Call{check.region, service, *operation}, request_id);
}

http::Response CloudEndpoint::carry_out(const http::Request& request, const Call& call, const std::string& request_id) {
  const aws::ServiceModel& model = *aws::find_service(call.service);
  const aws::Operation* operation = model.find_operation(call.operation);
  if (operation == nullptr || find_operation(call.service, call.operation) == nullptr) {
    if (options_.log) {
      options_.log(fmt::format("simulated cloud: {}:{} is not simulated", terminal_safe(call.service),
                               terminal_safe(call.operation)));
    }
    return error_response(call.service, unknown_operation(call.service, call.operation), request_id);
  }
  const bool json = model.metadata().protocol == Protocol::json;
  const Result<Json> input =
      json ? decode_json(*operation, request.body) : decode_form(model, *operation, request.body);
  if (!input) {
    return error_response(call.service, input.error(), request_id);
  }
  const Fault fault = cloud_.draw_fault(call);
  if (fault.delay > Micros(0) && !clock_.sleep_for(fault.delay, stopping_.get_token())) {
    return refuse(503, "The simulated cloud is shutting down.");
  }
  if (fault.kind == FaultKind::request_lost) {
    return {};
  }
  if (fault.kind == FaultKind::bare_server_error) {
    return refuse(503, "<html><body>Service Unavailable</body></html>");
  }
  if (fault.kind == FaultKind::throttle || fault.kind == FaultKind::server_error) {
    return error_response(call.service, fault_error(call.service, fault.kind), request_id);
  }
  if (!cloud_.take_token(call, *input)) {
    return error_response(call.service, fault_error(call.service, FaultKind::throttle), request_id);
  }
  const Result<Json> output = cloud_.call(call, *input);
  if (fault.kind == FaultKind::answer_lost) {
    return {};
  }
  if (!output) {
    return error_response(call.service, output.error(), request_id);
  }
  return json ? make_response(200, "application/x-amz-json-1.1", encode_json(*operation, *output), request_id)
              : make_response(200, "text/xml;charset=UTF-8", encode_xml(model, *operation, *output, request_id),
                              request_id);
}

}  // namespace parallax::sim
