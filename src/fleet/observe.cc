#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "fleet/observe_account.h"
#include "fleet/observe_region.h"
#include "fleet/tasks.h"

namespace parallax::fleet {

namespace {

// One observation on its way. What several tasks write lies apart.
class Observation {
 public:
  Observation(const FleetDeps& deps, const Spec& spec, const ObserveOptions& options, std::stop_token stop,
              const TroubleObserver& trouble)
      : deps_(deps),
        spec_(spec),
        options_(options),
        stop_(std::move(stop)),
        trouble_(trouble),
        deadline_(deps.clock.monotonic() + options.timeout) {}

  Observed run();

 private:
  ResourceApi api(const std::string& region) const { return {deps_, region, deadline_, stop_, trouble_}; }

  void look_at_region(std::size_t index);
  void look_at_account_and_iam();
  void look_at_iam();
  void look_at_home();
  bool needs_home() const;

  bool iam_can_wait() const { return options_.for_check; }

  bool something_lacks() const;
  void choose_home();

  const FleetDeps& deps_;
  const Spec& spec_;
  const ObserveOptions& options_;
  const std::stop_token stop_;
  const TroubleObserver& trouble_;
  const Monotonic deadline_;
  Observed observed_;
  std::vector<ImageSeen> home_images_;
  std::vector<GroupSeen> home_groups_;
};

// Originals are needed where something may be made of them.
bool Observation::needs_home() const {
  const bool used = spec_.image.kind == ImageSpec::Kind::copy || !spec_.group.like_home.empty();
  const bool observed =
      std::find(options_.regions.begin(), options_.regions.end(), spec_.home) != options_.regions.end();
  return used && !observed && !options_.for_clear && !options_.by_name;
}

Observed Observation::run() {
  const std::size_t count = options_.regions.size();
  observed_.regions.resize(count);
  observed_.deep = options_.attributes == Attributes::all;
  for_each_task(deps_.executor, "observe", count + 2, [&](std::size_t i) {
    if (i < count) {
      look_at_region(i);
    } else if (i == count) {
      look_at_account_and_iam();
    } else if (needs_home()) {
      look_at_home();
    }
  });
  choose_home();
  if (!observed_.problem && iam_can_wait() && something_lacks()) {
    look_at_iam();
  }
  return std::move(observed_);
}

void Observation::look_at_region(std::size_t index) {
  ResourceApi calls = api(options_.regions[index]);
  RegionLook look(spec_, options_, calls);
  observed_.regions[index] = look.look();
  if (!spec_.is_home(options_.regions[index])) {
    return;
  }
  // Only one task is home's.
  observed_.home_problem = observed_.regions[index].problem;
  home_groups_ = look.home_groups();
  for (const ImageSeen& image : observed_.regions[index].images) {
    if (spec_.image.kind == ImageSpec::Kind::copy && image.name == spec_.image.name) {
      home_images_.push_back(image);
    }
  }
}

void Observation::look_at_account_and_iam() {
  ResourceApi calls = api(spec_.home);
  Result<Account> account = look_at_account(calls);
  if (!account) {
    observed_.problem = account.error();
    return;
  }
  observed_.account = account->id;
  observed_.partition = account->partition;
  if (!iam_can_wait()) {
    look_at_iam();
  }
}

void Observation::look_at_iam() {
  ResourceApi calls = api(spec_.home);
  Result<ProfileSeen> profile = look_at_profile(spec_, calls);
  if (!profile) {
    observed_.profile_problem = profile.error();
    return;
  }
  observed_.profile = std::move(profile).value();
  if (spec_.deadman != Deadman::guest_and_scheduler && !options_.for_clear) {
    return;
  }
  Result<ProfileSeen> role = look_at_scheduler_role(spec_, calls);
  if (role) {
    observed_.scheduler_role = std::move(role).value();
  } else {
    observed_.profile_problem = role.error();
  }
}

void Observation::look_at_home() {
  ResourceApi calls = api(spec_.home);
  if (spec_.image.kind == ImageSpec::Kind::copy) {
    Result<std::vector<ImageSeen>> images = calls.images({{"name", {spec_.image.name}}});
    if (!images) {
      observed_.home_problem = images.error();
      return;
    }
    home_images_ = std::move(images).value();
  }
  if (!spec_.group.like_home.empty()) {
    Result<std::vector<GroupSeen>> groups = calls.groups({{"group-name", {spec_.group.like_home}}});
    if (!groups) {
      observed_.home_problem = groups.error();
      return;
    }
    home_groups_ = std::move(groups).value();
  }
}

// A machine too few, or one without the profile: what IAM has to say matters then.
bool Observation::something_lacks() const {
  return std::any_of(observed_.regions.begin(), observed_.regions.end(), [&](const RegionSeen& region) {
    int ours = 0;
    bool other_profile = false;
    for (const MachineSeen& machine : region.machines) {
      ours += is_ours(machine.instance.tags, spec_.fleet) ? 1 : 0;
      other_profile = other_profile || machine.profile != spec_.profile.name;
    }
    return !region.problem && (ours < spec_.instances_per_region || other_profile);
  });
}

// The newest available image; where none is available, the newest: whoever plans sees its state.
void Observation::choose_home() {
  std::sort(home_images_.begin(), home_images_.end(), [](const ImageSeen& a, const ImageSeen& b) {
    const bool a_ready = a.state == "available";
    const bool b_ready = b.state == "available";
    return std::tie(b_ready, b.created, b.id) < std::tie(a_ready, a.created, a.id);
  });
  if (!home_images_.empty()) {
    observed_.home_image = home_images_.front();
  }
  // One that says so is the original; else the order of ids decides, so that it is always the same.
  std::stable_sort(home_groups_.begin(), home_groups_.end(), [](const GroupSeen& a, const GroupSeen& b) {
    const bool a_other = !a.tags.contains(kOriginalTag);
    const bool b_other = !b.tags.contains(kOriginalTag);
    return std::tie(a_other, a.id) < std::tie(b_other, b.id);
  });
  if (!home_groups_.empty()) {
    observed_.home_group = home_groups_.front();
  }
  if (home_images_.size() > 1) {
    observed_.home_note = fmt::format("{} has {} images named {}; {} is taken, the newest that is available",
                                      spec_.home, home_images_.size(), spec_.image.name, home_images_.front().id);
  }
  if (home_groups_.size() > 1) {
    observed_.home_note +=
        fmt::format("{}{} has {} security groups named {}; {} is taken", observed_.home_note.empty() ? "" : ". ",
                    spec_.home, home_groups_.size(), spec_.group.like_home, home_groups_.front().id);
  }
}

}  // namespace

Observed observe(const FleetDeps& deps, const Spec& spec, const ObserveOptions& options, std::stop_token stop,
                 const TroubleObserver& trouble) {
  return Observation(deps, spec, options, std::move(stop), trouble).run();
}

}  // namespace parallax::fleet
