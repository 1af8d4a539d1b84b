#include "fleet/delivery.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::fleet {

// delivery.sh, embedded.
extern const std::string_view kDeliveryScript;

namespace {

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kUrlMax = 2000;
constexpr std::size_t kSumLength = 64;
constexpr std::uint64_t kBytesMax = std::uint64_t{4} << 30U;
constexpr std::size_t kProblemMax = 600;

bool all_of(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<> check_bundle(const Bundle& bundle) {
  if (bundle.build.empty() || bundle.build.size() > kNameMax || !all_of(bundle.build, "._+-") ||
      bundle.build.starts_with('.')) {
    return make_error(ErrorKind::invalid, fmt::format("'{}' is no build", terminal_safe(bundle.build, kNameMax)));
  }
  if (bundle.sha256.size() != kSumLength || !all_of(bundle.sha256, "")) {
    return make_error(ErrorKind::invalid,
                      fmt::format("'{}' is no SHA-256 in hex", terminal_safe(bundle.sha256, kNameMax)));
  }
  // What a URL is made of, less what means something between double quotes in sh.
  if (bundle.url.empty() || bundle.url.size() > kUrlMax || !all_of(bundle.url, "-._~:/?#[]@!&()*+,;=%")) {
    return make_error(ErrorKind::invalid, fmt::format("'{}' is no URL", terminal_safe(bundle.url, kNameMax)));
  }
  if (bundle.bytes == 0 || bundle.bytes > kBytesMax || bundle.unpacked_bytes > kBytesMax) {
    return make_error(ErrorKind::invalid, fmt::format("a bundle of {} bytes", bundle.bytes));
  }
  return {};
}

std::string delivery_lines(const Bundle& bundle) {
  // The archive and what is in it lie side by side for a moment.
  const std::uint64_t needed_kb = (bundle.bytes + bundle.unpacked_bytes) / 1024 + 1024;
  return fmt::format("build='{}'\nsha256='{}'\nurl='{}'\nbytes={}\nneeded_kb={}\n{}", bundle.build, bundle.sha256,
                     bundle.url, bundle.bytes, needed_kb, kDeliveryScript);
}

std::optional<std::string> delivery_problem(int exit_code, std::string_view error_output) {
  if (exit_code < kNoFetchToolExitCode || exit_code > kUnusableExitCode) {
    return std::nullopt;
  }
  // The job may use these codes itself: only the script's own word tells.
  const std::size_t mark = error_output.rfind(kDeliveryMark);
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view line = error_output.substr(mark + kDeliveryMark.size());
  line = line.substr(0, line.find('\n'));
  return fmt::format("the program could not be had, so nothing was run: {}", terminal_safe(line, kProblemMax));
}

}  // namespace parallax::fleet
