// One region's part of an observation.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/resource_api.h"

namespace parallax::fleet {

// The names under which a region's resources are looked for beside their tags.
struct OurNames {
  std::string image, group, key;

  static OurNames of(const Spec& spec);
};

// Thread safety: one task's own.
class RegionLook {
 public:
  // Keeps references to `spec` and `options`.
  RegionLook(const Spec& spec, const ObserveOptions& options, ResourceApi& api);

  // Whatever fails is the region's problem; then nothing else is told. Where this is home's region, the group that
  // home's rules are copied from is in home_groups().
  RegionSeen look();

  const std::vector<GroupSeen>& home_groups() const { return home_groups_; }

 private:
  using ByType = std::map<std::string, std::map<std::string, Tags>, std::less<>>;  // type, id, the tags asked for

  Result<> look_at_all();
  Result<> look_at_tags();
  Result<> look_at_machines();
  Result<> look_at_named_machines();
  Result<> look_at_images();
  Result<> look_at_groups();
  Result<> look_at_keys();
  Result<> look_at_volumes();
  Result<> look_at_snapshots();
  Result<> look_at_addresses();
  Result<> look_at_schedules();
  void look_at_pings();
  void look_at_attributes();
  Result<> ask_attributes(const std::vector<MachineSeen*>& machines, std::string_view attribute);
  void look_at_places();
  void look_at_subnets(LaunchPlaces& places, std::set<std::string>& zones);
  void look_at_types(LaunchPlaces& places, const std::set<std::string>& zones);
  void look_at_stock(LaunchPlaces& places);

  bool takes(const Tags& tags) const;
  void join_to_image(const SnapshotSeen& snapshot);
  std::vector<std::string> tagged(std::string_view type) const;
  bool keys_are_certain() const;
  bool lacks_machines() const;
  bool lacks_something() const;
  void size_machines();

  const Spec& spec_;
  const ObserveOptions& options_;
  const OurNames names_;
  ResourceApi& api_;
  ByType tags_;
  RegionSeen seen_;
  std::vector<GroupSeen> home_groups_;
};

}  // namespace parallax::fleet
