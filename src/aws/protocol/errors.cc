#include "aws/protocol/errors.h"

#include <algorithm>
#include <array>

namespace parallax::aws {

namespace {

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

constexpr std::array<std::string_view, 14> kThrottled{"Throttling",
                                                      "ThrottlingException",
                                                      "ThrottledException",
                                                      "RequestThrottledException",
                                                      "RequestThrottled",
                                                      "TooManyRequestsException",
                                                      "ProvisionedThroughputExceededException",
                                                      "TransactionInProgressException",
                                                      "RequestLimitExceeded",
                                                      "BandwidthLimitExceeded",
                                                      "LimitExceededException",
                                                      "SlowDown",
                                                      "PriorRequestNotComplete",
                                                      "EC2ThrottledException"};

constexpr std::array<std::string_view, 18> kDenied{
    "AccessDenied",        "AccessDeniedException",      "UnauthorizedOperation",
    "AuthFailure",         "SignatureDoesNotMatch",      "InvalidSignatureException",
    "IncompleteSignature", "InvalidClientTokenId",       "UnrecognizedClientException",
    "ExpiredToken",        "ExpiredTokenException",      "RequestExpired",
    "RequestInTheFuture",  "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "OptInRequired",       "PendingVerification",        "Blocked"};

// Quotas count as conflicts: the account is in another state than the call needs, and trying again does not help.
constexpr std::array<std::string_view, 13> kConflict{"IncorrectInstanceState",
                                                     "IncorrectState",
                                                     "InvalidAMIID.Unavailable",
                                                     "IdempotentParameterMismatch",
                                                     "IdempotentInstanceTerminated",
                                                     "EntityAlreadyExists",
                                                     "DeleteConflict",
                                                     "DependencyViolation",
                                                     "ConcurrentModification",
                                                     "CannotDelete",
                                                     "InvalidInstanceId",  // SSM: not registered, not running (yet)
                                                     "LimitExceeded",
                                                     "DryRunOperation"};

constexpr std::array<std::string_view, 10> kUnavailable{"InternalError",           "InternalFailure",
                                                        "InternalServerError",     "Unavailable",
                                                        "ServiceUnavailable",      "RequestTimeout",
                                                        "RequestTimeoutException", "IDPCommunicationError",
                                                        "ConcurrentTagAccess",     "InsufficientInstanceCapacity"};

bool means_not_found(std::string_view code) {
  return code.ends_with("NotFound") || code.ends_with("NotFoundException") || code.ends_with("DoesNotExist") ||
         code.starts_with("NoSuch");
}

bool means_conflict(std::string_view code) {
  return code.ends_with(".Duplicate") || code.ends_with(".InUse") || code.ends_with("AlreadyExists") ||
         code.ends_with("AlreadyExistsException") || code.ends_with("LimitExceeded") || contains(kConflict, code);
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::denied;
    case 404:
      return ErrorKind::not_found;
    case 408:
      return ErrorKind::unavailable;
    case 409:
      return ErrorKind::conflict;
    case 429:
      return ErrorKind::throttled;
    default:
      // A redirect is none of these services' answers: something else stands between.
      return status >= 500 || status < 400 ? ErrorKind::unavailable : ErrorKind::invalid;
  }
}

}  // namespace

ErrorKind kind_of(std::string_view code, int status) {
  if (contains(kThrottled, code)) {
    return ErrorKind::throttled;
  }
  if (contains(kDenied, code)) {
    return ErrorKind::denied;
  }
  if (contains(kUnavailable, code)) {
    return ErrorKind::unavailable;
  }
  if (means_not_found(code)) {
    return ErrorKind::not_found;
  }
  if (means_conflict(code)) {
    return ErrorKind::conflict;
  }
  return kind_of_status(status);
}

bool may_be_clock_skew(std::string_view code) {
  constexpr std::array<std::string_view, 7> kCodes{
      "AuthFailure",          "InvalidSignatureException", "RequestExpired",       "RequestInTheFuture",
      "RequestTimeTooSkewed", "SignatureDoesNotMatch",     "AccessDeniedException"};
  return contains(kCodes, code);
}

}  // namespace parallax::aws
