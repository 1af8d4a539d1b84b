// Tags of any resource.
#include <algorithm>

#include <fmt/format.h>

#include "sim/cloud/ec2_describe.h"

namespace parallax::sim {

namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kTagResourcesMax = 1000;

// The error of an id that cannot be tagged: of its kind where the kind is known.
Error untaggable(Context& context, const std::string& id) {
  if (id.starts_with("i-")) {
    const Result<Instance*> instance = find_instance(context, id);
    return instance ? client_error("InvalidID", id) : instance.error();
  }
  for (int kind = 0; kind < static_cast<int>(ResourceKind::count); ++kind) {
    if (id.starts_with(info_of(static_cast<ResourceKind>(kind)).prefix)) {
      const Result<Resource*> resource = find_resource(context, static_cast<ResourceKind>(kind), id);
      return resource ? client_error("InvalidID", id) : resource.error();
    }
  }
  return client_error("InvalidID", fmt::format("The ID '{}' is not valid", id));
}

Result<std::vector<Tags*>> find_tagged(Context& context, const Json& input) {
  const std::vector<std::string> ids = strings_of(input, "Resources");
  if (ids.empty()) {
    return missing_parameter("resourceIdSet");
  }
  if (ids.size() > kTagResourcesMax) {
    return client_error("InvalidParameterValue", "At most 1000 resources can be tagged in one call.");
  }
  std::vector<Tags*> tagged;
  for (const std::string& id : ids) {
    Tags* tags = resource_type_of(id).empty() ? nullptr : find_tags(context.world, context.region, id);
    if (tags == nullptr) {
      return untaggable(context, id);
    }
    tagged.push_back(tags);
  }
  return tagged;
}

Result<Json> create_tags(Context& context, const Json& input) {
  const std::vector<Tags*> tagged = TRY(find_tagged(context, input));
  if (input.list("Tags").empty()) {
    return missing_parameter("tagSet");
  }
  TRY(check_tags(input.list("Tags")));
  const Tags added = tags_of(input.list("Tags"));
  for (const Tags* tags : tagged) {
    Tags merged = added;
    merged.insert(tags->begin(), tags->end());
    if (merged.size() > kTagsMax) {
      return client_error("TagLimitExceeded", "The maximum number of Tags for a resource has been reached: 50.");
    }
  }
  TRY(end_of_dry_run(context));
  for (Tags* tags : tagged) {
    for (const auto& [key, value] : added) {
      (*tags)[key] = value;
    }
  }
  return Json::object();
}

Result<Json> delete_tags(Context& context, const Json& input) {
  const std::vector<Tags*> tagged = TRY(find_tagged(context, input));
  TRY(end_of_dry_run(context));
  for (Tags* tags : tagged) {
    if (input.list("Tags").empty()) {
      tags->clear();
    }
    for (const Json& tag : input.list("Tags")) {
      const auto found = tags->find(tag.text("Key"));
      // With a value, only a tag of that value goes.
      if (found != tags->end() && (tag.find("Value") == nullptr || tag.text("Value") == found->second)) {
        tags->erase(found);
      }
    }
  }
  return Json::object();
}

void add_tags(std::vector<Json>& rendered, const std::string& id, const Tags& tags) {
  for (const auto& [key, value] : tags) {
    Json json =
        Json::object({{"Key", key}, {"ResourceId", id}, {"ResourceType", resource_type_of(id)}, {"Value", value}});
    rendered.push_back(std::move(json));
  }
}

Result<Json> describe_tags(Context& context, const Json& input) {
  static const FilterPaths kPaths = {
      {"key", "Key"}, {"value", "Value"}, {"resource-id", "ResourceId"}, {"resource-type", "ResourceType"}};
  std::vector<Json> rendered;
  for (const auto& [id, instance] : context.region.instances) {
    if (instance.visible_at <= context.world.mono) {
      add_tags(rendered, id, seen_tags(context.world, instance));
    }
  }
  for (const auto& resources : context.region.resources) {
    for (const auto& [id, resource] : resources) {
      if (resource.visible_at <= context.world.mono) {
        add_tags(rendered, id, seen_tags(context.world, resource));
      }
    }
  }
  rendered = TRY(apply_filters(std::move(rendered), input, kPaths));
  return page_of("DescribeTags", "Tags", std::move(rendered), input, PageLimits{5, 1000, 1000});
}

}  // namespace

std::vector<OperationEntry> ec2_tag_operations() {
  return {{"CreateTags", create_tags, DryRun::after_checks},
          {"DeleteTags", delete_tags, DryRun::after_checks},
          {"DescribeTags", describe_tags}};
}

}  // namespace parallax::sim
