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

constexpr std::array<std::string_view, 9> kTransient{
    "InternalError",  "InternalFailure",         "InternalServerError",   "Unavailable",        "ServiceUnavailable",
    "RequestTimeout", "RequestTimeoutException", "IDPCommunicationError", "ConcurrentTagAccess"};

// AWS has no machine, disk or address of the kind to give. Some come as a 5xx, which says nothing about when to ask
// again: it is minutes, not seconds.
constexpr std::array<std::string_view, 12> kCapacity{"InsufficientInstanceCapacity",
                                                     "InsufficientHostCapacity",
                                                     "InsufficientReservedInstanceCapacity",
                                                     "InsufficientInstanceCapacityException",
                                                     "InsufficientCapacity",
                                                     "InsufficientCapacityException",
                                                     "InsufficientCapacityOnHost",
                                                     "InsufficientCapacityOnOutpost",
                                                     "InsufficientVolumeCapacity",
                                                     "InsufficientAddressCapacity",
                                                     "ReservationCapacityExceeded",
                                                     "UnfulfillableCapacity"};

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
  if (contains(kTransient, code)) {
    return ErrorKind::unavailable;
  }
  if (is_capacity(code)) {
    // A full reservation is the account's own state, not the cloud's.
    return code.starts_with("Insufficient") ? ErrorKind::unavailable : ErrorKind::conflict;
  }
  if (means_not_found(code)) {
    return ErrorKind::not_found;
  }
  if (means_conflict(code)) {
    return ErrorKind::conflict;
  }
  return kind_of_status(status);
}

bool is_capacity(std::string_view code) {
  return contains(kCapacity, code);
}

bool is_transient(std::string_view code) {
  return contains(kTransient, code);
}

bool is_expired_token(std::string_view code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException" || code == "RequestExpired";
}

std::string_view advice_on(std::string_view code) {
  if (is_capacity(code)) {
    return "AWS has no room for this now and asking again at once does not help: try again in some minutes, in another "
           "availability zone or with another instance type";
  }
  if (code == "ExpiredToken" || code == "ExpiredTokenException") {
    return "the temporary credentials have expired: renew them";
  }
  return {};
}

bool may_be_clock_skew(std::string_view code) {
  constexpr std::array<std::string_view, 7> kCodes{
      "AuthFailure",          "InvalidSignatureException", "RequestExpired",       "RequestInTheFuture",
      "RequestTimeTooSkewed", "SignatureDoesNotMatch",     "AccessDeniedException"};
  return contains(kCodes, code);
}

}  // namespace parallax::aws
