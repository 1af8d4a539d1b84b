#include "collector/bundles.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/gzip.h"
#include "codec/hash.h"

namespace parallax::collector {

namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kTarNameBytes = 100;
constexpr std::size_t kBuildLengthMax = 100;
constexpr std::string_view kDirectoryPrefix = "parallax-";

// The build that a tar archive's first header names, empty where it is none of ours.
std::string build_of(std::string_view header) {
  const std::string_view field = header.substr(0, std::min(kTarNameBytes, header.size()));
  std::string_view name = field.substr(0, field.find('\0'));
  if (!name.starts_with(kDirectoryPrefix) || !name.ends_with('/')) {
    return "";
  }
  name.remove_prefix(kDirectoryPrefix.size());
  name.remove_suffix(1);
  return is_build_name(name) ? std::string(name) : "";
}

}  // namespace

bool is_build_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '+' || c == '-';
  };
  return !text.empty() && text.size() <= kBuildLengthMax && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), plain);
}

Result<Bundle> open_bundle(std::string archive) {
  if (archive.size() > kBundleBytesMax) {
    return make_error(ErrorKind::invalid,
                      fmt::format("it has {} bytes, more than the limit of {}", archive.size(), kBundleBytesMax));
  }
  InflateLimits limits;
  limits.bytes_max = kBundleUnpackedBytesMax;
  Inflater inflater(InflateFormat::gzip, limits);
  Bundle bundle;
  std::string header;
  Result<> inflated = inflater.push(archive, [&](std::string_view bytes) -> Result<> {
    bundle.unpacked_bytes += bytes.size();
    header.append(bytes.substr(0, kTarBlock - header.size()));
    return {};
  });
  inflated = inflated ? inflater.finish() : inflated;
  if (!inflated) {
    return make_error(ErrorKind::invalid, fmt::format("it is no whole .tar.gz: {}", inflated.error().message));
  }
  bundle.build = build_of(header);
  if (bundle.build.empty()) {
    return make_error(ErrorKind::invalid,
                      "it is no bundle: it does not begin with a directory parallax-BUILD/; 'make "
                      "bundle' makes one");
  }
  bundle.sha256 = sha256_hex(archive);
  bundle.archive = std::make_shared<const std::string>(std::move(archive));
  return bundle;
}

Result<std::unique_ptr<BundleShelf>> BundleShelf::make(std::vector<Bundle> bundles) {
  if (bundles.size() > kBundlesMax) {
    return make_error(ErrorKind::invalid, fmt::format("{} bundles; {} at most", bundles.size(), kBundlesMax));
  }
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (bundles[i].build == bundles[j].build) {
        return make_error(ErrorKind::invalid, fmt::format("two bundles of build {}", bundles[i].build));
      }
    }
  }
  return std::unique_ptr<BundleShelf>(new BundleShelf(std::move(bundles)));
}

const Bundle* BundleShelf::find(std::string_view build) const {
  const auto found = std::find_if(bundles_.begin(), bundles_.end(), [&](const Bundle& b) { return b.build == build; });
  return found == bundles_.end() ? nullptr : &*found;
}

std::shared_ptr<const std::string> BundleShelf::lend(const Bundle& bundle) const {
  if (loans_->fetch_add(1) >= kBundleLoansMax) {
    loans_->fetch_sub(1);
    return nullptr;
  }
  // Owns nothing but the count and the archive: the shelf may be gone before the last byte is.
  return {bundle.archive.get(),
          [archive = bundle.archive, loans = loans_](const std::string*) { loans->fetch_sub(1); }};
}

}  // namespace parallax::collector
