// Service models from a folder at run time: any `data` folder of botocore, DIR/SERVICE/VERSION/service-2.json with
// paginators-1.json and waiters-2.json beside it, each also as .json.gz.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/model/model.h"
#include "base/files.h"

namespace parallax::aws {

// From now on find_service() looks into `directory` first, then among the embedded services; service_names() lists
// both. The newest version of a service counts, and what our overlay adds is added to it too. A service is read when it
// is first asked for. `files` must live as long as the program. A second call replaces the folder; models that were
// handed out stay good. Error: not_found (no such folder), invalid (no service in it: what it should look like, and
// where it may be).
Result<> use_models_directory(Files& files, std::string directory);

// One such folder. Thread safety: as that of Files.
class ModelsDirectory {
 public:
  // Errors as above.
  static Result<ModelsDirectory> open(Files& files, std::string directory);

  // Sorted names of what look like services.
  const std::vector<std::string>& names() const { return names_; }

  bool contains(std::string_view name) const;

  // The packed text of a service: files read, checked, overlay added. Errors, with the file's name: not_found (no
  // version with a service-2.json), corrupt (no JSON, no model), refused (too large), or what reading gave.
  Result<std::string> pack(std::string_view name) const;

 private:
  ModelsDirectory(Files& files, std::string directory) : files_(&files), directory_(std::move(directory)) {}

  Result<std::string> newest_version(const std::string& service) const;
  Result<Json> read_json(const std::string& folder, std::string_view file) const;

  Files* files_;
  std::string directory_;
  std::vector<std::string> names_;
};

// One service's entry of our overlay, or nullptr. Lives as long as the program.
const Json* overlay_of(std::string_view service);

}  // namespace parallax::aws
