// The plan of one region's apply: each resource by itself, in the order in which they need each other. Internal to
// plan*.cc. The only thing that ends it is a machine that must be launched and cannot be: then there are no steps.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/plan_parts.h"

namespace parallax::fleet {

class RegionPlanner {
 public:
  // `account_problem`: why machines cannot be launched anywhere; empty where they can.
  RegionPlanner(const Spec& spec, const Observed& observed, const RegionSeen& seen, const std::string& account_problem);

  RegionPlan plan();

 private:
  // plan_region_image.cc
  void plan_image();
  void plan_copy(const ImageSeen* ours, const ImageSeen* nobodys);
  std::string home_image_problem() const;
  void copy_image(const std::string& why);
  void find_size(const ImageSeen& image);
  void leave_other_images(const ImageSeen* used);
  void compare_source(const ImageSeen& image);
  void tell_untagged_snapshots(const ImageSeen& image);

  // plan_region_network.cc
  void plan_key();
  void plan_our_key(const KeySeen& key);
  void import_key(const std::string& why);
  std::optional<bool> is_our_key(const KeySeen& key) const;  // absent: cannot be told
  void leave_other_keys(const KeySeen* used);
  void plan_group();
  void plan_home_group();
  void plan_our_group(const GroupSeen& group);
  void make_group();
  const GroupSeen* find_group(bool ours) const;
  void leave_other_groups(const GroupSeen* used);

  // plan_region_machines.cc
  void sort_machines();
  void plan_machines();
  void plan_launches();
  void check_places();
  void check_architecture();
  void launch(int slot, const std::string& type);
  void plan_machine(const MachineSeen& machine);
  void plan_user_data(const MachineSeen& machine);
  void plan_shutdown_behaviour(const MachineSeen& machine);
  void tell_attributes_problem();
  void plan_groups_of(const MachineSeen& machine);
  void plan_schedules();
  void stop_launched();
  void make_schedule(const std::string& machine, int slot, const std::string& why);
  // Told, and a step where the machine is stopped: one that runs is left alone.
  bool repair(const MachineSeen& machine, StepKind kind, const std::string& differs, bool minor = false);
  std::string first_type() const;

  // plan_region.cc
  void leave_what_is_alone();
  void sum_up();

  Step& add(StepKind kind, ResourceKind resource, std::string id, std::string name, std::string why);
  void drift(const std::string& id, std::string text, bool mended, bool minor = false);
  void leave(ResourceKind resource, std::string id, std::string name, std::string what, std::optional<double> usd);
  // Why a machine cannot be launched here; the first one counts.
  void block(std::string why);

  bool is_home() const { return spec_.is_home(seen_.region); }

  bool is_ours(const Tags& tags) const { return fleet::is_ours(tags, spec_.fleet); }

  const Spec& spec_;
  const Observed& observed_;
  const RegionSeen& seen_;
  const std::string boot_timer_version_, boot_timer_digest_;
  RegionPlan out_;
  std::vector<const MachineSeen*> used_;  // by slot; nullptr: to be launched
  bool launches_ = false;                 // a machine is missing
  std::string blocked_;
  std::string image_id_;              // of the region's image, where there is one
  std::string group_id_, group_vpc_;  // of the group, where there is one
  bool makes_group_ = false;
  VolumeSize size_;                      // of a new machine's volume
  std::set<std::string> own_snapshots_;  // in the block devices of images that stay
  MonthlySum at_rest_, running_;
};

}  // namespace parallax::fleet
