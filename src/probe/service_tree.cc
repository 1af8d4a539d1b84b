#include "probe/service_tree.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax {

namespace {

// What may stand only once at a provider, and the file where it stood first.
using Seen = std::map<std::string, std::string>;

Result<> add_file(Files& files, const std::string& path, const std::string& provider, Seen& seen, ServiceList& list) {
  Result<std::string> text = files.read(path, kServiceFileBytesMax);
  if (!text) {
    return make_error(ErrorKind::invalid, text.error().text());
  }
  ServiceList part = TRY(parse_services(path, *text));
  for (Service& service : part.services) {
    service.provider = provider;
    const std::string what = fmt::format("{} ({})", terminal_safe(service.name, 80), to_string(service.type));
    if (const auto [first, fresh] = seen.try_emplace(what, path); !fresh) {
      return make_error(ErrorKind::invalid,
                        fmt::format("{}: service '{}' stands in {} already; a provider has it once",
                                    terminal_safe(path, 300), what, terminal_safe(first->second, 300)));
    }
    list.services.push_back(std::move(service));
  }
  if (list.services.size() > kServicesMax) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: more services than the limit of {}", terminal_safe(path, 300), kServicesMax));
  }
  return {};
}

}  // namespace

bool is_directory(Files& files, const std::string& path) {
  return files.list(path).has_value();
}

Result<ServiceTree> read_service_tree(Files& files, const std::string& directory) {
  std::string root = directory;
  while (root.size() > 1 && root.ends_with('/')) {
    root.pop_back();
  }
  ServiceTree tree;
  bool lists_above = false;
  for (const std::string& name : TRY(files.list(root))) {
    const std::string below = root + "/" + name;
    const Result<std::vector<std::string>> entries = files.list(below);
    if (!entries || name.starts_with('.')) {
      lists_above = lists_above || name.ends_with(".py");
      continue;
    }
    Seen seen;
    const std::size_t before = tree.list.services.size();
    for (const std::string& entry : *entries) {
      const std::string path = below + "/" + entry;
      if (entry.starts_with('.') || is_directory(files, path)) {
        continue;
      }
      if (entry.ends_with(".py")) {
        TRY(add_file(files, path, to_utf8(name), seen, tree.list));
      } else {
        tree.not_read.push_back(path);
      }
    }
    if (tree.list.services.size() > before) {
      tree.list.providers.push_back(Provider{.name = to_utf8(name)});
    }
  }
  if (tree.list.services.empty()) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: there is no service list in it; each subdirectory is a provider, and its *.py "
                                  "are service lists{}",
                                  terminal_safe(root, 300),
                                  lists_above ? " (a *.py directly in it is taken for a list of cones)" : ""));
  }
  return tree;
}

}  // namespace parallax
