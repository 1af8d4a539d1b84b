#include "cli/saved_results.h"

#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/writers/servicemon_csv.h"

namespace parallax::cli {

Option save_results_option() {
  return Option{"--save-results", OptionKind::value, "DIR",
                "keep the body of each answer as a file: DIR/NAME/NAME_type[-mode]_RA_DEC_SR.xml"};
}

std::string safe_file_name(std::string_view text) {
  constexpr std::size_t kLengthMax = 150;
  std::string name;
  for (const char c : text.substr(0, kLengthMax)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '+' || c == '_' || (c == '.' && !name.empty());
    name += plain ? c : '_';
  }
  return name.empty() ? "_" : name;
}

Result<std::unique_ptr<SavedResults>> SavedResults::open(const Arguments& arguments, World& world) {
  const std::optional<std::string> directory = arguments.value("--save-results");
  if (!directory) {
    return std::unique_ptr<SavedResults>();
  }
  if (directory->empty()) {
    return make_error(ErrorKind::invalid, "--save-results: the name of a directory is missing");
  }
  if (const Result<> made = world.files.make_directories(*directory, 0755); !made) {
    return make_error(ErrorKind::invalid, "--save-results: " + made.error().text());
  }
  return std::make_unique<SavedResults>(world.files, *directory);
}

void SavedResults::keep(const Measurement& measurement, const http::Headers& headers, std::string_view body, bool cut) {
  const MutexLock lock(mutex_);
  const auto leave_out = [&](std::string why) REQUIRES(mutex_) {
    ++left_out_;
    if (why_.empty()) {
      why_ = std::move(why);
    }
  };
  if (cut) {
    leave_out(fmt::format("{}: larger than {} MiB", measurement.id, kSavedBodyBytesMax >> 20U));
    return;
  }
  if (bytes_ + body.size() > kSavedBytesMax || saved_ == kSavedFilesMax) {
    leave_out(fmt::format("more than {} GiB or {} files in all", kSavedBytesMax >> 30U, kSavedFilesMax));
    return;
  }
  const std::string coding = to_lower(trim(headers.get("Content-Encoding")));
  const std::string end = coding == "gzip" || coding == "x-gzip" ? ".xml.gz" : ".xml";
  const std::string folder = fmt::format("{}/{}", directory_, safe_file_name(measurement.service));
  Result<> written = files_.make_directories(folder, 0755);
  if (written) {
    written =
        files_.write(fmt::format("{}/{}{}", folder, safe_file_name(servicemon_name(measurement)), end), body, 0644);
  }
  if (!written) {
    leave_out(written.error().text());
    return;
  }
  bytes_ += body.size();
  ++saved_;
}

bool SavedResults::finish() {
  const MutexLock lock(mutex_);
  log::note(fmt::format("{} answers saved below {}", saved_, directory_));
  if (left_out_ > 0) {
    log::error(fmt::format("--save-results: {} answers were not saved: {}", left_out_, why_));
  }
  return left_out_ == 0;
}

}  // namespace parallax::cli
