#include "fleet/observe_region.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "fleet/lease.h"

namespace parallax::fleet {

namespace {

template <typename T>
void sort_by_id(std::vector<T>& all) {
  std::sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.id < b.id; });
}

std::vector<std::string> without_repeats(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

OurNames OurNames::of(const Spec& spec) {
  return OurNames{spec.image.kind == ImageSpec::Kind::copy ? spec.image.name : spec.fleet,
                  spec.group.name.empty() ? spec.fleet : spec.group.name, spec.key ? spec.key->name : spec.fleet};
}

RegionLook::RegionLook(const Spec& spec, const ObserveOptions& options, ResourceApi& api)
    : spec_(spec), options_(options), names_(OurNames::of(spec)), api_(api) {
  seen_.region = api.region();
}

RegionSeen RegionLook::look() {
  const Result<> looked = look_at_all();
  if (!looked) {
    RegionSeen failed;
    failed.region = seen_.region;
    failed.problem = looked.error();
    failed.calls = api_.calls();
    home_groups_.clear();
    return failed;
  }
  seen_.calls = api_.calls();
  return std::move(seen_);
}

Result<> RegionLook::look_at_all() {
  TRY(look_at_tags());
  TRY(look_at_machines());
  TRY(look_at_images());
  TRY(look_at_groups());
  TRY(look_at_keys());
  TRY(look_at_volumes());
  TRY(look_at_snapshots());
  TRY(look_at_addresses());
  TRY(look_at_schedules());
  size_machines();
  if (options_.for_check) {
    look_at_pings();
  }
  look_at_attributes();
  if (!options_.for_clear && !options_.by_name && lacks_something()) {
    look_at_places();
  }
  return {};
}

// Ours, or nobody's.
bool RegionLook::takes(const Tags& tags) const {
  return is_ours(tags, spec_.fleet) || !tags.contains(kFleetTag);
}

// Everything that bears our tag or one of our names, whatever it is, in one listing.
Result<> RegionLook::look_at_tags() {
  std::vector<std::string> values = {spec_.fleet, names_.image, names_.group, names_.key, "true"};
  if (spec_.key) {
    values.push_back(spec_.key->digest);
  }
  const std::vector<TagSeen> all = TRY(api_.tags(
      {{"key", {kFleetTag, "Name", kPublicKeyTag, kOriginalTag}}, {"value", without_repeats(std::move(values))}}));
  for (const TagSeen& tag : all) {
    // A filter's value fits any of its keys: a fleet's tag with one of our names as its value is not ours.
    if (tag.key != kFleetTag || tag.value == spec_.fleet) {
      tags_[tag.type][tag.resource][tag.key] = tag.value;
    }
  }
  return {};
}

// The ids with our tag; by_name, also those with our name.
std::vector<std::string> RegionLook::tagged(std::string_view type) const {
  std::vector<std::string> ids;
  const auto found = tags_.find(type);
  if (found != tags_.end()) {
    for (const auto& [id, tags] : found->second) {
      if (is_ours(tags, spec_.fleet) || (options_.by_name && tags.contains("Name"))) {
        ids.push_back(id);
      }
    }
  }
  return ids;
}

Result<> RegionLook::look_at_machines() {
  seen_.machines = TRY(api_.machines({{fmt::format("tag:{}", kFleetTag), {spec_.fleet}}}));
  TRY(look_at_named_machines());
  std::sort(seen_.machines.begin(), seen_.machines.end(),
            [](const MachineSeen& a, const MachineSeen& b) { return a.instance.id < b.instance.id; });
  return {};
}

// Machines with our Name and no tag of ours, living or not: the tags do not say.
Result<> RegionLook::look_at_named_machines() {
  std::vector<std::string> ids;
  const auto found = tags_.find("instance");
  if (found != tags_.end()) {
    for (const auto& [id, tags] : found->second) {
      const auto name = tags.find("Name");
      if (!is_ours(tags, spec_.fleet) && name != tags.end() && name->second == spec_.fleet) {
        ids.push_back(id);
      }
    }
  }
  for (const std::vector<std::string>& batch : in_batches(ids)) {
    for (MachineSeen& machine : TRY(api_.machines({{"instance-id", batch}}))) {
      // Its tag may have come since the tags were listed; then it is in the first answer or will be in the next.
      if (!machine.instance.tags.contains(kFleetTag)) {
        seen_.machines.push_back(std::move(machine));
      }
    }
  }
  return {};
}

// Of a fleet of copies: all of the copy's name and whatever has our tag. A fleet of Amazon's images has none of its
// own: there only what the tags show, and what adopt asks for.
Result<> RegionLook::look_at_images() {
  std::set<std::string> known;
  const bool by_name = spec_.image.kind == ImageSpec::Kind::copy || options_.by_name;
  const auto keep = [&](std::vector<ImageSeen> images) {
    for (ImageSeen& image : images) {
      if (takes(image.tags) && known.insert(image.id).second) {
        seen_.images.push_back(std::move(image));
      }
    }
  };
  if (by_name) {
    keep(TRY(api_.images({{"name", {names_.image}}})));
  }
  std::vector<std::string> others = tagged("image");
  std::erase_if(others, [&](const std::string& id) { return known.contains(id); });
  for (const std::vector<std::string>& batch : in_batches(others)) {
    keep(TRY(api_.images({{"image-id", batch}})));
  }
  sort_by_id(seen_.images);
  return {};
}

Result<> RegionLook::look_at_groups() {
  std::vector<std::string> names = {names_.group};
  const bool home = spec_.is_home(api_.region()) && !spec_.group.like_home.empty();
  if (home) {
    names.push_back(spec_.group.like_home);
  }
  std::set<std::string> known;
  for (GroupSeen& group : TRY(api_.groups({{"group-name", without_repeats(std::move(names))}}))) {
    known.insert(group.id);
    if (home && group.name == spec_.group.like_home) {
      home_groups_.push_back(group);
    }
    if (group.name == names_.group ? takes(group.tags) : is_ours(group.tags, spec_.fleet)) {
      seen_.groups.push_back(std::move(group));
    }
  }
  std::vector<std::string> others = tagged("security-group");
  std::erase_if(others, [&](const std::string& id) { return known.contains(id); });
  for (const std::vector<std::string>& batch : in_batches(others)) {
    for (GroupSeen& group : TRY(api_.groups({{"group-id", batch}}))) {
      if (takes(group.tags)) {
        seen_.groups.push_back(std::move(group));
      }
    }
  }
  sort_by_id(seen_.groups);
  return {};
}

// A key pair cannot be changed, so its tag says which key it is; what the tag cannot say is its name. Machines that
// were launched with that name, and as many as there should be, answer for it.
bool RegionLook::keys_are_certain() const {
  const std::vector<std::string> ids = tagged("key-pair");
  if (options_.by_name || (options_.for_clear && ids.empty())) {
    return !options_.by_name;
  }
  if (!spec_.key) {
    return !options_.for_clear;  // nobody needs one, and one that is there costs nothing: its Name will do
  }
  if (ids.size() != 1 || (options_.for_clear ? seen_.machines.empty() : lacks_machines())) {
    return false;
  }
  const Tags& tags = tags_.find("key-pair")->second.at(ids.front());
  const auto digest = tags.find(kPublicKeyTag);
  return digest != tags.end() && digest->second == spec_.key->digest &&
         std::all_of(seen_.machines.begin(), seen_.machines.end(),
                     [&](const MachineSeen& machine) { return machine.key_name == spec_.key->name; });
}

Result<> RegionLook::look_at_keys() {
  std::vector<std::string> ids = tagged("key-pair");
  if (keys_are_certain()) {
    for (const std::string& id : ids) {
      KeySeen key;
      key.id = id;
      key.tags = tags_["key-pair"][id];
      key.name = spec_.key ? spec_.key->name : key.tags["Name"];
      key.type = spec_.key ? spec_.key->type : "";
      seen_.keys.push_back(std::move(key));
    }
    return {};
  }
  std::set<std::string> known;
  const auto keep = [&](std::vector<KeySeen> keys) {
    for (KeySeen& key : keys) {
      if (takes(key.tags) && known.insert(key.id).second) {
        seen_.keys.push_back(std::move(key));
      }
    }
  };
  if (!options_.for_clear && (spec_.key || options_.by_name)) {
    keep(TRY(api_.keys({{"key-name", {names_.key}}})));
  }
  std::erase_if(ids, [&](const std::string& id) { return known.contains(id); });
  for (const std::vector<std::string>& batch : in_batches(ids)) {
    keep(TRY(api_.keys({{"key-pair-id", batch}})));
  }
  sort_by_id(seen_.keys);
  return {};
}

// A fleet of copies knows its machines' sizes from the image. One of Amazon's images asks for the volumes instead of
// the images.
Result<> RegionLook::look_at_volumes() {
  std::unordered_map<std::string, MachineSeen*> machine_of;
  for (MachineSeen& machine : seen_.machines) {
    for (const std::string& volume : machine.volumes) {
      machine_of.emplace(volume, &machine);
    }
  }
  const auto keep = [&](std::vector<VolumeSeen> volumes) {
    for (VolumeSeen& volume : volumes) {
      const auto machine = machine_of.find(volume.id);
      if (machine != machine_of.end()) {
        machine->second->gib += volume.gib;
        machine->second->volume_type = volume.type;
      } else if (takes(volume.tags)) {
        seen_.volumes.push_back(std::move(volume));
      }
    }
  };
  std::vector<std::string> ids = tagged("volume");
  if (spec_.image.kind == ImageSpec::Kind::stock && !options_.by_name) {
    if (!ids.empty()) {
      keep(TRY(api_.volumes({{fmt::format("tag:{}", kFleetTag), {spec_.fleet}}})));
    }
  } else {
    std::erase_if(ids, [&](const std::string& id) { return machine_of.contains(id); });
    for (const std::vector<std::string>& batch : in_batches(ids)) {
      keep(TRY(api_.volumes({{"volume-id", batch}})));
    }
  }
  sort_by_id(seen_.volumes);
  return {};
}

// An image that is still being copied does not name its snapshots yet; what EC2 wrote on them does. The id is compared
// whole: the same text names the source image too. (CopyImage: "Copied for DestinationAmi ami-D from SourceAmi ami-S")
void RegionLook::join_to_image(const SnapshotSeen& snapshot) {
  constexpr std::string_view kMark = "DestinationAmi ";
  const std::size_t mark = snapshot.description.find(kMark);
  if (mark == std::string::npos) {
    return;
  }
  const std::size_t begin = mark + kMark.size();
  const std::string id = snapshot.description.substr(begin, snapshot.description.find(' ', begin) - begin);
  for (ImageSeen& image : seen_.images) {
    if (image.id == id) {
      image.snapshots.push_back(snapshot.id);
      image.snapshot_gib.push_back(snapshot.gib);
    }
  }
}

// Those in images' block devices are known from there. Only what has our tag and belongs to no image is asked for.
Result<> RegionLook::look_at_snapshots() {
  std::set<std::string> known;
  const auto& tags = tags_["snapshot"];
  for (const ImageSeen& image : seen_.images) {
    for (std::size_t i = 0; i < image.snapshots.size(); ++i) {
      if (!known.insert(image.snapshots[i]).second) {
        continue;
      }
      SnapshotSeen snapshot;
      snapshot.id = image.snapshots[i];
      snapshot.gib = image.snapshot_gib[i];
      if (const auto found = tags.find(snapshot.id); found != tags.end()) {
        snapshot.tags = found->second;
      }
      seen_.snapshots.push_back(std::move(snapshot));
    }
  }
  std::vector<std::string> ids = tagged("snapshot");
  std::erase_if(ids, [&](const std::string& id) { return known.contains(id); });
  for (const std::vector<std::string>& batch : in_batches(ids)) {
    for (SnapshotSeen& snapshot : TRY(api_.snapshots({{"snapshot-id", batch}}))) {
      if (takes(snapshot.tags)) {
        join_to_image(snapshot);
        seen_.snapshots.push_back(std::move(snapshot));
      }
    }
  }
  sort_by_id(seen_.snapshots);
  return {};
}

Result<> RegionLook::look_at_addresses() {
  for (const std::vector<std::string>& batch : in_batches(tagged("elastic-ip"))) {
    for (AddressSeen& address : TRY(api_.addresses({{"allocation-id", batch}}))) {
      if (takes(address.tags)) {
        seen_.addresses.push_back(std::move(address));
      }
    }
  }
  std::sort(seen_.addresses.begin(), seen_.addresses.end(),
            [](const AddressSeen& a, const AddressSeen& b) { return a.allocation_id < b.allocation_id; });
  return {};
}

// Schedules have no tags, and other fleets' are named alike: ours are those of our machines, also of the ones that were
// terminated within the last hour.
Result<> RegionLook::look_at_schedules() {
  const bool wanted = spec_.deadman == Deadman::guest_and_scheduler;
  if (!options_.for_clear && !wanted) {
    return {};
  }
  std::set<std::string> ours;
  for (const std::string& id : tagged("instance")) {
    ours.insert(id);
  }
  for (const MachineSeen& machine : seen_.machines) {
    ours.insert(machine.instance.id);
  }
  if (ours.empty()) {
    return {};
  }
  for (ScheduleSeen& schedule : TRY(api_.schedules(schedule_name("")))) {
    if (ours.contains(schedule.instance_id)) {
      seen_.schedules.push_back(std::move(schedule));
    }
  }
  std::sort(seen_.schedules.begin(), seen_.schedules.end(),
            [](const ScheduleSeen& a, const ScheduleSeen& b) { return a.name < b.name; });
  return {};
}

// The agents are SSM's: that they cannot be asked for does not hide what EC2 showed.
void RegionLook::look_at_pings() {
  std::vector<std::string> running;
  for (const MachineSeen& machine : seen_.machines) {
    if (machine.instance.state == InstanceState::running) {
      running.push_back(machine.instance.id);
    }
  }
  Result<std::map<std::string, Instant>> pings = api_.pings(running);
  if (pings) {
    seen_.pings = std::move(pings).value();
  } else {
    seen_.pings_problem = pings.error().text();
  }
}

}  // namespace parallax::fleet
