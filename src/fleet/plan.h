// From what should be and what is to what must be done: pure functions, no clock, no network.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "fleet/observed.h"
#include "fleet/spec.h"

namespace parallax::fleet {

enum class PlanKind { apply, clear, adopt };

std::string_view to_string(PlanKind kind);

enum class StepKind {
  // of the account, before all regions
  make_role,
  repair_role,
  make_profile,
  fill_profile,
  make_scheduler_role,
  repair_scheduler_role,
  // of a region, in this order
  delete_image,
  copy_image,
  wait_image,
  import_key,
  delete_key,
  make_group,
  repair_rules,
  launch,
  tag,
  set_user_data,
  set_shutdown_behaviour,
  require_imds_v2,
  set_profile,
  set_groups,
  make_schedule,
  stop,
  // clear
  delete_schedule,
  terminate,
  delete_volume,
  release_address,
  delete_snapshot,
  delete_group,
  delete_profile,
  delete_role,
};

std::string_view to_string(StepKind kind);

enum class ResourceKind {
  role,
  profile,
  image,
  snapshot,
  key_pair,
  security_group,
  instance,
  volume,
  address,
  schedule
};

std::string_view to_string(ResourceKind kind);

// One change. Steps of a region are done in their order; each can be repeated safely.
struct Step {
  StepKind kind = StepKind::launch;
  ResourceKind resource = ResourceKind::instance;
  std::string region;  // empty: of the account
  std::string id;      // of what exists already
  std::string name;
  std::string why;     // a clause: "there is none", "its rules differ: ..."
  bool minor = false;  // nothing is wrong without it
  int slot = 0;        // of launch, and of what belongs to one instance
  // What the resource will cost per month at rest (positive), or what is saved (negative). Absent: the price is not
  // known. 0: it costs nothing.
  std::optional<double> usd_per_month;
  std::vector<std::string> details;  // for people: rules, tags, types in their order
  std::vector<Rule> add, remove;     // of repair_rules and make_group
  Tags tags;                         // of tag

  // "make security group NAVO: there is none"
  std::string text() const;
};

// Something that costs or hinders and that apply leaves alone.
struct Leftover {
  ResourceKind resource = ResourceKind::volume;
  std::string region, id, name, what;  // what: a clause, "attached to nothing", "a copy without our tag"
  std::optional<double> usd_per_month;
};

// What exists and differs from the specification, a sentence each, whether or not a step mends it.
struct Drift {
  std::string region, id, text;
  bool mended = false;  // a step of this plan does
  // Better, but nothing is wrong without it: a machine that never had a boot timer, as one that was adopted.
  bool minor = false;
};

struct RegionPlan {
  std::string region;
  std::string problem;  // nothing can be planned here: a sentence; there are no steps then
  std::vector<Step> steps;
  std::vector<Leftover> leftovers;
  std::vector<Drift> drift;
  std::vector<std::string> kept;  // clear: what stays and why
  // Of all that is there once the plan is done, machines stopped. Absent: a price is not known.
  std::optional<double> usd_per_month_at_rest;
  // Of the rounds that the specification says, each as long as the job's time-out: at most so much.
  std::optional<double> usd_per_month_running;
  std::string hash;  // this region's part of Plan::hash
};

struct Plan {
  PlanKind kind = PlanKind::apply;
  std::string account, fleet, home;
  std::string problem;      // nothing can be planned at all
  std::vector<Step> steps;  // of the account: done first, by a clear last
  std::vector<RegionPlan> regions;
  std::vector<Drift> drift;       // of the account: role, profile, budget
  std::vector<std::string> kept;  // of the account. clear: what stays and why
  // Of account, specification, regions and observed resources, without what changes by itself: states of machines and
  // volumes, addresses, launch times, leases, an image that becomes available. Hexadecimal.
  std::string hash;
  bool deep = false;  // made of an observation with Attributes::all; not in the hash

  bool empty() const;  // no step anywhere
  std::size_t count_steps() const;
};

Plan plan_apply(const Spec& spec, const Observed& observed);
// Everything of ours in the observed regions, in dependency order; never home's originals.
Plan plan_clear(const Spec& spec, const Observed& observed);
// Tags for what bears the names that the reference scripts use and no fleet's tag. Nothing else.
Plan plan_adopt(const Spec& spec, const Observed& observed);

Json to_json(const Plan& plan);  // "parallax.plan.v1"

// The configuration that a plan was made from.
struct PlanSource {
  std::string path;    // as it was named: relative to the directory in which the plan was made, or absolute
  std::string sha256;  // of the file's bytes, hexadecimal
};

// The plan with its source, as it is saved.
Json to_json(const Plan& plan, const PlanSource& source);

// What a saved plan must be compared with: see saved plans in docs/user/fleet-plan.md.
struct SavedPlan {
  PlanKind kind = PlanKind::apply;
  std::string account, fleet, hash;
  bool deep = false;  // look as deep again before it is compared
  std::vector<std::string> regions;
  std::map<std::string, std::string> region_hashes;
  std::vector<std::string> steps;    // "eu-west-3: make security group NAVO: there is none", to tell what moved
  std::optional<PlanSource> source;  // absent in plans that no file was remembered for
};

// Reads what to_json() of a plan wrote. Error: invalid.
Result<SavedPlan> read_saved_plan(std::string_view text);
// Error: conflict, naming what moved, where `plan` (made from what is now) is not the saved one: another hash, or a
// step that was not shown then. Steps that nobody needs any more are no reason: an image that was waited for is there.
Result<> check_saved_plan(const SavedPlan& saved, const Plan& plan);

}  // namespace parallax::fleet
