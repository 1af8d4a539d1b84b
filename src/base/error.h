// Errors are values: Result<T> holds a T or an Error. Exceptions come only from libraries and are converted where the
// library is wrapped.
//
//   Result<Page> read_page(std::string_view name) {
//     const std::string text = TRY(files.read(name, limits::kPageBytesMax));
//     return parse_page(text);
//   }
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"

namespace parallax {

// Named by what a caller does about it.
enum class ErrorKind {
  invalid,      // input or configuration is wrong: tell the user, do not retry
  denied,       // credentials or permissions
  not_found,    // the thing does not exist (and only that)
  conflict,     // the world is in another state than the call needs
  throttled,    // slow down, then try again
  timeout,      // no answer within the limit; the effect is unknown
  unavailable,  // the other side cannot answer now: connection refused, 5xx
  corrupt,      // what was read is damaged
  refused,      // one of our own limits
  cancelled,    // somebody asked us to stop
  internal,     // a defect of ours or of a library
};

std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;               // a sentence for a person: where, what, with which values, what to do
  std::vector<std::string> context;  // outermost last: "reading fleet.toml", "calling ec2:RunInstances in eu-west-3"

  // Set where the error came from a service; empty or zero otherwise.
  int status = 0;           // HTTP status
  std::string code;         // the service's own code ("RequestLimitExceeded") or ours ("tls-expired")
  std::string request_id;   // the service's
  long retry_after_ms = 0;  // what the server asked for

  // "message (calling X; for Y)".
  std::string text() const;
};

inline Error make_error(ErrorKind kind, std::string message) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  return error;
}

// What Result<> holds on success.
struct Unit {};

template <typename T = Unit>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // NOLINTNEXTLINE(google-explicit-constructor): `return value;`
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}

  // NOLINTNEXTLINE(google-explicit-constructor): `return error;`
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  Result() requires std::is_same_v<T, Unit> : state_(std::in_place_index<0>) {}

  bool has_value() const { return state_.index() == 0; }

  explicit operator bool() const { return has_value(); }

  T& value() & {
    CHECK(has_value(), std::get<1>(state_).message);
    return std::get<0>(state_);
  }

  const T& value() const& {
    CHECK(has_value(), std::get<1>(state_).message);
    return std::get<0>(state_);
  }

  T&& value() && {
    CHECK(has_value(), std::get<1>(state_).message);
    return std::get<0>(std::move(state_));
  }

  T value_or(T other) const& { return has_value() ? std::get<0>(state_) : std::move(other); }

  const Error& error() const& {
    CHECK(!has_value(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }

  Error&& error() && {
    CHECK(!has_value(), "error() of a Result that holds a value");
    return std::get<1>(std::move(state_));
  }

  T& operator*() & { return value(); }

  const T& operator*() const& { return value(); }

  T* operator->() { return &value(); }

  const T* operator->() const { return &value(); }

  // Adds one line of context if this is an error. At boundaries, not at each step.
  Result with_context(std::string line) && {
    if (!has_value()) {
      std::get<1>(state_).context.push_back(std::move(line));
    }
    return std::move(*this);
  }

 private:
  std::variant<T, Error> state_;
};

// Drops an error on purpose; `reason` says why that is right.
template <typename T>
void ignore(const Result<T>& /*result*/, std::string_view /*reason*/) {}

}  // namespace parallax

// The value of a Result expression, or return its error upwards (a GNU statement expression).
#define TRY(...)                                     \
  __extension__({                                    \
    auto&& parallax_try_result = (__VA_ARGS__);      \
    if (!parallax_try_result.has_value()) {          \
      return std::move(parallax_try_result).error(); \
    }                                                \
    std::move(parallax_try_result).value();          \
  })
