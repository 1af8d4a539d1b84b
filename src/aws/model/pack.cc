#include "aws/model/pack.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::aws {

namespace {

Error bad_model(std::string_view what, std::string_view name, std::string_view problem) {
  return make_error(ErrorKind::corrupt, fmt::format("{} '{}': {}", what, terminal_safe(name, 100), problem));
}

// A newer model wins over our overlay.
void merge(Json& target, const Json& extra) {
  if (!target.is_object() || !extra.is_object()) {
    return;
  }
  for (const auto& [key, value] : *extra.members()) {
    Json* present = target.members()->find(key);
    if (present == nullptr) {
      target.set(key, value);
    } else {
      merge(*present, value);
    }
  }
}

class Packer {
 public:
  Result<> add_shapes(Json& service) {
    Json* shapes = service.is_object() ? service.members()->find("shapes") : nullptr;
    if (shapes == nullptr || !shapes->is_object()) {
      return make_error(ErrorKind::corrupt, "there is no object 'shapes'");
    }
    for (const auto& [name, shape] : *shapes->members()) {
      shapes_.emplace_back(name, shape.text("type"));
    }
    std::sort(shapes_.begin(), shapes_.end());
    for (auto& [name, shape] : *shapes->members()) {
      TRY(check_shape(name, shape));
      drop_documentation(shape);
      TRY(add('S', name, shape));
    }
    return {};
  }

  Result<> add_operations(Json& service) {
    Json* operations = service.members()->find("operations");
    if (operations == nullptr || !operations->is_object()) {
      return make_error(ErrorKind::corrupt, "there is no object 'operations'");
    }
    for (auto& [name, operation] : *operations->members()) {
      TRY(add_operation(name, operation));
    }
    return {};
  }

  // Paginators and waiters: nothing in them refers to shapes, and their reader takes whatever types there are.
  Result<> add_all(char kind, const Json& file, std::string_view key) {
    const Json* entries = file.find(key);
    if (entries == nullptr || !entries->is_object()) {
      return {};
    }
    for (const auto& [name, entry] : *entries->members()) {
      TRY(add(kind, name, entry));
    }
    return {};
  }

  Result<> add(char kind, const std::string& name, const Json& value) {
    if (name.empty() || name.find_first_of("\t\n") != std::string::npos) {
      return make_error(ErrorKind::corrupt, fmt::format("'{}' is no name", terminal_safe(name, 100)));
    }
    lines_.emplace_back(std::string(1, kind) + "\t" + name, value.dump());
    return {};
  }

  std::string take() {
    std::sort(lines_.begin(), lines_.end());
    std::string text;
    for (const auto& [head, json] : lines_) {
      text.append(head).append("\t").append(json).append("\n");
    }
    return text;
  }

 private:
  // The type of a shape, or empty.
  std::string_view type_of(std::string_view name) const {
    const auto at = std::lower_bound(shapes_.begin(), shapes_.end(), name,
                                     [](const auto& shape, std::string_view wanted) { return shape.first < wanted; });
    return at != shapes_.end() && at->first == name ? std::string_view(at->second) : std::string_view();
  }

  bool refers(const Json* reference) const {
    return reference != nullptr && reference->is_object() && !type_of(reference->text("shape")).empty();
  }

  bool refers_to_structure(const Json* reference) const {
    return refers(reference) && type_of(reference->text("shape")) == "structure";
  }

  Result<> check_shape(const std::string& name, const Json& shape) const {
    constexpr std::array<std::string_view, 12> kTypes{"structure", "list",    "map",  "string",
                                                      "character", "integer", "long", "float",
                                                      "double",    "boolean", "blob", "timestamp"};
    const std::string type = shape.text("type");
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
      return bad_model("shape", name, fmt::format("'{}' is no type of ours", terminal_safe(type, 40)));
    }
    if (type == "list" && !refers(shape.find("member"))) {
      return bad_model("shape", name, "a list without the shape of its items");
    }
    if (type == "map" && (!refers(shape.find("value")) || !refers(shape.find("key")) ||
                          type_of(shape.find("key")->text("shape")) != "string")) {
      return bad_model("shape", name, "a map without shapes of its keys, which must be strings, and values");
    }
    return type == "structure" ? check_members(name, shape) : Result<>();
  }

  Result<> check_members(const std::string& name, const Json& shape) const {
    const Json* members = shape.find("members");
    if (members != nullptr && !members->is_object()) {
      return bad_model("shape", name, "'members' is no object");
    }
    for (const auto& [member_name, member] : members == nullptr ? JsonObject() : *members->members()) {
      if (!refers(&member)) {
        return bad_model("shape", name, fmt::format("member '{}' has no shape", terminal_safe(member_name, 100)));
      }
    }
    const std::string payload = shape.text("payload");
    if (!payload.empty() && (members == nullptr || members->find(payload) == nullptr)) {
      return bad_model("shape", name, fmt::format("the payload '{}' is no member", terminal_safe(payload, 100)));
    }
    return {};
  }

  Result<> add_operation(const std::string& name, Json& operation) {
    for (const std::string_view side : {"input", "output"}) {
      const Json* reference = operation.find(side);
      if (reference != nullptr && !refers_to_structure(reference)) {
        return bad_model("operation", name, fmt::format("its {} is no structure", side));
      }
    }
    if (!operation.is_object()) {
      return bad_model("operation", name, "no object");
    }
    operation.members()->erase("documentation");
    Json errors = Json::array();
    for (const Json& error : operation.list("errors")) {
      if (!refers_to_structure(&error)) {
        return bad_model("operation", name, "an error without a shape");
      }
      errors.push(error.text("shape"));
    }
    operation.set("errors", std::move(errors));
    return add('O', name, operation);
  }

  static void drop_documentation(Json& shape) {
    shape.members()->erase("documentation");
    Json* members = shape.members()->find("members");
    if (members == nullptr || !members->is_object()) {
      return;
    }
    for (auto& [name, member] : *members->members()) {
      member.members()->erase("documentation");
    }
  }

  std::vector<std::pair<std::string, std::string>> shapes_;  // name, type; sorted
  std::vector<std::pair<std::string, std::string>> lines_;   // "KIND\tNAME", JSON
};

}  // namespace

Result<std::string> pack_service(std::string_view name, ServiceFiles files, const Json* overlay) {
  if (overlay != nullptr) {
    merge(files.service, *overlay);
  }
  const Json* metadata = files.service.find("metadata");
  if (metadata == nullptr || !metadata->is_object()) {
    return make_error(ErrorKind::corrupt, "there is no object 'metadata'");
  }
  Packer packer;
  TRY(packer.add('M', std::string(name), *metadata));
  TRY(packer.add_shapes(files.service));
  TRY(packer.add_operations(files.service));
  TRY(packer.add_all('P', files.paginators, "pagination"));
  TRY(packer.add_all('W', files.waiters, "waiters"));
  return packer.take();
}

}  // namespace parallax::aws
