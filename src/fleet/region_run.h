// The machines of one region on their way through a round. One task drives all of them: each look at the region is one
// Describe, then every machine takes its next step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fleet/call_budget.h"
#include "fleet/lease.h"
#include "fleet/run.h"
#include "fleet/trouble.h"

namespace parallax::fleet {

// One machine's way. Owned and touched by its region's task only.
//
// A claim is for one start, and a start is known by its LaunchTime: EC2 stamps a new one at each. Two controllers can
// both be told "it was stopped before" when the first one's start failed and fell back to stopped; then only the later
// start counts. So:
//  - the first LaunchTime seen after our start, other than the one from before it, is taken as our start's
//    (`own_launch`); where it was seen within kLaunchSeenWithin of the answer, it surely is (`launch_sure`);
//  - a LaunchTime later than that one is another's start: ours is over, nothing of it is written or stopped any more.
//    Only where our lease still stands kHeirGrace later, nobody looks after the machine: then it is stopped;
//  - another run's new lease is overwritten only by who is sure (or has never written its own); who is not sure and
//    whose own lease was there before goes away: whoever starts later writes later;
//  - a lease is written again only after a look that showed the machine as still ours.
// A stale view shows an older LaunchTime, never a later one, and so ends no claim.
struct VantageRun {
  enum class Step {
    clearing,           // held by a dead run: stop it first
    waiting_stopped,    // it is stopping: a start is possible only from stopped
    claiming,           // to be started by us
    claim_unclear,      // the answer to our start was lost
    starting,           // claimed; until running
    waiting_for_agent,  // running; until its agent's ping is newer than this start
    sending,            // the command was or is being sent
    running,            // the job is followed
    stopping,           // until seen stopped
    ended,
  };

  Vantage vantage;
  int position = 0;
  VantageOutcome outcome;
  Step step = Step::claiming;
  Monotonic deadline;   // of the step
  Monotonic next_look;  // when its state is next described; due until a Describe has shown it
  Monotonic next_ask;   // when its agent, then its job, is next asked for
  Monotonic seen_at;    // the latest Describe that showed it

  std::string prior_lease;              // the tag's text before our claim: a stale read may still show it
  std::optional<Instant> prior_launch;  // LaunchTime before our claim
  std::optional<Instant> own_launch;    // LaunchTime of our start, once seen
  Monotonic heir_since;                 // since when another's start is seen while our lease stands; else not set
  bool launch_sure = false;             // it was seen at once after the answer: no other start lies between
  bool claimed = false;                 // we started it, or must assume so: it is ours to stop
  bool certain = false;                 // the answer to our start said that it was stopped before
  bool unclear = false;                 // an answer to a start of ours was lost at some time
  std::string lease_id;                 // in the lease: of the first of those that were started by the same call
  bool lease_written = false;
  Monotonic start_called_at, start_answered_at;
  Monotonic claim_until;  // how long a throttled claim is asked for again; not set before its first attempt
  int claim_attempts = 0;
  bool agent_slow_told = false;
  bool seen_pending = false;
  bool timer_armed = false;  // a command of ours may have armed its timer
  std::string command_id;
  bool send_due = false;
  bool send_alone = false;   // a call for several failed
  bool answer_lost = false;  // of the last SendCommand: look for the command before it is sent again
  int send_attempts = 0;
  Monotonic next_stop_call;
  int stop_calls = 0;
  bool stop_answered = false;  // EC2 took a stop of ours: from then on "stopped" is no stale view from before the start
  Monotonic stop_answered_at;  // the first time
  Monotonic job_seen_at;       // when the order was sent, or its job was last told to go on
  Monotonic next_send;
  Monotonic invocation_unknown_until;
};

bool is_gone(InstanceState state);

// Whether the call may have taken effect although no good answer came.
bool effect_unknown(const Error& error);

class RegionRun {
 public:
  RegionRun(const FleetDeps& deps, const RoundSpec& round, const RunOptions& options, std::string region,
            int vantages_in_round, Instant round_start, RunObserver observe, std::stop_token stop,
            std::stop_token hard_stop);

  void add(const Vantage& vantage, int position, const std::string& run_id);
  // Until every machine has ended.
  void run();
  RegionOutcome take_outcome();

 private:
  using Step = VantageRun::Step;

  static constexpr Micros kCallTimeout{Seconds(30)};
  // A machine that was up cannot have stopped and been started by another controller within this.
  static constexpr Micros kNoOtherStartWithin{Seconds(6)};

  // What one look has asked for: what was due.
  struct View {
    std::optional<std::vector<Instance>> instances;  // sorted by id
    std::map<std::string, Instant> pings;
    std::map<const VantageRun*, Result<Invocation>> jobs;

    const Instance* find(const std::string& id) const;
  };

