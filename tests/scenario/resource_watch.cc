#include "tests/scenario/resource_watch.h"

#include <fmt/format.h>

#include "codec/json.h"
#include "fleet/lease.h"

namespace parallax::scenario {

namespace {

std::string key_of(const sim::ResourceView& view) {
  return view.region + " " + view.kind + " " + view.id;
}

std::string digest(const sim::ResourceView& view) {
  // The controllers' user: its rights are withdrawn and given back by hand.
  std::string text = view.kind == "user" ? "" : view.content;
  for (const auto& [key, value] : view.tags) {
    text += fmt::format(" {}={}", key, value);
  }
  return text;
}

// Rules belong to their group and schedules to their machine: neither has tags of its own here.
bool is_part(const sim::ResourceView& view) {
  return view.kind == "security group rule" || view.kind == "schedule";
}

std::string group_of(const sim::ResourceView& rule) {
  const Result<Json> json = parse_json(rule.content);
  return json ? rule.region + " security group " + json->text("GroupId") : "";
}

}  // namespace

bool ResourceWatch::is_ours(const sim::ResourceView& view) const {
  const auto tag = view.tags.find(fleet::kFleetTag);
  return tag != view.tags.end() && tag->second == fleet_;
}

void ResourceWatch::begin(const std::set<std::string>& originals) {
  watching_ = true;
  const std::vector<sim::ResourceView> views = cloud_.resources(regions_);
  for (const sim::ResourceView& view : views) {
    // The role that is there from the start is an existing one to these fleets: named, or beside their own.
    const bool existing = view.kind == "role" || view.kind == "instance profile";
    const bool stays = existing || originals.contains(view.id) || (!is_part(view) && !is_ours(view));
    if (stays) {
      foreign_[key_of(view)] = digest(view);
    }
  }
  for (const sim::ResourceView& view : views) {
    if (view.kind == "schedule" || (is_part(view) && foreign_.contains(group_of(view)))) {
      foreign_[key_of(view)] = digest(view);
    }
  }
}

void ResourceWatch::check() {
  if (!watching_) {
    return;
  }
  std::size_t still_there = 0;
  for (const sim::ResourceView& view : cloud_.resources(regions_)) {
    const auto foreign = foreign_.find(key_of(view));
    if (foreign != foreign_.end()) {
      ++still_there;
      if (const std::string now = digest(view); now != foreign->second) {
        world_.fail(fmt::format("invariant 3: {} is not ours to change: was [{}], is [{}]", foreign->first,
                                foreign->second, now));
      }
    } else if (is_part(view)) {
      if (foreign_.contains(group_of(view))) {
        world_.fail(fmt::format("invariant 3: {} was added to another's group: {}", key_of(view), view.content));
      }
    } else if (!is_ours(view)) {
      world_.fail(fmt::format("invariant 3: {} was made without our tag: {}", key_of(view), digest(view)));
    }
  }
  if (still_there != foreign_.size()) {
    for (const sim::ResourceView& view : cloud_.resources(regions_)) {
      foreign_.erase(key_of(view));
    }
    world_.fail("invariant 3: not ours and deleted: " +
                (foreign_.empty() ? std::string("something that was there twice") : foreign_.begin()->first));
  }
}

void ResourceWatch::disown(const std::string& id) {
  for (const sim::ResourceView& view : cloud_.resources(regions_)) {
    if (view.id == id) {
      foreign_[key_of(view)] = digest(view);
    }
  }
}

void ResourceWatch::check_nothing_left() {
  for (const sim::ResourceView& view : cloud_.resources(regions_)) {
    if (!foreign_.contains(key_of(view)) && !forgiven_.contains(view.id)) {
      world_.fail(fmt::format("after a clear that went well there still is {}: {}", key_of(view), digest(view)));
    }
  }
}

}  // namespace parallax::scenario
