#include "sim/cloud/refusal.h"

#include <string_view>
#include <utility>

#include "sim/cloud/operations.h"

namespace parallax::sim {

namespace {

using aws::Protocol;

struct Answer {
  int status;
  std::string_view code;
};

struct Wording {
  Answer ec2, query, json, rest;
};

Wording wording_of(Refusal why) {
  switch (why) {
    case Refusal::no_signature:
      return {{401, "AuthFailure"},
              {403, "MissingAuthenticationToken"},
              {400, "MissingAuthenticationTokenException"},
              {403, "MissingAuthenticationTokenException"}};
    case Refusal::incomplete_signature:
      return {{401, "AuthFailure"},
              {403, "IncompleteSignature"},
              {400, "IncompleteSignatureException"},
              {403, "IncompleteSignatureException"}};
    case Refusal::unknown_key:
    case Refusal::region:
      return {{401, "AuthFailure"},
              {403, "InvalidClientTokenId"},
              {400, "UnrecognizedClientException"},
              {403, "UnrecognizedClientException"}};
    case Refusal::wrong_signature:
      return {{401, "AuthFailure"},
              {403, "SignatureDoesNotMatch"},
              {400, "InvalidSignatureException"},
              {403, "InvalidSignatureException"}};
    case Refusal::clock:
      return {{400, "RequestExpired"},
              {403, "SignatureDoesNotMatch"},
              {400, "InvalidSignatureException"},
              {403, "InvalidSignatureException"}};
    case Refusal::token_expired:
      return {{400, "RequestExpired"},
              {403, "ExpiredToken"},
              {400, "ExpiredTokenException"},
              {403, "ExpiredTokenException"}};
    case Refusal::throttled:
      return {{503, "RequestLimitExceeded"},
              {400, "Throttling"},
              {400, "ThrottlingException"},
              {429, "ThrottlingException"}};
    case Refusal::internal:
      break;
  }
  return {
      {500, "InternalError"}, {500, "InternalFailure"}, {500, "InternalServerError"}, {500, "InternalServerException"}};
}

}  // namespace

Error refusal(Protocol protocol, Refusal why, std::string message) {
  const Wording wording = wording_of(why);
  const Answer answer = protocol == Protocol::ec2         ? wording.ec2
                        : protocol == Protocol::query     ? wording.query
                        : protocol == Protocol::rest_json ? wording.rest
                                                          : wording.json;
  if (answer.code == "AuthFailure") {
    message = "AWS was not able to validate the provided access credentials";
  } else if (why == Refusal::throttled) {
    message = protocol == Protocol::ec2 ? "Request limit exceeded." : "Rate exceeded";
  } else if (why == Refusal::internal) {
    message = "An internal error has occurred";
  }
  return service_error(answer.status, std::string(answer.code), std::move(message));
}

}  // namespace parallax::sim
