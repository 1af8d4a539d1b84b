// What a fleet's set-up may do to an account: invariant 3 for everything but instances. Nothing here knows of a
// particular fault or bug.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/cloud/cloud.h"
#include "sim/world/world.h"

namespace parallax::scenario {

class ResourceWatch {
 public:
  ResourceWatch(sim::VirtualWorld& world, sim::Cloud& cloud, std::string fleet, std::vector<std::string> regions)
      : world_(world), cloud_(cloud), fleet_(std::move(fleet)), regions_(std::move(regions)) {}

  // Everything that is there now without our fleet's tag, and these originals of home's, must stay as it is for ever;
  // whatever comes from now on must bear our tag in the moment in which it appears.
  void begin(const std::set<std::string>& originals);

  bool watching() const { return watching_; }

  // After anything may have changed.
  void check();

  // One of ours has lost its tag by hand: nobody may touch it any more.
  void disown(const std::string& id);

  // That machine was ended or lost its tag by hand. Stop rules have no tags: nobody can tell whose this one was.
  void forgive_rule_of(const std::string& instance_id) { forgiven_.insert("default/parallax-stop-" + instance_id); }

  // After a clear of all regions that went well: nothing is left but what must stay.
  void check_nothing_left();

 private:
  bool is_ours(const sim::ResourceView& view) const;

  sim::VirtualWorld& world_;
  sim::Cloud& cloud_;
  const std::string fleet_;
  const std::vector<std::string> regions_;
  bool watching_ = false;
  std::set<std::string> forgiven_;
  std::map<std::string, std::string> foreign_;  // region, kind and id: everything that must not change
};

}  // namespace parallax::scenario
