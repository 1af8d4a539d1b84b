// A home directory in memory and an environment, for tests of settings and credentials.
#pragma once

#include <map>
#include <string>

#include "aws/auth/credentials.h"
#include "base/files.h"

namespace parallax::aws::testing {

// Only what settings and credentials use.
class HomeFiles final : public Files {
 public:
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override {
    const auto found = content.find(path);
    if (found == content.end()) {
      return make_error(ErrorKind::not_found, path + ": no such file");
    }
    return found->second.size() > bytes_max ? Result<std::string>(make_error(ErrorKind::refused, path + ": too large"))
                                            : found->second;
  }

  Result<> write(const std::string& path, std::string_view data, unsigned mode) override {
    if (is_read_only) {
      return make_error(ErrorKind::denied, path);
    }
    content[path] = data;
    modes[path] = mode;
    return {};
  }

  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned /*mode*/) override {
    return make_error(ErrorKind::internal, path);
  }

  Result<> truncate(const std::string& path, std::uint64_t /*size*/) override {
    return make_error(ErrorKind::internal, path);
  }

  Result<> rename(const std::string& from, const std::string& /*to*/) override {
    return make_error(ErrorKind::internal, from);
  }

  Result<> remove(const std::string& path) override {
    content.erase(path);
    return {};
  }

  Result<> make_directories(const std::string& /*path*/, unsigned /*mode*/) override { return {}; }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    return make_error(ErrorKind::internal, directory);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return make_error(ErrorKind::internal, path);
  }

  std::map<std::string, std::string> content;
  std::map<std::string, unsigned> modes;
  bool is_read_only = false;
};

// Variables that a test may change while others hold `reader()`; HOME is /home/u.
struct TestEnvironment {
  std::map<std::string, std::string, std::less<>> variables{{"HOME", "/home/u"}};

  Environment reader() {
    return [this](std::string_view name) -> std::optional<std::string> {
      const auto at = variables.find(name);
      return at == variables.end() ? std::nullopt : std::optional(at->second);
    };
  }
};

}  // namespace parallax::aws::testing
