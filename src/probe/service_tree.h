// A directory of service lists as servicemon's sm_run_all takes it: each immediate subdirectory is a provider, and its
// *.py are service lists.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "probe/service_file.h"

namespace parallax {

struct ServiceTree {
  ServiceList list;                   // providers named as their subdirectories, in alphabetical order
  std::vector<std::string> not_read;  // files in subdirectories that are no *.py
};

inline constexpr std::size_t kServiceFileBytesMax = 16U << 20U;

bool is_directory(Files& files, const std::string& path);

// What lies directly in `directory` is not looked at (servicemon keeps cone lists there), nor what begins with a dot or
// lies deeper. Error: invalid, where there is no service list, one of them is wrong, or a provider has the same service
// twice; it names the file.
Result<ServiceTree> read_service_tree(Files& files, const std::string& directory);

}  // namespace parallax
