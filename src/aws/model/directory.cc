#include "aws/model/directory.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/model/pack.h"
#include "base/check.h"
#include "base/text.h"
#include "codec/gzip.h"

namespace parallax::aws {

extern const std::string_view kOverlayJson;  // tools/models-overlay.json

namespace {

// The largest of 2026, that of ec2, has 4 MB and some 200,000 values.
constexpr std::size_t kFileBytesMax = 64U << 20U;
constexpr std::size_t kValuesMax = 5'000'000;
constexpr std::size_t kServicesMax = 10'000;

// What may stand in a folder's place for a service: never a path.
bool is_service_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool has_model(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "service-2.json" || name == "service-2.json.gz"; });
}

}  // namespace

const Json* overlay_of(std::string_view service) {
  static const Json kOverlay = parse_json(kOverlayJson).value();  // the build embeds it
  return kOverlay.find(service);
}

Result<ModelsDirectory> ModelsDirectory::open(Files& files, std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') {
    directory.pop_back();
  }
  ModelsDirectory out(files, std::move(directory));
  const std::vector<std::string> entries = TRY(files.list(out.directory_).with_context("opening the folder of models"));
  for (const std::string& name : entries) {
    if (is_service_name(name) && out.names_.size() < kServicesMax) {
      out.names_.push_back(name);
    }
  }
  std::sort(out.names_.begin(), out.names_.end());
  const bool found = std::any_of(out.names_.begin(), out.names_.end(),
                                 [&](const std::string& name) { return out.newest_version(name).has_value(); });
  if (!found) {
    const bool above = std::find(entries.begin(), entries.end(), "data") != entries.end();
    return make_error(
        ErrorKind::invalid,
        fmt::format("'{}' has no SERVICE/VERSION/service-2.json, so it is no folder of botocore's models{}",
                    terminal_safe(out.directory_),
                    above ? fmt::format("; did you mean '{}/data'?", terminal_safe(out.directory_)) : ""));
  }
  return out;
}

bool ModelsDirectory::contains(std::string_view name) const {
  return std::binary_search(names_.begin(), names_.end(), name);
}

Result<std::string> ModelsDirectory::newest_version(const std::string& service) const {
  std::vector<std::string> versions = TRY(files_->list(directory_ + "/" + service));
  std::sort(versions.begin(), versions.end(), std::greater<>());  // dates, so the greatest text is the newest
  for (const std::string& version : versions) {
    const Result<std::vector<std::string>> names = files_->list(directory_ + "/" + service + "/" + version);
    if (names && has_model(*names)) {
      return version;
    }
  }
  return make_error(ErrorKind::not_found,
                    fmt::format("'{}/{}' has no version with a service-2.json", directory_, service));
}

Result<Json> ModelsDirectory::read_json(const std::string& folder, std::string_view file) const {
  const std::string path = folder + "/" + std::string(file);
  Result<std::string> bytes = files_->read(path, kFileBytesMax);
  if (!bytes && bytes.error().kind == ErrorKind::not_found) {
    InflateLimits limits;
    limits.bytes_max = kFileBytesMax;
    const std::string packed = TRY(files_->read(path + ".gz", kFileBytesMax));
    bytes = gzip_decompress(packed, limits).with_context("reading " + path + ".gz");
  }
  const std::string text = TRY(std::move(bytes));
  JsonLimits limits;
  limits.bytes_max = kFileBytesMax;
  limits.values_max = kValuesMax;
  Result<Json> json = parse_json(text, limits);
  if (!json && json.error().kind == ErrorKind::invalid) {
    return make_error(ErrorKind::corrupt, fmt::format("{} is not JSON: {}", path, json.error().message));
  }
  return std::move(json).with_context("reading " + path);
}

Result<std::string> ModelsDirectory::pack(std::string_view name) const {
  const std::string service(name);
  CHECK(contains(name), name);
  const std::string folder = fmt::format("{}/{}/{}", directory_, service, TRY(newest_version(service)));
  ServiceFiles read;
  read.service = TRY(read_json(folder, "service-2.json"));
  for (const auto& [file, target] :
       {std::pair{"paginators-1.json", &read.paginators}, std::pair{"waiters-2.json", &read.waiters}}) {
    Result<Json> json = read_json(folder, file);
    if (json) {
      *target = std::move(json).value();
    } else if (json.error().kind != ErrorKind::not_found) {
      return std::move(json).error();
    }
  }
  return pack_service(name, std::move(read), overlay_of(name)).with_context("reading the model in " + folder);
}

}  // namespace parallax::aws
