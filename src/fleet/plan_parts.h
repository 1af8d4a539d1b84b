// What the planners share. Internal to plan*.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fleet/plan.h"

namespace parallax::fleet {

// The machines that an apply launches are of this kind: what their volumes will be.
struct VolumeSize {
  std::int64_t gib = 0;  // 0: not known
  std::string type;
};

// Dollars a month: one that is not known makes the sum unknown.
class MonthlySum {
 public:
  void add(const std::optional<double>& usd) {
    if (usd) {
      sum_ += *usd;
    } else {
      known_ = false;
    }
  }

  std::optional<double> value() const { return known_ ? std::optional(sum_) : std::nullopt; }

  double known_part() const { return sum_; }

  bool all_known() const { return known_; }

 private:
  double sum_ = 0;
  bool known_ = true;
};

std::optional<double> volume_cost(std::string_view region, const VolumeSize& volume);
std::optional<double> snapshot_cost(std::string_view region, std::int64_t gib);
std::optional<double> negative(const std::optional<double>& usd);

// An empty plan; its problem says where the account could not be looked at and nothing can be planned.
Plan begin_plan(PlanKind kind, const Spec& spec, const Observed& observed);

// What is never changed and never deleted: home's images, home's group that others copy, and whatever bears
// kOriginalTag.
bool is_original(const Spec& spec, const std::string& region, const ImageSeen& image);
bool is_original(const Spec& spec, const std::string& region, const GroupSeen& group);
bool is_original(const Tags& tags);

// No fleet's: without kFleetTag.
bool is_nobodys(const Tags& tags);

// "pending" and its kind; "failed" and its kind.
bool is_on_its_way(const ImageSeen& image);
bool is_broken(const ImageSeen& image);

// The names that are ours by configuration. The reference has one name for all.
std::string image_name(const Spec& spec);
std::string key_name(const Spec& spec);

// "3 machines", "1 machine"
std::string count_of(std::size_t count, std::string_view what);

// The account's part of an apply: role, profile, the scheduler's role. Steps and drift go into the plan; what is
// returned says why machines cannot be launched, where that is so.
std::string plan_account(const Spec& spec, const Observed& observed, Plan& plan);

// Sets the hashes of the plan and its regions.
void seal(const Spec& spec, const Observed& observed, Plan& plan);

}  // namespace parallax::fleet
