// Bundles of the program (tools/bundle, docs/user/bundle.md) that the collector hands to machines which lack a build.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace parallax::collector {

inline constexpr std::size_t kBundleBytesMax = 128U << 20U;
inline constexpr std::size_t kBundleUnpackedBytesMax = 1U << 30U;
inline constexpr std::size_t kBundlesMax = 8;
// Archives on their way at once; more are asked to come again. One on its way costs no memory of its own.
inline constexpr int kBundleLoansMax = 100;

struct Bundle {
  std::string build;
  std::string sha256;  // of the archive, lower-case hex
  std::uint64_t unpacked_bytes = 0;
  std::shared_ptr<const std::string> archive;
};

// Looks at an archive: its first entry is the directory parallax-BUILD/, and it inflates to its end. Error: invalid,
// saying what is wrong with it.
Result<Bundle> open_bundle(std::string archive);

// Whether `text` may be a build: 1 to 100 of letters, digits and "._+-", as it goes into paths and URLs.
bool is_build_name(std::string_view text);

// Thread safety: any task.
class BundleShelf {
 public:
  // Error: invalid (two of one build, too many).
  static Result<std::unique_ptr<BundleShelf>> make(std::vector<Bundle> bundles);

  const std::vector<Bundle>& bundles() const { return bundles_; }

  const Bundle* find(std::string_view build) const;

  // The archive of a bundle of this shelf, counted as on its way until the last copy of the pointer is gone; nullptr
  // where kBundleLoansMax are on their way.
  std::shared_ptr<const std::string> lend(const Bundle& bundle) const;

 private:
  explicit BundleShelf(std::vector<Bundle> bundles) : bundles_(std::move(bundles)) {}

  const std::vector<Bundle> bundles_;
  const std::shared_ptr<std::atomic<int>> loans_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace parallax::collector
