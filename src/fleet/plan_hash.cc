// The hash of a plan: of everything that decides what the plan does, and of nothing that changes by itself.
#include <algorithm>
#include <iterator>
#include <set>

#include "codec/hash.h"
#include "fleet/lease.h"
#include "fleet/plan_parts.h"

namespace parallax::fleet {

namespace {

Json to_json(const Tags& tags) {
  Json json = Json::object();
  for (const auto& [key, value] : tags) {
    // Leases come and go with runs; what others tag is theirs.
    if (key == "Name" || (key.starts_with("parallax:") && key != kLeaseTag)) {
      json.set(key, value);
    }
  }
  return json;
}

// Sorted: EC2 says no order.
Json sorted_list(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  Json json = Json::array();
  for (std::string& text : texts) {
    json.push(std::move(text));
  }
  return json;
}

// By their canonical text, so that the order of an observation does not matter.
template <typename T, typename ToJson>
Json sorted(const std::vector<T>& all, ToJson one) {
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (const T& item : all) {
    texts.push_back(one(item).canonical());
  }
  return sorted_list(std::move(texts));
}

// A copy that becomes available has not moved; one that fails has.
std::string state_of(const ImageSeen& image) {
  return is_on_its_way(image) ? "available" : image.state;
}

Json image_json(const ImageSeen& image) {
  return Json::object({{"id", image.id},
                       {"name", image.name},
                       {"state", state_of(image)},
                       {"source", image.source_image},
                       {"tags", to_json(image.tags)}});
}

Json group_json(const GroupSeen& group) {
  std::vector<std::string> rules;
  rules.reserve(group.rules.size());
  for (const Rule& rule : group.rules) {
    rules.push_back(to_text(rule));
  }
  return Json::object({{"id", group.id},
                       {"name", group.name},
                       {"vpc", group.vpc},
                       {"rules", sorted_list(std::move(rules))},
                       {"tags", to_json(group.tags)}});
}

Json machine_json(const MachineSeen& machine) {
  return Json::object({{"id", machine.instance.id},
                       {"type", machine.instance.type},
                       {"image", machine.image},
                       {"key", machine.key_name},
                       {"profile", machine.profile},
                       {"subnet", machine.subnet},
                       {"groups", sorted_list(machine.groups)},
                       {"volumes", sorted_list(machine.volumes)},
                       {"imds_v2", machine.imds_v2_required},
                       {"tags", to_json(machine.instance.tags)}});
}

// Those of no image. A copy's snapshots appear by themselves while it is on its way.
std::vector<SnapshotSeen> snapshots_alone(const RegionSeen& seen) {
  std::set<std::string> of_images;
  bool copying = false;
  for (const ImageSeen& image : seen.images) {
    of_images.insert(image.snapshots.begin(), image.snapshots.end());
    copying = copying || is_on_its_way(image);
  }
  std::vector<SnapshotSeen> alone;
  std::copy_if(seen.snapshots.begin(), seen.snapshots.end(), std::back_inserter(alone),
               [&](const SnapshotSeen& snapshot) {
                 return !of_images.contains(snapshot.id) && !(copying && snapshot.state != "completed");
               });
  return alone;
}

Json region_json(const RegionSeen& seen) {
  Json json = Json::object({{"region", seen.region}, {"seen", !seen.problem.has_value()}});
  json.set("machines", sorted(seen.machines, machine_json));
  json.set("images", sorted(seen.images, image_json));
  json.set("groups", sorted(seen.groups, group_json));
  json.set("keys", sorted(seen.keys, [](const KeySeen& key) {
             return Json::object({{"id", key.id}, {"name", key.name}, {"tags", to_json(key.tags)}});
           }));
  json.set("snapshots", sorted(snapshots_alone(seen), [](const SnapshotSeen& snapshot) {
             return Json::object({{"id", snapshot.id}, {"tags", to_json(snapshot.tags)}});
           }));
  json.set("volumes", sorted(seen.volumes, [](const VolumeSeen& volume) {
             return Json::object({{"id", volume.id}, {"attached", volume.attached_to}, {"tags", to_json(volume.tags)}});
           }));
  json.set("addresses", sorted(seen.addresses, [](const AddressSeen& address) {
             return Json::object(
                 {{"id", address.allocation_id}, {"attached", address.attached_to}, {"tags", to_json(address.tags)}});
           }));
  json.set(
      "schedules", sorted(seen.schedules, [](const ScheduleSeen& schedule) {
        return Json::object({{"name", schedule.name}, {"expression", schedule.expression}, {"state", schedule.state}});
      }));
  if (seen.places) {
    json.set("places", Json::object({{"vpc", seen.places->vpc}, {"stock_image", seen.places->stock_image}}));
  }
  return json;
}

Json profile_json(const std::optional<ProfileSeen>& seen) {
  if (!seen) {
    return Json();
  }
  Json policies = Json::object();
  for (const auto& [name, document] : seen->inline_policies) {
    policies.set(name, document);
  }
  return Json::object({{"role", seen->role_exists},
                       {"profile", seen->profile_exists},
                       {"role_in_profile", seen->role_in_profile},
                       {"role_name", seen->role_name},
                       {"trust", seen->trust},
                       {"policies", std::move(policies)},
                       {"attached", sorted_list(seen->attached_policies)},
                       {"role_tags", to_json(seen->role_tags)},
                       {"profile_tags", to_json(seen->profile_tags)}});
}

}  // namespace

void seal(const Spec& spec, const Observed& observed, Plan& plan) {
  Json json = Json::object({{"schema", "parallax.plan.v1"},
                            {"kind", to_string(plan.kind)},
                            {"account", observed.account},
                            {"spec", to_json(spec)},
                            {"home_image", observed.home_image ? image_json(*observed.home_image) : Json()},
                            {"home_group", observed.home_group ? group_json(*observed.home_group) : Json()}});
  // A check does not ask for them where nothing lacks; there they are as they should be, which is no news.
  if (!plan.steps.empty()) {
    json.set("profile", profile_json(observed.profile));
    json.set("scheduler_role", profile_json(observed.scheduler_role));
  }
  std::vector<std::string> regions;
  for (std::size_t i = 0; i < plan.regions.size(); ++i) {
    plan.regions[i].hash = sha256_hex(region_json(observed.regions[i]).canonical());
    regions.push_back(plan.regions[i].region + " " + plan.regions[i].hash);
  }
  json.set("regions", sorted_list(std::move(regions)));
  plan.hash = sha256_hex(json.canonical());
}

}  // namespace parallax::fleet
