// One region's part of a change (or the account's): its steps in order, each looked at again where an answer was lost,
// and whatever it launched brought to a stop. The steps are in change_steps_*.cc.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fleet/change.h"
#include "fleet/change_calls.h"
#include "fleet/region_api.h"

namespace parallax::fleet {

struct ChangeContext {
  const FleetDeps& deps;
  const Spec& spec;
  const Observed& observed;
  const Plan& plan;
  const ChangeOptions& options;
  const ChangeObserver& observe;
  std::stop_token stop, hard_stop;
};

// How long what was just made can be unknown to the next call, or be seen as it was before (aws-facts 4.2).
inline constexpr Micros kVisibleWithin{Seconds(30)};

// Thread safety: one task's own.
class ChangeWork {
 public:
  // `out` holds the steps, all waiting; both must outlive this.
  ChangeWork(const ChangeContext& context, RegionChange& out);

  // Until a step fails or a stop is requested. Machines that were launched are stopped whatever happens.
  void run();

  // Machines that may run on, a line each: see ChangeOutcome::left_running.
  const std::vector<std::string>& left_running() const { return left_running_; }

 private:
  using Steps = std::span<StepOutcome>;

  struct Launched {
    std::string id;
    std::optional<Instant> at;
    bool stop_answered = false;
    bool stopped = false;
    std::string ended;  // it was terminated: the reason's code
    std::string note;   // which places had no room before it was launched in this one; who else launched it
    Monotonic next_stop{Monotonic::min()};
    Monotonic next_look{Monotonic::min()};
  };

  struct Placement {
    std::string type, zone;  // zone: empty where EC2 or the subnet chooses
  };

  // Where the next machine is tried.
  struct PlaceSearch {
    std::size_t place = 0;
    int lap = 0;              // so many machines that found no room at a place in earlier changes do not count
    bool remembered = false;  // a place was passed over for such a machine, not for an answer of now
    std::string note;         // of the places that had no room for the machines from here on

    bool any_left(std::size_t places);
  };

  struct UsableImage {
    std::string id, root_device;
  };

  struct LaunchParts {
    UsableImage image;
    std::string group_id, user_data;
  };

  // Order and reports (change_work.cc).
  Steps next_group(std::size_t begin);
  Result<> carry_out(Steps steps);
  Result<> carry_out_region(StepOutcome& step);
  Result<> carry_out_account(StepOutcome& step);
  Result<> carry_out_clearing(const StepOutcome& step);
  void set_state(Steps steps, StepState state);
  void remark(const std::string& text);  // kept in the notes of the steps that are being done
  void tell(const std::string& text);
  void finish(Steps steps, const Result<>& result, Monotonic begin);
  void list_left_running();

  const RegionSeen* seen() const { return seen_; }

  Tags our_tags() const;
  bool later_step(StepKind kind) const;

  Micros state_timeout() const { return context_.options.state_timeout; }

  // As many seconds, or thirds of the poll where that is shorter.
  Micros about_seconds(int count) const;

  // Image (change_steps_image.cc).
  Result<> delete_image(StepOutcome& step);
  Result<> deregister(const std::string& image, const std::vector<std::string>& snapshots);
  Result<> copy_image(StepOutcome& step);
  Result<std::string> start_copy();
  Result<std::string> copy_of_that_name();
  Result<> wait_image(StepOutcome& step);
  Result<UsableImage> wait_until_usable(std::string id);
  Result<UsableImage> wait_for_copy();
  Result<std::optional<ImageSeen>> look_at_image(const std::string& filter, const std::string& value);
  Result<std::string> replace_copy(const ImageSeen& failed);
  Result<UsableImage> usable_image();
  Result<UsableImage> stock_image();

  // Key pair, group (change_steps_network.cc).
  Result<> import_key(StepOutcome& step);
  Result<std::optional<std::string>> same_key();
  Result<> delete_key(const StepOutcome& step);
  Result<> make_group(StepOutcome& step);
  Result<std::optional<std::string>> group_of_that_name(const std::string& vpc);
  Result<> change_rules(const std::string& group, const std::vector<Rule>& add, const std::vector<Rule>& remove);
  Result<> change_rules_of(const std::string& operation, const std::string& group, const std::vector<Rule>& rules);
  Result<std::string> group_id();

