// The image of a region: home's own, a copy of it, or Amazon's.
#include <algorithm>

#include <fmt/format.h>

#include "fleet/plan_region.h"

namespace parallax::fleet {

void RegionPlanner::find_size(const ImageSeen& image) {
  size_ = {image.gib, image.volume_type};
}

void RegionPlanner::plan_image() {
  if (spec_.image.kind == ImageSpec::Kind::stock) {
    if (seen_.places && seen_.places->stock) {
      find_size(*seen_.places->stock);
    }
    image_id_ = seen_.places ? seen_.places->stock_image : "";
    leave_other_images(nullptr);
    return;
  }
  if (observed_.home_image) {
    find_size(*observed_.home_image);
  }
  if (!is_home()) {
    const ImageSeen* ours = nullptr;
    const ImageSeen* nobodys = nullptr;
    for (const ImageSeen& image : seen_.images) {
      if (image.name == spec_.image.name && is_ours(image.tags)) {
        ours = ours == nullptr || is_broken(*ours) ? &image : ours;
      } else if (image.name == spec_.image.name && is_nobodys(image.tags)) {
        nobodys = &image;
      }
    }
    plan_copy(ours, nobodys);
    leave_other_images(ours);
    return;
  }
  if (const std::string problem = home_image_problem(); !problem.empty()) {
    block(problem);
  } else {
    image_id_ = observed_.home_image->id;
  }
  leave_other_images(nullptr);
}

void RegionPlanner::plan_copy(const ImageSeen* ours, const ImageSeen* nobodys) {
  if (ours == nullptr) {
    if (nobodys != nullptr) {
      block(
          fmt::format("image {} ({}) bears the name and not our tag: take it over with 'parallax fleet adopt', or "
                      "deregister it",
                      nobodys->name, nobodys->id));
      drift(nobodys->id, fmt::format("image {} has no tag of ours, so there is no image for this fleet", nobodys->name),
            false);
      return;
    }
    copy_image("there is none");
    return;
  }
  if (is_broken(*ours)) {
    const std::string reason = ours->state_reason.empty() ? "" : fmt::format(" ({})", ours->state_reason);
    const bool mended = home_image_problem().empty();
    drift(ours->id, fmt::format("image {} is {}{}", ours->name, ours->state, reason), mended);
    if (mended) {  // else there is nothing to replace it with
      add(StepKind::delete_image, ResourceKind::image, ours->id, ours->name,
          fmt::format("its copy is {}{}", ours->state, reason));
    }
    copy_image(fmt::format("the one before, {}, is {}", ours->id, ours->state));
    return;
  }
  own_snapshots_.insert(ours->snapshots.begin(), ours->snapshots.end());
  at_rest_.add(snapshot_cost(seen_.region, ours->gib != 0 ? ours->gib : size_.gib));
  if (ours->gib != 0) {
    find_size(*ours);
  }
  if (is_on_its_way(*ours)) {
    add(StepKind::wait_image, ResourceKind::image, ours->id, ours->name, "it is being copied");
  } else if (ours->state != "available") {
    drift(ours->id, fmt::format("image {} is {}", ours->name, ours->state), false);
    block(fmt::format("image {} ({}) is {}; make it available, or deregister it and apply again", ours->name, ours->id,
                      ours->state));
  }
  image_id_ = ours->id;
  compare_source(*ours);
  tell_untagged_snapshots(*ours);
}

// Why nothing can be made from home's image; empty where it can.
std::string RegionPlanner::home_image_problem() const {
  if (observed_.home_problem) {
    return fmt::format("home's image could not be looked at: {}", observed_.home_problem->text());
  }
  if (!observed_.home_image) {
    return fmt::format(
        "{} has no image named {}; make it with 'parallax fleet image create', or set image = {{ stock = \"al2023\" }}",
        spec_.home, spec_.image.name);
  }
  if (observed_.home_image->state != "available") {
    return fmt::format("home's image {} is {}; apply again when it is available", observed_.home_image->id,
                       observed_.home_image->state);
  }
  return "";
}

void RegionPlanner::copy_image(const std::string& why) {
  if (const std::string problem = home_image_problem(); !problem.empty()) {
    block(problem);
    drift("", fmt::format("there is no image {}: {}", spec_.image.name, problem), false);
    return;
  }
  const ImageSeen& source = *observed_.home_image;
  Step& copy = add(StepKind::copy_image, ResourceKind::image, "", spec_.image.name, why);
  copy.usd_per_month = snapshot_cost(seen_.region, source.gib);
  copy.details.push_back(fmt::format("from {} in {}", source.id, spec_.home));
  if (!observed_.home_note.empty()) {
    copy.details.push_back(observed_.home_note);
  }
  if (source.gib != 0) {
    copy.details.push_back(fmt::format("{} GiB", source.gib));
  }
  add(StepKind::wait_image, ResourceKind::image, "", spec_.image.name, "machines need it available");
}

void RegionPlanner::compare_source(const ImageSeen& image) {
  if (observed_.home_image && !image.source_image.empty() && image.source_image != observed_.home_image->id) {
    drift(image.id,
          fmt::format("image {} is a copy of {}, home's is {} now: to renew it clear this region and apply again",
                      image.name, image.source_image, observed_.home_image->id),
          false);
  }
}

// Without our tag nobody may delete them by the policies that we print.
void RegionPlanner::tell_untagged_snapshots(const ImageSeen& image) {
  for (const SnapshotSeen& snapshot : seen_.snapshots) {
    const bool of_image =
        std::find(image.snapshots.begin(), image.snapshots.end(), snapshot.id) != image.snapshots.end();
    if (of_image && is_nobodys(snapshot.tags)) {
      drift(snapshot.id,
            fmt::format("snapshot of image {} has no tag of ours: 'parallax fleet adopt' gives it one", image.name),
            false);
    }
  }
}

void RegionPlanner::leave_other_images(const ImageSeen* used) {
  for (const ImageSeen& image : seen_.images) {
    own_snapshots_.insert(image.snapshots.begin(), image.snapshots.end());  // what they cost is the image's matter
    if (&image == used || is_original(spec_, seen_.region, image)) {
      continue;
    }
    const bool named = image.name == image_name(spec_);
    const std::string what = !is_ours(image.tags)
                                 ? "bears the name and not our tag: 'parallax fleet adopt' takes it over"
                             : named ? "another one of the same name"
                                     : "ours, and not the image of the configuration";
    leave(ResourceKind::image, image.id, image.name, what, snapshot_cost(seen_.region, image.gib));
  }
}

}  // namespace parallax::fleet
