// Bodies of answers as files, where servicemon keeps them: DIR/base_name/base_name_type[-mode]_RA_DEC_SR.xml.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "cli/args.h"
#include "cli/world.h"
#include "probe/query_options.h"

namespace parallax::cli {

inline constexpr std::size_t kSavedBodyBytesMax = 64U << 20U;
inline constexpr std::uint64_t kSavedBytesMax = std::uint64_t{4} << 30U;
inline constexpr std::uint64_t kSavedFilesMax = 100'000;

// --save-results
Option save_results_option();

// A part of a file's name: letters, digits, "-+._" as they are, all else "_", never beginning with a dot, at most 150
// characters.
std::string safe_file_name(std::string_view text);

class SavedResults final : public BodyKeeper {
 public:
  // Nothing where the option is not given. Error: invalid, where the directory cannot be made.
  static Result<std::unique_ptr<SavedResults>> open(const Arguments& arguments, World& world);

  SavedResults(Files& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  std::size_t bytes_max() const override { return kSavedBodyBytesMax; }

  void keep(const Measurement& measurement, const http::Headers& headers, std::string_view body, bool cut) override;
  // Says what was saved and what was not. False where something was not.
  bool finish();

 private:
  Files& files_;
  const std::string directory_;
  Mutex mutex_;
  std::uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t saved_ GUARDED_BY(mutex_) = 0;
  std::uint64_t left_out_ GUARDED_BY(mutex_) = 0;
  std::string why_ GUARDED_BY(mutex_);  // of the first one
};

}  // namespace parallax::cli