  // One SendCommand and those that it is for.
  struct Parcel {
    std::vector<VantageRun*> to;
    CommandRequest request;
    std::optional<Result<std::string>> command;
  };

  RegionApi::Limits limits(Micros timeout, bool while_stopping) const;
  void first_look(VantageRun& v);
  void step_all();
  View look();
  void describe(View& view, Micros timeout);
  bool wants_describe(const VantageRun& v, const View& view) const;
  bool ended_just_now(const VantageRun& v, const Result<Invocation>& invocation) const;
  Micros pace(int units) const;
  Monotonic first_ask_of(const VantageRun& v) const;
  Micros job_gap(const VantageRun& v) const;
  Monotonic next_look_of(const VantageRun& v) const;
  Micros pause() const;
  void look_before_interrupt();
  void look_at_agents(View& view);
  void look_at_jobs(View& view);
  void list_jobs(View& view, const std::vector<VantageRun*>& running);
  void step(VantageRun& v, const View& view);
  bool not_ours_any_more(VantageRun& v, const Instance& instance);
  void step_waiting_stopped(VantageRun& v, const Instance* instance);
  bool deadline_passed(VantageRun& v);
  void claim_all();
  void claim(const std::vector<VantageRun*>& candidates);
  void set_rules(std::vector<VantageRun*>& candidates);
  void name_lease(const std::vector<VantageRun*>& candidates);
  void take_claim(VantageRun& v, InstanceState previous);
  void step_claim_unclear(VantageRun& v, const Instance& instance);
  void step_starting(VantageRun& v, const Instance& instance, const View& view);
  void step_waiting_for_agent(VantageRun& v, const Instance& instance, const View& view);
  void step_sending(VantageRun& v, const Instance& instance);
  void step_running(VantageRun& v, const Instance* instance, const View& view);
  void step_stopping(VantageRun& v, const Instance* instance);
  static bool started_by_another(const VantageRun& v, const Instance& instance);
  bool step_taken_over(VantageRun& v, const Instance& instance);
  void stop_due(bool looked);
  void call_stop(const std::vector<VantageRun*>& due, bool force);
  bool lost_claim(VantageRun& v, const Instance& instance);
  void learn_launch(VantageRun& v, const Instance& instance) const;
  enum class Heir { none, taken, awaited, missing };
  Heir heir_of(VantageRun& v, const Instance& instance) const;
  bool superseded(VantageRun& v, const Instance& instance);
  bool died(VantageRun& v, const Instance& instance);
  bool refuse_shutdown_behaviour(VantageRun& v, const Result<std::string>& behaviour, Monotonic began);
  Micros longest_run() const;
  Lease lease_of(const VantageRun& v) const;
  void give_up_waiting();
  void write_leases();
  void write_lease(const std::vector<VantageRun*>& holders);
  void send_due();
  void pack(Parcel& parcel);
  void delivered(const Parcel& parcel, Monotonic began);
  void sent(VantageRun& v, const Result<std::string>& command);
  std::string comment_of(const VantageRun& v) const;
  void finish_command(VantageRun& v, const Invocation& invocation);
  void fail(VantageRun& v, std::string cause);
  void fail_all(Step step, const std::string& cause);
  void begin_stopping(VantageRun& v);
  void end(VantageRun& v);
  void settle_bill(VantageRun& v, const Instance* instance);
  void change(VantageRun& v, RunState state, std::string note);
  void heard(Trouble& trouble, const Error* error, Monotonic began);
  void tell_of_slow_agent(VantageRun& v);
  bool put_claim_off(VantageRun& v, const Error& error);
  void interrupt_all();
  bool all_ended() const;

  Monotonic now() const { return deps_.clock.monotonic(); }

  const FleetDeps& deps_;
  const RoundSpec& round_;
  const RunOptions& options_;
  const RegionApi api_;
  const int vantages_in_round_;
  const Instant round_start_;
  const RunObserver observe_;
  const std::stop_token stop_;
  const std::stop_token hard_stop_;
  std::vector<std::unique_ptr<VantageRun>> vantages_;
  std::string look_problem_;
  Trouble ec2_{"EC2"};
  Trouble ssm_{"SSM"};
  Trouble scheduler_{"EventBridge Scheduler"};
  int troubles_told_ = 0;
  CallBudget attribute_calls_{80, 16};  // of DescribeInstanceAttribute: below EC2's 100 and 20 a second
  CallBudget send_calls_{16, 4};        // SSM publishes no rates: "a few a second" (aws-facts 3)
  Monotonic next_agents_, next_jobs_;   // next look at them: large regions need many calls for one
  Instant first_sent_{};                // when the first command was sent
  Micros claim_gap_{0};                 // between two attempts at a throttled claim; grows
  Monotonic next_claim_;                // not before
  bool interrupted_ = false;
};

}  // namespace parallax::fleet
