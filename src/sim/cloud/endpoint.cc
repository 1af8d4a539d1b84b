#include "sim/cloud/endpoint.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "aws/model/model.h"
#include "base/text.h"
#include "sim/cloud/iam_state.h"
#include "sim/cloud/operations.h"
#include "sim/cloud/refusal.h"
#include "sim/cloud/signature_check.h"
#include "sim/cloud/wire.h"

namespace parallax::sim {

namespace {

using aws::Protocol;

constexpr std::size_t kBodyBytesMax = 1U << 20U;
// Lines about operations that are lacking; a client that asks for thousands of names fills no log.
constexpr std::size_t kLackingMax = 1000;

using Alias = std::pair<std::string_view, std::string_view>;

// The services that may stand in a credential scope, by their signing names.
const aws::ServiceModel* model_of_scope(std::string_view signing_name) {
  static constexpr Alias kServices[] = {
      {"ec2", "ec2"}, {"iam", "iam"}, {"monitoring", "cloudwatch"}, {"pricing", "pricing"}, {"scheduler", "scheduler"},
      {"ssm", "ssm"}, {"sts", "sts"}};
  const auto* const found = std::ranges::find(kServices, signing_name, &Alias::first);
  return found == std::end(kServices) ? nullptr : aws::find_service(found->second);
}

// The service that a request speaks to, where no signature says it or it is none of ours.
const aws::ServiceModel& guess_model(const http::Request& request) {
  static constexpr Alias kVersions[] = {{"2010-05-08", "iam"}, {"2011-06-15", "sts"}, {"2010-08-01", "cloudwatch"}};
  std::string_view name = "ec2";
  if (const std::string* target = request.headers.find("X-Amz-Target")) {
    name = target->starts_with("AWSPriceListService.") ? "pricing" : "ssm";
  } else if (const std::string version = form_field(request.body, "Version"); !version.empty()) {
    const auto* const found = std::ranges::find(kVersions, version, &Alias::first);
    name = found == std::end(kVersions) ? "ec2" : found->second;
  } else if (request.url.starts_with("/schedule") || request.url.starts_with("/tags/")) {
    name = "scheduler";
  }
  const aws::ServiceModel* model = aws::find_service(name);
  return model == nullptr ? *aws::find_service("ec2") : *model;
}

// STS answers these two without a signature: their input is the proof.
bool needs_no_signature(const aws::ServiceModel& model, const http::Request& request) {
  const std::string action = form_field(request.body, "Action");
  return model.metadata().service == "sts" && (action == "AssumeRoleWithWebIdentity" || action == "AssumeRoleWithSAML");
}

// What a request asked for, for the log.
std::string asked(const aws::ServiceModel& model, const http::Request& request) {
  switch (model.metadata().protocol) {
    case Protocol::ec2:
    case Protocol::query:
      return form_field(request.body, "Action");
    case Protocol::json:
    case Protocol::other: {
      const std::string target = request.headers.get("X-Amz-Target");
      return target.substr(target.find('.') + 1);
    }
    case Protocol::rest_json:
      break;
  }
  return request.method + " " + request.url.substr(0, request.url.find('?'));
}

Refusal refusal_of(SignatureProblem problem) {
  switch (problem) {
    case SignatureProblem::missing:
      return Refusal::no_signature;
    case SignatureProblem::incomplete:
      return Refusal::incomplete_signature;
    case SignatureProblem::unknown_key:
      return Refusal::unknown_key;
    case SignatureProblem::expired:
    case SignatureProblem::early:
      return Refusal::clock;
    case SignatureProblem::token_expired:
      return Refusal::token_expired;
    case SignatureProblem::mismatch:
    case SignatureProblem::none:
      break;
  }
  return Refusal::wrong_signature;
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
    // Forms and JSON come by POST; only the services with paths use other methods.
    const aws::ServiceModel* model = model_of_scope(scope_of(head).service);
    if (model == nullptr || model->metadata().protocol != Protocol::rest_json) {
      admission.answer = refuse(405, "A simulated AWS endpoint: POST signed requests here.");
      admission.answer->headers.set("Allow", "POST");
    }
  }
  return admission;
}

http::Response CloudEndpoint::handle(const http::Request& request) {
  if (const Admission admission = admit(request); admission.answer) {
    return *admission.answer;
  }
  http::Pace pace = begin(request);
  for (;;) {
    if (pace.wait > Micros(0) && !clock_.sleep_for(pace.wait, stopping_.get_token())) {
      return refuse(503, "The simulated cloud is shutting down.");
    }
    if (!pace.next) {
      return std::move(pace.response);
    }
    pace = pace.next();
  }
}

http::Pace CloudEndpoint::begin(const http::Request& request) {
  const Micros way = cloud_.round_trip(scope_of(request).region) / 2;
  if (way <= Micros(0)) {
    return answer(request, way);
  }
  return {way, [this, &request, way] { return answer(request, way); }, {}};
}

http::Pace CloudEndpoint::send(http::Response response, Micros way) {
  if (response.status != kStatusConnectionCut) {
    response.headers.set("Date", to_http_date(clock_.now()));
  }
  return {way, nullptr, std::move(response)};
}

void CloudEndpoint::log_lacking(const std::string& what) {
  {
    const MutexLock lock(mutex_);
    if (lacking_.size() >= kLackingMax || !lacking_.insert(what).second) {
      return;
    }
  }
  if (options_.log) {
    options_.log(fmt::format("simulated cloud: {} is not simulated", terminal_safe(what, 200)));
  }
}

http::Pace CloudEndpoint::answer(const http::Request& request, Micros way) {
  const std::string request_id = cloud_.make_request_id();
  SignatureCheck check = check_signature(
      request, [this](std::string_view key_id) { return cloud_.find_signing_key(key_id); }, clock_.now());
  const aws::ServiceModel* known = model_of_scope(check.service);
  const aws::ServiceModel& model = known != nullptr ? *known : guess_model(request);
  const auto refused = [&](Refusal why, const std::string& message) {
    return send(encode_error(model, refusal(model.metadata().protocol, why, message), request_id), way);
  };
  if (check.problem == SignatureProblem::missing && needs_no_signature(model, request)) {
    check.region = "us-east-1";
  } else if (check.problem != SignatureProblem::none) {
    return refused(refusal_of(check.problem), check.message);
  } else if (known == nullptr) {
    log_lacking("the service " + check.service);
    return send(encode_error(model, service_error(404, "UnknownOperationException", "This service is not simulated."),
                             request_id),
                way);
  }
  if (!cloud_.region_enabled(check.region)) {
    return refused(Refusal::region, "The security token included in the request is invalid.");
  }
  const Result<const aws::Operation*> operation = find_requested(model, request);
  if (!operation) {
    if (const std::string& code = operation.error().code;
        code == "InvalidAction" || code == "UnknownOperationException") {
      log_lacking(model.metadata().service + ":" + asked(model, request));
    }
    return send(encode_error(model, operation.error(), request_id), way);
  }
  return carry_out(request, Asked{model, **operation, check.region, check.key_id, request_id, way});
}

http::Pace CloudEndpoint::carry_out(const http::Request& request, Asked asked) {
  const Call call{asked.region, asked.model.metadata().service, asked.operation.name};
  if (find_operation(call.service, call.operation) == nullptr) {
    log_lacking(call.service + ":" + call.operation);
    return send(encode_error(asked.model, unknown_operation(asked.model, call.operation), asked.request_id), asked.way);
  }
  Result<Json> input = decode_request(asked.model, asked.operation, request);
  if (!input) {
    return send(encode_error(asked.model, input.error(), asked.request_id), asked.way);
  }
  const Fault fault = cloud_.draw_fault(call);
  if (fault.delay <= Micros(0)) {
    return finish(asked, call, *input, fault.kind);
  }
  return {fault.delay,
          [this, asked = std::move(asked), call, input = std::move(*input), kind = fault.kind] {
            return finish(asked, call, input, kind);
          },
          {}};
}

http::Pace CloudEndpoint::finish(const Asked& asked, const Call& call, const Json& input, FaultKind fault) {
  const Protocol protocol = asked.model.metadata().protocol;
  const auto error = [&](const Error& what) {
    cloud_.tell(call, what.status, what.code);
    return send(encode_error(asked.model, what, asked.request_id), asked.way);
  };
  switch (fault) {
    case FaultKind::request_lost:
      cloud_.tell(call, 0, "request lost");
      return send({}, asked.way);
    case FaultKind::bare_server_error:
      cloud_.tell(call, 503, "");
      return send(refuse(503, "<html><body>Service Unavailable</body></html>"), asked.way);
    case FaultKind::throttle:
      return error(refusal(protocol, Refusal::throttled, ""));
    case FaultKind::server_error:
      return error(refusal(protocol, Refusal::internal, ""));
    default:  // answer_lost comes below; the others strike elsewhere
      break;
  }
  if (!cloud_.take_token(call, input)) {
    return error(refusal(protocol, Refusal::throttled, ""));
  }
  const std::optional<AccessKey> key = cloud_.access_key(asked.key_id);
  if (!key && !asked.key_id.empty()) {  // deleted while the request was on its way
    return error(refusal(protocol, Refusal::unknown_key, "The security token included in the request is invalid."));
  }
  const Result<Json> output = cloud_.call(call, input, key ? &key->who : nullptr);
  if (fault == FaultKind::answer_lost) {
    cloud_.tell(call, 0, "answer lost");
    return send({}, asked.way);
  }
  if (!output) {
    return error(output.error());
  }
  cloud_.tell(call, 200, "");
  return send(encode_answer(asked.model, asked.operation, *output, asked.request_id), asked.way);
}

}  // namespace parallax::sim
