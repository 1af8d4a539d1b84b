#include "sim/cloud/iam_common.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "codec/base64.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kPathLengthMax = 512;
constexpr std::int64_t kItemsDefault = 100;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("+=,.@_-").find(c) != std::string_view::npos;
}

}  // namespace

Error no_such_entity(std::string message) {
  return service_error(404, "NoSuchEntity", std::move(message));
}

Error already_exists(std::string message) {
  return service_error(409, "EntityAlreadyExists", std::move(message));
}

Error delete_conflict(std::string message) {
  return service_error(409, "DeleteConflict", std::move(message));
}

Error limit_exceeded(std::string_view quota, std::size_t limit) {
  return service_error(409, "LimitExceeded", fmt::format("Cannot exceed quota for {}: {}", quota, limit));
}

Error validation_error(std::string message) {
  return client_error("ValidationError", std::move(message));
}

Result<> check_name(std::string_view member, const std::string& name, std::size_t length_max) {
  if (name.empty() || name.size() > length_max || !std::ranges::all_of(name, name_character)) {
    return validation_error(
        fmt::format("The specified value for {} is invalid. It must contain only alphanumeric characters and/or the "
                    "following: +=,.@_- and have 1 to {} of them",
                    member, length_max));
  }
  return {};
}

Result<std::string> path_of(const Json& input) {
  std::string path = input.text("Path", "/");
  const bool plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!path.starts_with('/') || !path.ends_with('/') || path.size() > kPathLengthMax || !plain) {
    return validation_error(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
        "characters and/or / characters.");
  }
  return path;
}

Result<Json> iam_page(std::string_view operation, std::string member, std::vector<Json> all, const Json& input) {
  const auto size = static_cast<std::size_t>(input.integer("MaxItems", kItemsDefault));
  std::size_t first = 0;
  if (const std::string marker = input.text("Marker"); !marker.empty()) {
    const Result<std::string> plain = base64_decode(marker);
    const std::string head = fmt::format("{}|", operation);
    const std::string_view number =
        plain && plain->starts_with(head) ? std::string_view(*plain).substr(head.size()) : "";
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), first);
    if (error != std::errc() || end != number.data() + number.size()) {
      return validation_error(fmt::format("Invalid Marker: {}", marker));
    }
  }
  const std::size_t begin = std::min(first, all.size());
  const std::size_t end = std::min(all.size(), begin + size);
  JsonArray page(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(begin)),
                 std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(end)));
  Json answer = Json::object({{std::move(member), std::move(page)}, {"IsTruncated", end < all.size()}});
  if (end < all.size()) {
    answer.set("Marker", base64_encode(fmt::format("{}|{}", operation, end)));
  }
  return answer;
}

Result<> add_iam_tags(Tags& tags, const Json& input) {
  Tags merged = tags;
  std::vector<std::string> seen;
  for (const Json& tag : input.list("Tags")) {
    const std::string key = tag.text("Key");
    if (std::ranges::any_of(seen, [&](const std::string& other) { return equals_ignore_case(other, key); })) {
      return client_error("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    if (key.starts_with("aws:")) {
      return client_error("InvalidInput", "Cannot tag with reserved keys: aws:");
    }
    seen.push_back(key);
    std::erase_if(merged, [&](const auto& entry) { return equals_ignore_case(entry.first, key); });
    merged[key] = tag.text("Value");
  }
  if (merged.size() > kTagsMax) {
    return limit_exceeded("TagsPerResource", kTagsMax);
  }
  tags = std::move(merged);
  return {};
}

void remove_iam_tags(Tags& tags, const Json& input) {
  for (const std::string& key : strings_of(input, "TagKeys")) {
    std::erase_if(tags, [&](const auto& entry) { return equals_ignore_case(entry.first, key); });
  }
}

std::string encode_document(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::size_t policy_size(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; }));
}

Result<IamRole*> find_role(World& world, const std::string& name) {
  const auto found = world.iam.roles.find(name);
  if (found == world.iam.roles.end()) {
    return no_such_entity(fmt::format("The role with name {} cannot be found.", name));
  }
  return &found->second;
}

Result<IamUser*> find_user(World& world, const std::string& name) {
  const auto found = world.iam.users.find(name);
  if (found == world.iam.users.end()) {
    return no_such_entity(fmt::format("The user with name {} cannot be found.", name));
  }
  return &found->second;
}

Result<IamUser*> named_or_own_user(Context& context, const Json& input) {
  if (input.find("UserName") != nullptr) {
    return find_user(context.world, input.text("UserName"));
  }
  if (context.caller == nullptr) {
    return find_user(context.world, "parallax");
  }
  if (context.caller->kind == PrincipalKind::role_session) {
    return validation_error("Must specify userName when calling with non-User credentials");
  }
  return find_user(context.world, context.caller->name);
}

Result<IamProfile*> find_instance_profile(World& world, const std::string& name) {
  const auto found = world.iam.profiles.find(name);
  if (found == world.iam.profiles.end()) {
    return no_such_entity(fmt::format("Instance Profile {} cannot be found.", name));
  }
  return &found->second;
}

Result<ManagedPolicy*> find_managed_policy(World& world, const std::string& arn) {
  const auto found = world.iam.policies.find(arn);
  if (found == world.iam.policies.end()) {
    return no_such_entity(fmt::format("Policy {} does not exist or is not attachable.", arn));
  }
  return &found->second;
}

Result<std::string> boundary_of(World& world, const Json& input) {
  const std::string arn = input.text("PermissionsBoundary");
  if (!arn.empty()) {
    TRY(find_managed_policy(world, arn));
  }
  return arn;
}

Json boundary_json(const IamEntity& entity) {
  return entity.boundary.empty() ? Json()
                                 : Json::object({{"PermissionsBoundaryType", "PermissionsBoundaryPolicy"},
                                                 {"PermissionsBoundaryArn", entity.boundary}});
}

}  // namespace parallax::sim