  // Launch (change_steps_launch.cc, change_launch_found.cc, change_steps_stop.cc).
  Result<> launch(Steps steps);
  Result<LaunchParts> launch_parts();
  std::vector<Placement> placements() const;
  void note_next_place(PlaceSearch& search, const std::vector<Placement>& places, const Placement& here,
                       const std::string& code);
  Result<> launch_all(Steps steps, const LaunchParts& parts, PlaceSearch& search);
  Result<std::vector<Launched>> launch_batch(Steps steps, const LaunchParts& parts, const Placement& place,
                                             PlaceSearch& search);
  Result<bool> close_launches(Steps steps);
  Json launch_parameters(Steps steps, const LaunchParts& parts, const Placement& place) const;

  // What a token's launch has made, as far as it is known now.
  struct TokenFate {
    std::vector<Launched> living;
    std::string ended;  // of those that ended, the last one's reason; empty: none is known
  };

  std::string launch_token(Steps steps, const LaunchParts& parts, const Placement& place, int attempt) const;
  Result<std::vector<Launched>> machines_of_token(const std::string& token);
  Result<TokenFate> fate_of_token(const std::string& token);
  Result<TokenFate> known_fate_of_token(const std::string& token);
  Result<std::vector<Instance>> living_machines();
  static Steps without_machine(Steps steps);
  Result<std::vector<Launched>> launched_by_others(Steps steps);
  Result<> tag_slots(Steps steps);
  std::vector<Launched*> take_states(const std::vector<Instance>& seen, const std::vector<Launched*>& machines) const;
  Result<> settle(std::vector<Launched*> machines);
  Result<std::vector<Instance>> look_at(const std::vector<std::string>& ids);
  Result<> ask_to_stop(const std::vector<Launched*>& machines);
  void settle_unclear_launches();
  Launched* launched_of(const std::string& id);
  std::string launched_in(int slot) const;

  // Machines (change_steps_machine.cc).
  Result<> tag(Steps steps);
  Result<> set_user_data(Steps steps);
  Result<> set_shutdown_behaviour(const StepOutcome& step);
  Result<> require_imds_v2(const StepOutcome& step);
  Result<> set_profile(const StepOutcome& step);
  Result<> set_groups(const StepOutcome& step);
  Result<> stop_machines(Steps steps);
  Result<> make_schedule(StepOutcome& step);
  Result<> mend_schedule(const Json& wanted);

  // Clear (change_steps_clear.cc).
  Result<> delete_schedule(const StepOutcome& step);
  Result<> terminate(Steps steps);
  Result<> ask_to_terminate(const std::vector<std::string>& ids);
  std::vector<std::string> still_there(const std::vector<std::string>& ids, std::string& trouble);
  Result<> wait_terminated(std::vector<std::string> ids);
  Result<> delete_group(const StepOutcome& step);
  Result<> delete_ec2(std::string_view operation, const Json& params, const Patience& patience);

  // IAM (change_steps_iam.cc).
  Result<Json> iam(std::string_view operation, const Json& params);
  Result<> make_role(StepOutcome& step);
  Result<> repair_role(const StepOutcome& step);
  Result<> put_policy(const std::string& role);
  Result<> make_profile(StepOutcome& step);
  Result<> fill_profile(const StepOutcome& step);
  Result<> delete_profile(const StepOutcome& step);
  Result<> delete_role(const StepOutcome& step);
  std::string role_of(const StepOutcome& step) const;

  const ChangeContext& context_;
  RegionChange& out_;
  const RegionSeen* seen_ = nullptr;
  ChangeCalls calls_;
  const RegionApi api_;
  Steps current_;
  std::string remarks_;
  std::string made_image_, made_group_;
  std::optional<UsableImage> usable_image_;     // made_image_, once it was seen available
  Monotonic copy_answered_{Monotonic::min()};   // CopyImage made it, in this change
  Monotonic terminated_at_{Monotonic::min()};   // machines of the region were seen terminated
  int copies_ = 0;                              // of CopyImage's token
  bool replaced_copy_ = false;                  // a failed one, once
  std::map<std::string, Launched> launched_;    // by id
  std::map<int, std::string> histories_;        // by slot: machines launched for it that ended by themselves
  std::map<std::string, std::string> unclear_;  // token: what its launch was
  std::vector<std::string> left_running_;
};

}  // namespace parallax::fleet
