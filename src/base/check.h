// CHECK(condition, values...) is on in every build and aborts with the values: for broken invariants of ours, never for
// input, network or configuration.
#pragma once

#include <string>
#include <string_view>

namespace parallax::detail {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view detail);

inline std::string check_text() {
  return {};
}

inline std::string check_text(std::string_view text) {
  return std::string(text);
}

template <typename T>

requires requires(T value) {
  std::to_string(value);
}

std::string check_text(T value) {
  return std::to_string(value);
}

}  // namespace parallax::detail

#define CHECK(condition, ...)                                                                                        \
  do {                                                                                                               \
    if (!(condition)) [[unlikely]] {                                                                                 \
      ::parallax::detail::check_failed(__FILE__, __LINE__, #condition, ::parallax::detail::check_text(__VA_ARGS__)); \
    }                                                                                                                \
  } while (false)
