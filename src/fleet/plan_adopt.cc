// Tags for what bears our names and no fleet's tag: nothing is moved, made or deleted.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "fleet/lease.h"
#include "fleet/plan_parts.h"

namespace parallax::fleet {

namespace {

class RegionAdoption {
 public:
  RegionAdoption(const Spec& spec, const RegionSeen& seen) : spec_(spec), seen_(seen) { out_.region = seen.region; }

  RegionPlan plan() {
    if (seen_.problem) {
      out_.problem = fmt::format("{} could not be looked at: {}", seen_.region, seen_.problem->text());
      return std::move(out_);
    }
    adopt_images();
    adopt_snapshots();
    adopt_keys();
    adopt_groups();
    adopt_machines();
    return std::move(out_);
  }

 private:
  // Whose tag it is; `original`: one of home's.
  void adopt(ResourceKind resource, const std::string& id, const std::string& name, const Tags& has, bool original,
             std::string why) {
    Step step;
    step.kind = StepKind::tag;
    step.resource = resource;
    step.region = seen_.region;
    step.id = id;
    step.name = name;
    step.usd_per_month = 0;
    step.tags[kFleetTag] = spec_.fleet;
    if (!has.contains("Name")) {
      step.tags["Name"] = spec_.fleet;
    }
    if (original) {
      step.tags[kOriginalTag] = "true";
      why += "; home's original, never changed or deleted";
    }
    step.why = std::move(why);
    for (const auto& [key, value] : step.tags) {
      step.details.push_back(fmt::format("{}={}", key, value));
    }
    out_.steps.push_back(std::move(step));
  }

  bool is_home() const { return spec_.is_home(seen_.region); }

  std::string named(const std::string& name) const {
    return fmt::format("it bears the name {} and no fleet's tag", name);
  }

  void adopt_images() {
    for (const ImageSeen& image : seen_.images) {
      const bool ours = is_ours(image.tags, spec_.fleet);
      const bool takes = is_nobodys(image.tags) && image.name == image_name(spec_);
      if (takes) {
        adopt(ResourceKind::image, image.id, image.name, image.tags, is_home(), named(image.name));
      }
      if (takes || ours) {
        snapshots_.insert(image.snapshots.begin(), image.snapshots.end());
      }
    }
  }

  void adopt_snapshots() {
    std::set<std::string> seen;
    for (const SnapshotSeen& snapshot : seen_.snapshots) {
      seen.insert(snapshot.id);
      if (snapshots_.contains(snapshot.id) && is_nobodys(snapshot.tags)) {
        adopt(ResourceKind::snapshot, snapshot.id, "", snapshot.tags, is_home(), "it is of our image");
      }
    }
    for (const std::string& id : snapshots_) {
      if (!seen.contains(id)) {
        adopt(ResourceKind::snapshot, id, "", {}, is_home(), "it is of our image");
      }
    }
  }

  void adopt_keys() {
    for (const KeySeen& key : seen_.keys) {
      if (!is_nobodys(key.tags) || key.name != key_name(spec_)) {
        continue;
      }
      adopt(ResourceKind::key_pair, key.id, key.name, key.tags, is_home(), named(key.name));
      if (const Result<KeySpec> known = parse_public_key(key.public_key, key.name)) {
        out_.steps.back().tags[kPublicKeyTag] = known->digest;
        out_.steps.back().details.push_back(fmt::format("{}={}", kPublicKeyTag, known->digest));
      }
    }
  }

  // In home everything but the machine was there before us.
  void adopt_groups() {
    for (const GroupSeen& group : seen_.groups) {
      const bool ours = group.name == spec_.group.name || (is_home() && group.name == spec_.group.like_home);
      if (is_nobodys(group.tags) && ours) {
        adopt(ResourceKind::security_group, group.id, group.name, group.tags, is_home(), named(group.name));
      }
    }
  }

  void adopt_machines() {
    for (const MachineSeen& machine : seen_.machines) {
      const Instance& instance = machine.instance;
      if (!is_nobodys(instance.tags) || instance.tag("Name") != spec_.fleet) {
        continue;
      }
      adopt(ResourceKind::instance, instance.id, instance.name, instance.tags, false, named(spec_.fleet));
      for (const std::string& volume : machine.volumes) {
        adopt(ResourceKind::volume, volume, "", {{"Name", ""}}, false, fmt::format("it is of {}", instance.id));
      }
    }
  }

  const Spec& spec_;
  const RegionSeen& seen_;
  RegionPlan out_;
  std::set<std::string> snapshots_;
};

}  // namespace

Plan plan_adopt(const Spec& spec, const Observed& observed) {
  Plan plan = begin_plan(PlanKind::adopt, spec, observed);
  if (!plan.problem.empty()) {
    return plan;
  }
  plan.regions.reserve(observed.regions.size());
  for (const RegionSeen& seen : observed.regions) {
    plan.regions.push_back(RegionAdoption(spec, seen).plan());
  }
  seal(spec, observed, plan);
  return plan;
}

}  // namespace parallax::fleet
