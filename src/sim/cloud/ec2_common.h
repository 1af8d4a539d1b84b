// What the EC2 operations share: ids and what is wrong with them, resources, tags at creation, zones.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/operations.h"

namespace parallax::sim {

// How ids of one kind look, and how EC2 words that one is bad.
struct KindInfo {
  ResourceKind kind;
  std::string_view prefix;          // "ami-"
  std::string_view type;            // in tags: "image"
  std::string_view id_member;       // of the description: "ImageId"
  std::string_view malformed;       // error code
  std::string_view not_found;       // error code
  std::string_view not_found_text;  // with one {} for the id
};

const KindInfo& info_of(ResourceKind kind);

// "instance" for "i-0...", "" when the prefix is unknown.
std::string resource_type_of(const std::string& id);

// `prefix` and 8 or 17 lower-case hex digits.
bool well_formed(std::string_view id, std::string_view prefix);

// The instances that `ids` name, in that order. One bad id fails the call: InvalidInstanceID.Malformed, .NotFound.
// An id too new to be known everywhere is not found either.
Result<std::vector<Instance*>> find_instances(Context& context, const std::vector<std::string>& ids);
Result<Instance*> find_instance(Context& context, const std::string& id);
Result<Resource*> find_resource(Context& context, ResourceKind kind, const std::string& id);

// Adds a resource under a new id of its kind, which `description` gets too. Its id may be unknown for a while.
Resource& add_resource(World& world, RegionState& region, ResourceKind kind, Json description, Tags tags);
// When a new id becomes known to other calls.
Monotonic draw_visible(World& world, const RegionState& region);

// The tags as Describe calls see them.
template <typename Tagged>
const Tags& seen_tags(const World& world, const Tagged& tagged) {
  return tagged.tags_before && world.mono < tagged.tags_before->first ? tagged.tags_before->second : tagged.tags;
}

// The description with its tags, as Describe calls see it.
Json with_tags(const World& world, const Resource& resource);

// The tags of any resource, for a change of them; nullptr when the id is unknown.
Tags* find_tags(World& world, RegionState& region, const std::string& id);

// Limits of a list of tags that a request brings: number, lengths, the prefix aws:, each key once.
Result<> check_tags(const JsonArray& tags);
Tags tags_of(const JsonArray& tags);
// TagSpecifications by resource type. Error: a type that this call does not make, a type twice, bad tags.
Result<std::map<std::string, Tags>> tag_specifications(const Json& input, const std::vector<std::string_view>& types);

// A dry run ends here: after the checks and before the effect.
Result<> end_of_dry_run(const Context& context);

Error bad_parameter(std::string_view value, std::string_view parameter, std::string_view why);
// InvalidParameterCombination.
Error bad_combination(std::string text);
Error missing_parameter(std::string_view name);

Json state_json(InstanceState state);
// [{"GroupName": ..., "GroupId": ...}]
Json group_list(const RegionState& region, const std::vector<std::string>& ids);

// A Describe call sometimes shows an earlier world.
Monotonic describe_time(World& world, const RegionState& region);

struct Zone {
  std::string name;  // "us-west-2a"
  std::string id;    // "usw2-az1"
};

// In order of their names.
std::vector<Zone> zones_of(const std::string& region);
// Error: InvalidParameterValue for a zone that is none of this region's.
Result<> check_zone(const Context& context, const std::string& zone);

// Runs `what` at `when` if the resource is still there.
void later(World& world, const RegionState& region, ResourceKind kind, const std::string& id, Monotonic when,
           std::function<void(World&, RegionState&, Resource&)> what);

// ARNs of this account.
std::string arn_of(const RegionState& region, std::string_view type, std::string_view id);

}  // namespace parallax::sim
