#include "http/curl_error.h"

#include <cerrno>

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include "base/text.h"

namespace parallax::http {

namespace {

struct Outcome {
  ErrorKind kind;
  std::string_view code;
  std::string_view what;
};

Outcome own_outcome(OwnLimit own) {
  switch (own) {
    case OwnLimit::body_too_large:
      return {ErrorKind::refused, "body-too-large", "the body is larger than our limit"};
    case OwnLimit::headers_too_large:
      return {ErrorKind::refused, "headers-too-large", "the header fields are larger than our limit"};
    case OwnLimit::body_refused:
      return {ErrorKind::refused, "body-refused", "the reader of the body wanted no more of it"};
    case OwnLimit::cancelled:
      return {ErrorKind::cancelled, "cancelled", "cancelled"};
    case OwnLimit::idle:
      return {ErrorKind::timeout, "idle", "no byte came for longer than our limit"};
    case OwnLimit::resent:
      return {ErrorKind::unavailable, "connection-reset", "the kept-alive connection was closed without an answer"};
    case OwnLimit::none:
    case OwnLimit::timeout:
      break;
  }
  return {ErrorKind::timeout, "timeout", "not done within our limit"};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Outcome receive_outcome(const CurlFailure& failure) {
  if (contains(failure.detail, "chunk")) {
    return {ErrorKind::corrupt, "bad-chunk", "the chunked body is malformed"};
  }
  // OpenSSL's words for a TLS connection that ended without its closing message: somebody cut it.
  if (contains(failure.detail, "unexpected eof") && failure.phase == Phase::transfer) {
    return {ErrorKind::corrupt, "cut", "the body ended early"};
  }
  return {ErrorKind::unavailable, "connection-reset", "the connection was lost"};
}

Outcome certificate_outcome(long verify_result) {
  if (verify_result == X509_V_ERR_CERT_HAS_EXPIRED) {
    return {ErrorKind::denied, "tls-expired", "the server's certificate has expired"};
  }
  return {ErrorKind::denied, "tls-certificate", "the server's certificate is not trusted for this name"};
}

Outcome connect_outcome(const CurlFailure& failure) {
  if (failure.address_refused) {
    return {ErrorKind::refused, "address-refused", "the name leads to an address that is not public"};
  }
  if (failure.os_error == ECONNREFUSED) {
    return {ErrorKind::unavailable, "connect-refused", "the connection was refused"};
  }
  return {ErrorKind::unavailable, "connect-failed", "no connection could be made"};
}

Outcome curl_outcome(const CurlFailure& failure) {
  switch (failure.curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorKind::unavailable, "resolve-failed", "the name could not be resolved"};
    case CURLE_COULDNT_CONNECT:
      return connect_outcome(failure);
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorKind::unavailable, "tls-failed", "the TLS handshake failed"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_outcome(failure.verify_result);
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::invalid, "tls-failed", "the file of trusted certificates cannot be read"};
    case CURLE_PARTIAL_FILE:
      return {ErrorKind::corrupt, "cut", "the body ended early"};
    case CURLE_GOT_NOTHING:
      return {ErrorKind::unavailable, "connection-reset", "the connection was closed without an answer"};
    case CURLE_RECV_ERROR:
      return receive_outcome(failure);
    case CURLE_SEND_ERROR:
      return {ErrorKind::unavailable, "connection-reset", "the connection was lost while sending"};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return {ErrorKind::corrupt, "http-malformed", "the answer is not HTTP"};
    case CURLE_OUT_OF_MEMORY:
      // A single header line above libcurl's own 100 kB ends so too.
      return failure.phase == Phase::transfer ? own_outcome(OwnLimit::headers_too_large)
                                              : Outcome{ErrorKind::internal, "internal", "out of memory"};
    case CURLE_OPERATION_TIMEDOUT:
      return own_outcome(OwnLimit::timeout);
    case CURLE_URL_MALFORMAT:
      return {ErrorKind::invalid, "bad-url", "the URL is not accepted"};
    default:
      return {ErrorKind::internal, "internal", "libcurl failed"};
  }
}

}  // namespace

Error describe_failure(const CurlFailure& failure, const SendOptions& options) {
  const Outcome outcome = failure.own == OwnLimit::none ? curl_outcome(failure) : own_outcome(failure.own);
  std::string text = fmt::format("{}: {}", failure.authority, outcome.what);
  if (outcome.code == "timeout") {
    text += fmt::format(" of {} (in phase {})", to_human(failure.limit), to_string(failure.phase));
  } else if (outcome.code == "idle") {
    text += fmt::format(" of {}", to_human(options.limits.idle));
  } else if (outcome.code == "body-too-large") {
    text += fmt::format(" of {} bytes", options.body_bytes_max);
  } else if (outcome.code == "headers-too-large") {
    text += fmt::format(" of {} bytes", options.header_bytes_max);
  } else if (failure.own == OwnLimit::none && !failure.detail.empty()) {
    text += fmt::format(" ({})", terminal_safe(failure.detail, 300));
  }
  Error error = make_error(outcome.kind, std::move(text));
  error.code = outcome.code;
  return error;
}

}  // namespace parallax::http
